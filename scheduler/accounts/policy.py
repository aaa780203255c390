"""What an account may look like: addresses, passwords, roles. The accounts themselves are kept by
`accounts.store`.

Knows no database and no web. Hashes are argon2id, as Flask-Security reads them.
"""

import re
import secrets
import string
import unicodedata
from datetime import datetime
from typing import Literal, get_args

from argon2 import PasswordHasher
from pydantic import BaseModel, ConfigDict

from scheduler.errors import Refused

Role = Literal["viewer", "operator", "admin"]
"""In ascending order: viewer sees, operator edits and runs, admin deletes and has users."""

ROLES: tuple[Role, ...] = get_args(Role)
ROLE_WORDS: dict[str, str] = {
    "viewer": "sees schedules, runs and reports",
    "operator": "edits and runs schedules, cancels runs",
    "admin": "also deletes schedules and manages users",
}
FIRST_ADMIN = "admin@beatdesk.local"

SHORTEST, LONGEST = 10, 512
LONGEST_ADDRESS = 254

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(
    rf"[\w!#$%&'*+/=?^`{{|}}~-]+(?:\.[\w!#$%&'*+/=?^`{{|}}~-]+)*@{_LABEL}(?:\.{_LABEL})*"
)
_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


class Account(BaseModel):
    """Who may log in. `password` is there only in the answer of whatever has just made one up."""

    model_config = ConfigDict(frozen=True)

    email: str
    role: Role | None
    active: bool
    created_at: datetime
    password: str | None = None


def check_email(email: str) -> str:
    """The address in the one form in which it is stored. It is a name to log in with, so that
    `.local` is welcome.
    """
    address = unicodedata.normalize("NFC", email.strip()).lower()
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Refused(
            f"email: {email!r} is not an address; write it like ann@example.com", field="email"
        )
    return address


def check_role(role: str) -> Role:
    """The role, or why there is no such one."""
    for known in ROLES:
        if role == known:
            return known
    raise Refused(f"role: there is no role {role!r}; use one of {', '.join(ROLES)}", field="role")


def check_password(password: str) -> str:
    """The password, if it is long enough to be one."""
    if len(password) < SHORTEST:
        raise Refused(
            f"password: it has {len(password)} characters; use {SHORTEST} or more, a few words "
            "make a good one",
            field="password",
        )
    if len(password) > LONGEST:
        raise Refused(
            f"password: it has {len(password)} characters; use at most {LONGEST}", field="password"
        )
    return password


def make_password() -> str:
    """A random password of about 93 bits, without signs that look alike."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def hashed(password: str) -> str:
    """The argon2id hash of a password."""
    return PasswordHasher().hash(password)


def make_uniquifier() -> str:
    """A new `fs_uniquifier`; all sessions that name the old one end."""
    return secrets.token_hex(32)
