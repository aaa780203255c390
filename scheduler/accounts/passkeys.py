"""Passkeys in SQL: registered by their owner, and a login without a password or after it.

The owner is always verified by the authenticator (fingerprint, face, PIN): a passkey is two factors
by itself. It belongs to one site, the host of the console; the browser offers it nowhere else.
py_webauthn verifies what authenticators answer.
"""

import json
import re
import secrets
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, delete, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler.accounts.second_factors import drop_idle_recovery_codes, new_recovery_codes
from scheduler.accounts.store import end_sessions, find_user
from scheduler.errors import NotFound, Refused
from scheduler.history.account_models import Passkey, RecoveryCode, User
from scheduler.history.engine import writing

MOST_PASSKEYS = 20
LONGEST_NAME = 64
LONGEST_ANSWER = 8_000
"""Most characters of an authenticator's answer as JSON."""

TIMEOUT = 5 * 60 * 1000
"""Milliseconds that the browser waits for the owner."""

_ID = re.compile(r"[\w-]{1,1364}", re.ASCII)
"""A credential's identifier: at most 1023 bytes, as base64url."""

Verified = TypeVar("Verified")


class Site(NamedTuple):
    """The console as browsers see it: `id` is the host, `origin` has scheme, host and port."""

    id: str
    origin: str


class PasskeyView(BaseModel):
    """A passkey of an account."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Passkeys:
    """The passkeys of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)

    def of_account(self, user_id: int) -> list[PasskeyView]:
        """The passkeys of an account, oldest first."""
        query = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at)
        with Session(self._engine) as session:
            return [PasskeyView.model_validate(row) for row in session.scalars(query)]

    def creation_options(self, email: str, site: Site, challenge: bytes) -> str:
        """Return what the browser needs to make a passkey, as JSON. Raises NotFound."""
        from webauthn import base64url_to_bytes, generate_registration_options, options_to_json
        from webauthn.helpers import structs

        with Session(self._engine) as session:
            user = find_user(session, email)
            rows = list(session.scalars(select(Passkey).where(Passkey.user_id == user.id)))
            handle = rows[0].handle if rows else secrets.token_urlsafe(32)
            options = generate_registration_options(
                rp_id=site.id,
                rp_name="Beatdesk",
                user_id=base64url_to_bytes(handle),
                user_name=user.email,
                user_display_name=user.email,
                challenge=challenge,
                timeout=TIMEOUT,
                authenticator_selection=structs.AuthenticatorSelectionCriteria(
                    resident_key=structs.ResidentKeyRequirement.REQUIRED,
                    user_verification=structs.UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[
                    structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.id))
                    for row in rows
                ],
            )
        return options_to_json(options)

    def add(
        self,
        email: str,
        name: str,
        answer: str,
        *,
        handle: str,
        site: Site,
        challenge: bytes,
        now: datetime,
    ) -> list[str]:
        """Store a passkey that a browser has made. All sessions of the account end.

        `handle` is the user's name in the options. Returns recovery codes where the account had
        none, else an empty list. Raises NotFound, and Refused for a bad name, for an answer that
        does not hold, and for a passkey or handle in use.
        """
        from webauthn import verify_registration_response
        from webauthn.helpers import bytes_to_base64url

        checked = check_name(name)
        verified = _verify(
            lambda: verify_registration_response(
                credential=_read(answer),
                expected_challenge=challenge,
                expected_rp_id=site.id,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        )
        row = Passkey(
            id=bytes_to_base64url(verified.credential_id),
            handle=handle,
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            name=checked,
            created_at=now,
        )
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            end_sessions(session, user)
            session.flush()  # another registration waits for the row of the account
            row.user_id = user.id
            _check_new(session, row)
            session.add(row)
            codes = select(func.count()).where(RecoveryCode.user_id == user.id)
            return [] if session.scalar(codes) else new_recovery_codes(session, user.id)

    def request_options(self, site: Site, challenge: bytes, user_id: int | None = None) -> str:
        """Return what the browser needs to use a passkey, as JSON.

        With `user_id` one of this account, else any that the browser has for the site.
        """
        from webauthn import base64url_to_bytes, generate_authentication_options, options_to_json
        from webauthn.helpers import structs

        own = [] if user_id is None else self.of_account(user_id)
        options = generate_authentication_options(
            rp_id=site.id,
            challenge=challenge,
            timeout=TIMEOUT,
            allow_credentials=[
                structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.id))
                for passkey in own
            ],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def use(
        self,
        answer: str,
        *,
        site: Site,
        challenge: bytes,
        now: datetime,
        user_id: int | None = None,
    ) -> str:
        """Return the address of the account whose passkey signed the challenge, and note its use.

        With `user_id` only a passkey of this account holds. Raises Refused for an answer that does
        not hold, for an unknown passkey, and for a copied one that counts backwards.
        """
        from webauthn import base64url_to_bytes, verify_authentication_response

        values = _read(answer)
        with Session(self._writing) as session, session.begin():
            passkey, email = _find(session, values, user_id)
            verified = _verify(
                lambda: verify_authentication_response(
                    credential=values,
                    expected_challenge=challenge,
                    expected_rp_id=site.id,
                    expected_origin=site.origin,
                    credential_public_key=base64url_to_bytes(passkey.public_key),
                    credential_current_sign_count=passkey.sign_count,
                    require_user_verification=True,
                )
            )
            count = verified.new_sign_count
            noted = session.execute(
                update(Passkey)
                .where(Passkey.id == passkey.id)
                .where(or_(Passkey.sign_count < count, Passkey.sign_count == 0))
                .values(sign_count=count, used_at=now)
            )
            if not noted.rowcount:  # type: ignore[attr-defined]
                raise _refusal()
            return email

    def remove(self, email: str, passkey_id: str) -> str:
        """Remove a passkey of an account; recovery codes go with the last second factor. All
        sessions end. Returns its name. Raises NotFound.
        """
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            row = session.get(Passkey, passkey_id) if _ID.fullmatch(passkey_id) else None
            if row is None or row.user_id != user.id:
                raise NotFound("this passkey is removed already; the list shows those there are")
            name = row.name
            session.execute(delete(Passkey).where(Passkey.id == row.id))
            drop_idle_recovery_codes(session, user.id)
            end_sessions(session, user)
            return name


