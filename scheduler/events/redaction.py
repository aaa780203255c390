"""Secrets in running text, such as log lines and errors: `password=…`, `"token": "…"`,
`Authorization: Bearer …`. Pure.

Only what is written as a value right behind a secret's name is taken for one. Sentences,
placeholders, references to secrets, and names that stand where a program would put the value
(`password=settings.password`) stay as they are.
"""

import re

from scheduler.events.secret_names import WORDS

SHORTEST = 4
"""Characters of a secret at least, as of those that workers look up; `token=EOF` is none."""

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
"""What stands for a value: literals, masks, placeholders."""


def without_secrets(text: str, mask: str) -> str:
    """The text with `mask` in place of each value that stands behind a secret's name."""

    def hidden(found: re.Match[str]) -> str:
        value = found["quoted"] or found["plain"]
        if _NO_VALUE.match(value) or (found["plain"] and _ENDS_LIKE_A_SECRET.search(value)):
            return found[0]
        return f"{found['head']}{found['quote'] or ''}{mask}"

    if "=" not in text and ":" not in text:
        return text
    return _ASSIGNED.sub(hidden, _HEADER.sub(lambda found: found["head"] + mask, text))
