"""The strength of the secret key: length, repetition, variety, and texts from examples. Pure.

A key made by `python3 -c 'import secrets; …'` or `openssl rand` passes: the chance that one is
refused is less than one in a million. No rule can tell that a key is random; these find what people
type and copy.
"""

import math
from collections import Counter
from itertools import pairwise

SHORTEST_KEY = 32
"""Fewest characters of a key in production."""

FEWEST_BITS = 80
"""Least entropy of a key by the frequency of its characters; 32 random hex digits: 115."""

EXAMPLE_WORDS = (
    "change",
    "example",
    "secret",
    "insecure",
    "placeholder",
    "password",
    "default",
    "beatdesk",
    "replace",
    "qwerty",
    "django",
)
"""Words of examples and of what people type. All have six letters or more, so that chance does not
make them."""

PUBLISHED = (
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # Flask's documents
    "pf9Wkove4IKEAXvy-cQkeDPhv9Cb3Ag-wyJILbq_dFw",  # Flask-Security's documents
)
"""Keys of documents, which many installations have copied."""

REMEDY = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def weakness(key: str) -> str | None:
    """Return why a key is too weak for production, as a sentence; None for one that is not."""
    if len(key) < SHORTEST_KEY:
        return f"it has {len(key)} characters, production needs {SHORTEST_KEY} or more"
    if (length := _period(key)) is not None:
        return f"it repeats a text of {length} characters"
    if _in_order(key) * 3 > len(key) * 2:
        return "most of its characters follow one another in the alphabet or repeat"
    if key in PUBLISHED or any(word in key.lower() for word in EXAMPLE_WORDS):
        return "it is an example of documents, or has words of one, and is not random"
    bits = entropy_bits(key)
    if bits < FEWEST_BITS:
        return f"it has too few different characters: about {bits:.0f} bits of {FEWEST_BITS}"
    return None


def entropy_bits(key: str) -> float:
    """Return the entropy of a key in bits, by how often each of its characters stands in it."""
    total = len(key)
    return -sum(count * math.log2(count / total) for count in Counter(key).values())


def _period(key: str) -> int | None:
    """The length of the shortest text whose repetition is the key; None without one.

    At least two whole repetitions count.
    """
    lengths = range(1, len(key) // 2 + 1)
    return next((length for length in lengths if key.startswith(key[length:])), None)


def _in_order(key: str) -> int:
    """How many characters are the one before, or its neighbour in the alphabet."""
    return sum(abs(ord(before) - ord(after)) <= 1 for before, after in pairwise(key))
