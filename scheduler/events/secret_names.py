"""Which names say that a value is secret: in arguments, results, text and the console. Pure.

One list, because what the events hide and the console shows, or the other way round, is hidden
nowhere.
"""

import re
from functools import lru_cache

MASK = "•••••"
"""Stands where a secret was, in events and in the console."""

REFERENCE = re.compile(r"secret://(?P<name>[a-z][a-z0-9_-]{0,62})(?![\w-])")
"""What stands for a secret that only a worker knows (`worker.secret_refs`)."""

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
"""Words that make a name secret that ends with them; in text too, where `=` or a quote follows."""

_WORDS_IN_NAMES = (*WORDS, "cookie", "signature", "webhook")
_PARTS = ("pass", "dsn")
"""Words that are too common within other words: `compass` is none."""

_WHOLE = ("auth",)
_END = r"s?[0-9]*(?:$|[_.-])"
_SECRET = re.compile(
    rf"(?:{'|'.join(_WORDS_IN_NAMES)}){_END}"
    rf"|(?:^|[_.-])(?:{'|'.join(_PARTS)}){_END}"
    rf"|^(?:{'|'.join(_WHOLE)})$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"tokens$", re.IGNORECASE)
"""`max_tokens: 4096` is a number of them."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=1000)
def is_secret(name: str) -> bool:
    """Does a value under this name have to stay hidden? `db_password`, `apiKey`; not
    `tokenizer`.
    """
    return _SECRET.search(_CAMEL.sub("_", name)) is not None


def is_hidden(name: object, value: object) -> bool:
    """Does this value have to stay hidden? What is empty, or only names a secret, need not."""
    if not isinstance(name, str) or value in (None, "") or not is_secret(name):
        return False
    if isinstance(value, str):
        return REFERENCE.fullmatch(value) is None
    return not (isinstance(value, int | float) and _COUNTED.search(name))