def handle_of(options: str) -> str:
    """Return the user's name in the options of a creation."""
    return str(json.loads(options)["user"]["id"])


def check_name(name: str) -> str:
    """The name of a passkey, 1 to `LONGEST_NAME` printable characters. Raises Refused."""
    checked = name.strip()
    if not 0 < len(checked) <= LONGEST_NAME or not checked.isprintable():
        raise Refused(
            f"name: write 1 to {LONGEST_NAME} characters, such as the device's name", field="name"
        )
    return checked


def _check_new(session: Session, row: Passkey) -> None:
    """Raise Refused for a passkey that exists, and for one too many."""
    if session.get(Passkey, row.id) is not None:
        raise Refused("this passkey is registered already", field="answer")
    own = select(func.count()).where(Passkey.user_id == row.user_id)
    if (session.scalar(own) or 0) >= MOST_PASSKEYS:
        raise Refused(f"there are {MOST_PASSKEYS} passkeys; remove one first", field="answer")


def _find(session: Session, values: dict[str, Any], user_id: int | None) -> tuple[Passkey, str]:
    """The passkey that an answer names, of an active account, and the account's address."""
    credential = values.get("id")
    if not isinstance(credential, str) or not _ID.fullmatch(credential):
        raise _refusal()
    query = (
        select(Passkey, User.email)
        .join(User, User.id == Passkey.user_id)
        .where(Passkey.id == credential, User.active)
    )
    found = session.execute(query).one_or_none()
    if found is None or user_id not in {None, found[0].user_id}:
        raise _refusal()
    response = values.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if handle is not None and handle != found[0].handle:
        raise _refusal()
    return found[0], found[1]


def _read(answer: str) -> dict[str, Any]:
    """An authenticator's answer as an object. Raises Refused."""
    try:
        values = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise _refusal()
    return values


def _verify(check: Callable[[], Verified]) -> Verified:
    """The result of a check by the library. Raises Refused for an answer that does not hold.

    Beside its own errors, the library lets those of its decoders through.
    """
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return check()
    except (
        WebAuthnException,
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise _refusal() from error


def _refusal() -> Refused:
    return Refused(
        "answer: this passkey does not hold here; it was removed, or belongs to another account or "
        "host",
        field="answer",
    )
