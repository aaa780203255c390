"""Redaction of secrets in log lines and errors: `password=…`, `"token": "…"`, `Bearer …`. Pure.

Only a value right after the name of a secret is hidden. Sentences, placeholders, references to
secrets, and names in place of a value (`password=settings.password`) are left unchanged.
"""

import re

from scheduler.events.secret_names import WORDS

SHORTEST = 4
"""Least length of a secret, as in `worker.execution.secret_refs`: `EOF` in `token=EOF` is none."""

_NAME = rf"(?P<name>{'|'.join(WORDS)})"
_VALUE = (
    rf"(?:(?P<quote>\\{{0,2}}[\"'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\\\n])){{{SHORTEST},}}+)"
    rf"|(?P<plain>[^\s\"'&,;()\[\]{{}}<>|\\]{{{SHORTEST},}}+)(?![(\[{{]))"
)
_ASSIGNED = re.compile(
    rf"(?P<head>{_NAME}(?:=|(?P<key>\\{{0,2}}[\"'])\s?:\s?(?=\\{{0,2}}[\"'])))(?:{_VALUE})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    rf"(?P<head>\bauthorization\\{{0,2}}[\"']?\s?[:=]\s?\\{{0,2}}[\"']?(?:bearer|basic|token)\s{{1,3}})"
    rf"[\w+/=.~-]{{{SHORTEST},}}+",
    re.IGNORECASE,
)
_ENDS_LIKE_A_SECRET = re.compile(_NAME + r"s?$", re.IGNORECASE)
_NO_VALUE = re.compile(
    r"(?:none|null|true|false|\*+|\.{3,}|…|•+|:\w+|%s|%\(\w+\)s|\$\{[^}]*\}|(?-i:\$[A-Z_][A-Z0-9_]*)|\{\w*\}|<[^>]*>)$"
    r"|secret://",
    re.IGNORECASE,
)
"""Texts that are not secrets: literals, masks, placeholders."""


def without_secrets(text: str, mask: str) -> str:
    """Return the text with `mask` in place of each value after the name of a secret."""

    def hidden(match: re.Match[str]) -> str:
        value = match["quoted"] or match["plain"]
        if _NO_VALUE.match(value) or (match["plain"] and _ENDS_LIKE_A_SECRET.search(value)):
            return match[0]
        return f"{match['head']}{match['quote'] or ''}{mask}"

    if "=" not in text and ":" not in text:
        return text
    return _ASSIGNED.sub(hidden, _HEADER.sub(lambda match: match["head"] + mask, text))
