"""Random texts that open something, and the digests by which they are stored. Pure.

256 random bits cannot be guessed, so that a plain SHA-256 without salt is enough, and a lookup
needs one index.
"""

import hashlib
import secrets


def make_text(prefix: str = "") -> str:
    """A random text of 256 bits, 43 letters, digits, `-` and `_` after the prefix."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
