"""Redaction of secrets in text: log lines, errors, arguments. Pure, and linear in the length.

Hidden are values after the name of a secret (`password=…`, `"token": "…"`, `--api-key …`), values
of headers (`Authorization: …`, `Cookie: …`, `Bearer …`), passwords in addresses, private keys, and
texts in the form of a well-known kind of key (`AKIA…`, `ghp_…`, JSON web tokens).

Only a value right after the name of a secret is hidden. Sentences, placeholders, references to
secrets, and names in place of a value (`password=settings.password`) are left unchanged. A secret
without a name before it, and without a form of its own, cannot be recognized.

Each pattern consumes what it has read, or reads a bounded number of characters, so that no text
takes quadratic time. `tests/unit/events/test_masking_costs.py` holds that.
"""

import re

from scheduler.events.secret_names import SHORTEST, WORDS

SHORTEST_FORM = 12
"""Least length of a text with a secret that is recognized by its form alone."""

_NAME = rf"(?P<name>{'|'.join(WORDS)}|(?<![^\W_])pwd)"
_VALUE = (
    rf"(?:(?P<quote>\\{{0,2}}[\"'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\\\n])){{{SHORTEST},}}+)"
    rf"|(?P<plain>[^\s\"'&,;()\[\]{{}}<>|\\]{{{SHORTEST},}}+))"
)
_ASSIGNED = re.compile(
    rf"(?P<head>{_NAME}(?:\s{{0,2}}=\s{{0,2}}|(?P<key>\\{{0,2}}[\"'])\s?:\s?(?=\\{{0,2}}[\"'])))"
    rf"(?:{_VALUE})",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?P<head>(?<![^\s\"'\[(,])--(?:[a-z0-9]{{1,20}}-){{0,3}}{_NAME}[ \t]{{1,3}})"
    rf"(?!-)(?:{_VALUE})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    rf"(?P<head>\bauthorization\\{{0,2}}[\"']?\s?[:=]\s?\\{{0,2}}[\"']?(?:bearer|basic|token)\s{{1,3}})"
    rf"(?!secret://)[\w+/=.~-]{{{SHORTEST},}}+",
    re.IGNORECASE,
)
_PLAIN_HEADER = re.compile(
    r"(?P<head>(?<![\w-])(?:(?:proxy-)?authorization"
    r"|(?:[a-z0-9]{1,30}-){1,4}(?:key|token|secret|signature|password|credential))\s?:[ \t]{1,3})"
    rf"(?!(?:bearer|basic|token)\s)(?P<plain>[^\s\"'{{\[<(][^\s\"']{{{SHORTEST - 1},}}+)",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"(?P<head>(?<![\w-])(?:set-)?cookie\s?:[ \t]{1,3})[^\n\"'=•]{1,200}=[^\n\"']*+", re.IGNORECASE
)
_SCHEME = re.compile(
    r"\b(?P<head>(?:bearer|basic)\s{1,3})(?P<value>[\w+/=.~-]{8,}+)", re.IGNORECASE
)
_LOOKS_RANDOM = re.compile(r"[0-9=+/._~]|[a-z-][A-Z]")
_LONG_WORD = 24
"""Letters beyond which a word after `Bearer` is a token, whatever its letters."""

_KEYS = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\b(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA)[A-Z0-9]{16}\b"
    r"|\bgh[opsur]_[A-Za-z0-9]{20,}+|\bgithub_pat_[A-Za-z0-9_]{20,}+|\bglpat-[\w-]{16,}+"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}+|\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}+"
    r"|\bsk-[A-Za-z0-9_-]{20,}+|\bAIza[\w-]{30,}+|\bSG\.[\w-]{16,}+(?:\.[\w-]{16,}+)?"
    r"|\bbd_[A-Za-z0-9_-]{40,}+|\bnpm_[A-Za-z0-9]{30,}+"
    r"|\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,}+(?:\.[\w-]{4,}+)?"
    r"|(?<=hooks\.slack\.com/services/)[\w/]{10,}+"
)
"""Private keys, and keys in the published forms of their makers."""

_WITH_ADDRESS = re.compile(r"[^\s\"'<>]+")
_ORACLE = re.compile(
    r"(?P<head>\bjdbc:oracle:[a-z0-9]{1,10}:[^\s/@]{1,200}/)[^\s@]{1,500}+(?=@)", re.I
)
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#,;)\]}]|$)")
_SCHEME_END = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}$")
_LONGEST_SCHEME = 32

