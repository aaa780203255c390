"""An authenticator for passkeys, and the browser around it: answers as a real one gives them."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Authenticator:
    """A key pair of P-256 for one host, which counts its uses."""

    origin: str
    host: str
    flags: int = USER_PRESENT | USER_VERIFIED
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: str | None = None

    def create(self, options: str) -> str:
        """The answer to the options of a creation, as JSON."""
        wanted = json.loads(options)
        self.handle = wanted["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        own = bytes(16) + len(self.credential).to_bytes(2) + self.credential + public
        data = self._data(self.flags | HAS_CREDENTIAL) + own
        response = {
            "clientDataJSON": encoded(self._client_data("webauthn.create", wanted)),
            "attestationObject": encoded(
                cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
            ),
        }
        return self._answer(response)

    def get(self, options: str) -> str:
        """The answer to the options of a login, as JSON."""
        self.count += 1
        data = self._data(self.flags)
        client_data = self._client_data("webauthn.get", json.loads(options))
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": encoded(client_data),
            "authenticatorData": encoded(data),
            "signature": encoded(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": self.handle,
        }
        return self._answer(response)

    def _data(self, flags: int) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([flags]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, wanted: dict[str, Any]) -> bytes:
        values = {"type": kind, "challenge": wanted["challenge"], "origin": self.origin}
        return json.dumps(values).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        identifier = encoded(self.credential)
        return json.dumps(
            {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}
        )
