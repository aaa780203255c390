"""Codes of the second step of a login: an authenticator's (RFC 6238), and recovery codes. Pure.

An authenticator shows six digits, new ones every `STEP` seconds. A code counts in its own step and
in the steps before and after, since clocks differ.
"""

import base64
import hmac
import secrets
from datetime import datetime

import pyotp

STEP = 30
"""Seconds of a step, as all authenticator apps have it."""

DIGITS = 6
DRIFT = 1
"""Steps by which the authenticator's clock may be wrong, in both directions."""

ISSUER = "Beatdesk"
RECOVERY_CODES = 10
LONGEST = 64
"""Most characters of a typed code that are looked at."""

_GROUPS = 4
_BYTES = 10


def make_secret() -> str:
    """A random secret of 160 bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32(32)


def setup_address(secret: str, email: str) -> str:
    """The `otpauth:` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_at(now: datetime) -> int:
    """The number of the step of a moment."""
    return int(now.timestamp()) // STEP


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step near `now` whose code this is; None for a wrong code.

    All steps are compared, each in constant time.
    """
    if not is_authenticator_code(code):
        return None
    totp = pyotp.TOTP(secret)
    current = step_at(now)
    steps = range(max(0, current - DRIFT), current + DRIFT + 1)
    matches = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), code)]
    return matches[-1] if matches else None


def is_authenticator_code(code: str) -> bool:
    """Whether a text has the form of an authenticator's code: six ASCII digits."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def as_typed(text: str) -> str:
    """A typed code without spaces and dashes, in small letters; empty for a text that is no code
    by its length.
    """
    if len(text) > LONGEST:
        return ""
    return "".join(text.split()).replace("-", "").lower()


def make_recovery_codes() -> list[str]:
    """`RECOVERY_CODES` random codes of 80 bits each, such as `abcd-efgh-ijkl-mnop`.

    80 random bits cannot be guessed, also where the digest is public: a plain SHA-256 is enough.
    """
    return [_grouped(secrets.token_bytes(_BYTES)) for _ in range(RECOVERY_CODES)]


def _grouped(random: bytes) -> str:
    text = base64.b32encode(random).decode("ascii").lower()
    size = len(text) // _GROUPS
    return "-".join(text[start : start + size] for start in range(0, len(text), size))
