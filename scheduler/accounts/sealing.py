"""Seal texts that the database must not give away: AES-256-GCM with a key from the secret key.

A sealed text opens for its owner only: a row that was copied to another account does not open.
"""

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

from scheduler.errors import Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_PURPOSE = b"beatdesk second factor 1"


class Seal:
    """The seal of one secret key."""

    def __init__(self, secret_key: str | None) -> None:
        """`secret_key` is the setting; without one, sealing and opening are refused."""
        self._secret_key = secret_key

    def close(self, text: str, owner: str) -> str:
        """Seal a text for an owner. Returns URL-safe base64. Raises Refused without a key."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher().encrypt(nonce, text.encode(), owner.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, owner: str) -> str | None:
        """The text; None if it was sealed by another key, for another owner, or was changed.

        Raises Refused without a key.
        """
        from cryptography.exceptions import InvalidTag

        try:
            content = base64.b64decode(sealed, altchars=b"-_", validate=True)
            text: bytes = self._cipher().decrypt(content[:_NONCE], content[_NONCE:], owner.encode())
        except (InvalidTag, ValueError, binascii.Error):
            return None
        return text.decode()

    def _cipher(self) -> "AESGCM":
        # Imported on call: most processes seal nothing, and the library is large.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        if not self._secret_key:
            raise Refused(
                "this process has no secret key; set BEATDESK_SECRET_KEY to use second factors"
            )
        key = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(self._secret_key.encode())
        return AESGCM(key)
