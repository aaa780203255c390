"""Names of secret values: in arguments, results, text and the console. Pure.

One list for events and console: with two lists, a name missing from either would be shown.
"""

import re
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
_PARTS = ("pass", "dsn")
"""Words too common within other words: `compass` is not secret."""

_WHOLE = ("auth",)
_END = r"s?[0-9]*(?:$|[_.-])"
_SECRET = re.compile(
    rf"(?:{'|'.join(_WORDS_IN_NAMES)}){_END}"
    rf"|(?:^|[_.-])(?:{'|'.join(_PARTS)}){_END}"
    rf"|^(?:{'|'.join(_WHOLE)})$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"tokens$", re.IGNORECASE)
"""Counts of tokens: the number in `max_tokens: 4096` is not secret."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=1000)
def is_secret(name: str) -> bool:
    """Whether a value under this name stays hidden.

    True for `db_password` and `apiKey`, False for `tokenizer`.
    """
    return _SECRET.search(_CAMEL.sub("_", name)) is not None


def is_hidden(name: object, value: object) -> bool:
    """Whether this value stays hidden; False for an empty value or a reference to a secret."""
    if not isinstance(name, str) or value in (None, "") or not is_secret(name):
        return False
    if isinstance(value, str):
        return REFERENCE.fullmatch(value) is None
    return not (isinstance(value, int | float) and _COUNTED.search(name))