_ENDS_LIKE_A_SECRET = re.compile(_NAME + r"s?$", re.IGNORECASE)
_NO_VALUE = re.compile(
    r"(?:none|null|true|false|\*+|\.{3,}|…|•+|:\w+|%s|%\(\w+\)s|\$\{[^}]*\}|(?-i:\$[A-Z_][A-Z0-9_]*)|\{\w*\}|<[^>]*>)$"
    r"|(?:(?:bearer|basic|token)\s{1,3})?secret://",
    re.IGNORECASE,
)
"""Texts that are not secrets: literals, masks, placeholders."""


_KEY_MARKS = (
    *("PRIVATE KEY", "AKIA", "ASIA", "ABIA", "ACCA", "AIDA", "AROA"),
    *("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("k_live_", "k_test_", "sk-", "AIza", "SG.", "bd_", "npm_", "eyJ", "hooks.slack.com"),
)
"""One of these stands in each text that `_KEYS` finds; most texts have none."""

_STEMS = (
    *("passw", "passphrase", "secret", "token", "key", "credential", "authori"),
    *("pwd", "cookie", "signature"),
)
"""One of these stands in small letters in each ASCII text with the name of a secret or header."""


def without_secrets(text: str, mask: str) -> str:
    """Return the text with `mask` in place of each secret that has a name or a form of its own."""
    lowered = text.lower() if text.isascii() else None
    if len(text) >= SHORTEST_FORM:
        if any(mark in text for mark in _KEY_MARKS):
            text = _KEYS.sub(mask, text)
        if lowered is None or "bearer" in lowered or "basic" in lowered:
            text = _SCHEME.sub(lambda match: _without_token(match, mask), text)
    if "://" in text:
        text = _WITH_ADDRESS.sub(lambda match: _without_passwords(match[0], mask), text)
    if "jdbc:" in text:
        text = _ORACLE.sub(lambda match: match["head"] + mask, text)
    if lowered is not None and not any(stem in lowered for stem in _STEMS):
        return text
    if "--" in text:
        text = _OPTION.sub(lambda match: _without_value(match, mask), text)
    if "=" not in text and ":" not in text:
        return text
    text = _COOKIE.sub(lambda match: match["head"] + mask, text)
    text = _HEADER.sub(lambda match: match["head"] + mask, text)
    text = _ASSIGNED.sub(lambda match: _without_value(match, mask), text)
    return _PLAIN_HEADER.sub(lambda match: _without_value(match, mask), text)


def _without_value(match: re.Match[str], mask: str) -> str:
    """Return the match with the value hidden; unchanged where the value is no secret."""
    found = match.groupdict()
    plain = found["plain"]
    value = found.get("quoted") or plain
    is_called = plain is not None and match.string[match.end() : match.end() + 1] in _OPENING
    if is_called or _NO_VALUE.match(value) or (plain and _ENDS_LIKE_A_SECRET.search(plain)):
        return match[0]
    return f"{match['head']}{found.get('quote') or ''}{mask}"


_OPENING = ("(", "[", "{")
"""What follows the name of a function or table in place of a value: `token=tokens[0]`."""


def _without_token(match: re.Match[str], mask: str) -> str:
    """Return `Bearer …` or `Basic …` with the value hidden, unless the value is a word."""
    value = match["value"].rstrip(".")
    is_token = _LOOKS_RANDOM.search(value) is not None or len(value) >= _LONG_WORD
    return match["head"] + mask if is_token else match[0]


def _without_passwords(text: str, mask: str) -> str:
    """Return a text without blanks with the passwords of its addresses hidden.

    A password ends at the last `@` before the next address, so that one with `@`, `/` or `#` in it
    is hidden as a whole. Digits before a `/` are a port.
    """
    if "://" not in text or "@" not in text:
        return text
    first, *rest = text.split("://")
    pieces = [first]
    for number, piece in enumerate(rest):
        is_address = _SCHEME_END.search((pieces[-1] or "")[-_LONGEST_SCHEME:]) is not None
        end = len(piece) if number == len(rest) - 1 else _before_scheme(piece)
        pieces.append(_without_password(piece[:end], mask) + piece[end:] if is_address else piece)
    return "://".join(pieces)


def _before_scheme(piece: str) -> int:
    """Return the place at which the scheme of the next address begins."""
    found = _SCHEME_END.search(piece[-_LONGEST_SCHEME:])
    return len(piece) if found is None else len(piece) - len(found[0])


def _without_password(login_and_host: str, mask: str) -> str:
    user, colon, rest = login_and_host.partition(":")
    if not colon or any(mark in user for mark in "/?#@") or _PORT.match(rest):
        return login_and_host
    password, at, host = rest.rpartition("@")
    if not at or not password or _NO_VALUE.match(password):
        return login_and_host
    return f"{user}:{mask}@{host}"
