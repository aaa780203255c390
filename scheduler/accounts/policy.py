"""Rules of accounts: addresses, passwords, roles. `accounts.store` stores the accounts.

Imports no database and no web. Hashes are argon2id, as Flask-Security reads them.
"""

import re
import secrets
import string
import unicodedata
from datetime import datetime
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict

from scheduler.accounts.strength import weakness
from scheduler.errors import Refused

Role = Literal["viewer", "operator", "admin"]
"""Roles in ascending order: a viewer reads, an operator edits and runs, an admin also deletes and
manages users.
"""

ROLES: tuple[Role, ...] = get_args(Role)
ROLE_WORDS: dict[str, str] = {
    "viewer": "sees schedules, runs and reports",
    "operator": "edits and runs schedules, cancels runs",
    "admin": "also deletes schedules and manages users",
}
FIRST_ADMIN = "admin@beatdesk.local"

SHORTEST = 10
LONGEST = 512
LONGEST_ADDRESS = 254

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(
    rf"[\w!#$%&'*+/=?^`{{|}}~-]+(?:\.[\w!#$%&'*+/=?^`{{|}}~-]+)*@{_LABEL}(?:\.{_LABEL})*"
)
_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


class Account(BaseModel):
    """A login. `password` is set only in the result of a call that has just generated one.

    `tags` are the roles for single tags, beside the role for everything.
    """

    model_config = ConfigDict(frozen=True)

    email: str
    role: Role | None
    active: bool
    created_at: datetime
    tags: dict[str, Role] = {}
    login_at: datetime | None = None
    password: str | None = None


def as_stored(email: str) -> str:
    """The text in the form in which addresses are stored: NFC, small letters, no spaces around.

    A text that is too long for an address stays as it is: normalizing combining marks takes
    quadratic time.
    """
    return email if len(email) > LONGEST else unicodedata.normalize("NFC", email.strip()).lower()


def check_email(email: str) -> str:
    """The address in its stored form. Raises Refused.

    The address is a login name and need not receive mail, so `.local` is permitted.
    """
    address = as_stored(email)
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Refused(
            f"email: {email!r} is not an address; write it like ann@example.com", field="email"
        )
    return address


def check_role(role: str) -> Role:
    """The role of this name. Raises Refused for another name."""
    for existing in ROLES:
        if role == existing:
            return existing
    raise Refused(f"role: there is no role {role!r}; use one of {', '.join(ROLES)}", field="role")


def check_password(password: str, email: str = "") -> str:
    """The password, if of `SHORTEST` to `LONGEST` characters and not easily guessed.

    `email` is the address of the account, which makes a weak password. Raises Refused otherwise.
    """
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
    reason = weakness(password, [email] if email else [])
    if reason is not None:
        raise Refused(
            f"password: it is easily guessed: {reason}; use a few unrelated words",
            field="password",
        )
    return password


def make_password() -> str:
    """A random password of about 93 bits, without lookalike characters."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def hashed(password: str) -> str:
    """The argon2id hash of a password."""
    return PasswordHasher().hash(password)


def is_password(password: str, hash_of_password: str) -> bool:
    """Whether the argon2id hash is that of the password. False for a hash of another kind."""
    try:
        return PasswordHasher().verify(hash_of_password, password)
    except (VerificationError, InvalidHashError):
        return False


def make_uniquifier() -> str:
    """A new `fs_uniquifier`: it ends all sessions of the account."""
    return secrets.token_hex(32)
