"""Names of secret values: in arguments, results, text and the console. Pure.

One list for events and console: with two lists, a name missing from either would be shown.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

MASK = "•••••"
"""Replacement for a secret, in events and in the console."""

REFERENCE = re.compile(r"secret://(?P<name>[a-z][a-z0-9_-]{0,62})(?![\w-])")
"""Placeholder for a secret with a value in workers only (`worker.execution.secret_refs`)."""

WORDS = (
    r"passw(?:or)?d",
    "passphrase",
    "secret",
    "token",
    r"api[_-]?key",
    r"access[_-]?key",
    r"private[_-]?key",
    r"credentials?",
    r"authori[sz]ation",
)
"""Endings of secret names; searched in text too, where `=` or a quote follows."""

_WORDS_IN_NAMES = (*WORDS, "cookie", "signature", "webhook")
_PARTS = ("pass", "dsn", "pwd")
"""Words too common within other words: `compass` is not secret."""

_WHOLE = ("auth",)
_END = r"s?[0-9]*(?:$|[_.-])"
_SECRET = re.compile(
    rf"(?:{'|'.join(_WORDS_IN_NAMES)}){_END}"
    rf"|(?:^|[_.-])(?:{'|'.join(_PARTS)}){_END}"
    rf"|^(?:{'|'.join(_WHOLE)})$",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    rf"(?:{'|'.join(WORDS)})s?[0-9]*$|(?:^|[_.-])(?:pass|pwd)s?[0-9]*$|^auth$", re.IGNORECASE
)
_COUNTED = re.compile(r"tokens$", re.IGNORECASE)
"""Counts of tokens: the number in `max_tokens: 4096` is not secret."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


LONGEST_NAME = 200
"""Characters of a name that are looked at, from the end, where a secret's name has its word."""

SHORTEST = 4
"""Fewest characters of a secret's value.

A secret is hidden wherever it occurs, and a shorter text would occur everywhere: `EOF` in
`token=EOF` is none.
"""


LEAST_NUMBER = 1000
"""Least number with `SHORTEST` digits."""


def is_secret(name: str) -> bool:
    """Whether a value under this name stays hidden.

    True for `db_password` and `apiKey`, False for `tokenizer`.
    """
    return _is_secret(name[-LONGEST_NAME:])


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return _SECRET.search(_CAMEL.sub("_", name)) is not None


def is_literal_secret(name: object, value: object) -> bool:
    """Whether the value is a secret itself, where a reference to the secret belongs.

    Stricter about the name than `is_hidden`: `token_url` and `password_file` are hidden to be safe,
    and are no secrets. A text with a reference, a text or number of less than `SHORTEST`
    characters, and true or false are none either.
    """
    if not isinstance(name, str) or not is_hidden(name, value):
        return False
    if _REFUSED.search(_CAMEL.sub("_", name[-LONGEST_NAME:])) is None:
        return False
    return _has_literal(value)


def _has_literal(value: object) -> bool:
    """Whether a text of the value, at any depth, is long enough for a secret and no reference."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str):
            if len(one) >= SHORTEST and REFERENCE.search(one) is None:
                return True
        elif isinstance(one, int | float) and abs(one) >= LEAST_NUMBER:
            return True
    return False


def is_hidden(name: object, value: object) -> bool:
    """Whether this value stays hidden; False for an empty value or a reference to a secret."""
    if not isinstance(name, str) or value in (None, "") or not is_secret(name):
        return False
    if isinstance(value, str):
        return REFERENCE.fullmatch(value) is None
    return not (isinstance(value, int | float) and _COUNTED.search(name))
