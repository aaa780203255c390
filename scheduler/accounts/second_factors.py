"""Second factors in SQL: what a login asks for after the password.

An account has a second factor once it has an authenticator app or a passkey. Recovery codes come
with the first, stand for it once each, and go with the last. Adding and removing a second factor
ends the account's sessions, like a new password.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, delete, func, or_, select, update
from sqlalchemy.orm import Session

from scheduler.accounts import codes
from scheduler.accounts.sealing import Seal
from scheduler.accounts.secret_texts import digest_of
from scheduler.accounts.store import end_sessions, find_user
from scheduler.errors import Refused
from scheduler.history.account_models import Authenticator, Passkey, RecoveryCode, User
from scheduler.history.engine import writing

Proof = Literal["authenticator", "recovery code"]
"""What a code was that held."""


class AuthenticatorSetup(BaseModel):
    """An authenticator before its first code: `sealed` goes through the form, `address` into the
    QR code.
    """

    model_config = ConfigDict(frozen=True)

    secret: str
    sealed: str
    address: str


class SecondFactor(BaseModel):
    """The second factors of an account. Moments are None for what does not exist."""

    model_config = ConfigDict(frozen=True)

    authenticator_since: datetime | None = None
    authenticator_used_at: datetime | None = None
    recovery_codes: int = 0


class SecondFactors:
    """The second factors of one database."""

    def __init__(self, engine: Engine, seal: Seal) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._seal = seal

    def begin(self, email: str) -> AuthenticatorSetup:
        """Return a new authenticator for an account, which counts after `confirm`.

        Raises NotFound, and Refused without a secret key.
        """
        secret = codes.make_secret()
        with Session(self._engine) as session:
            user = find_user(session, email)
            sealed = self._seal.close(secret, _owner(user.id))
            address = codes.setup_address(secret, user.email)
        return AuthenticatorSetup(secret=secret, sealed=sealed, address=address)

    def resume(self, email: str, sealed: str) -> AuthenticatorSetup:
        """Return the authenticator of an earlier `begin`. Raises NotFound and Refused."""
        with Session(self._engine) as session:
            user = find_user(session, email)
            secret = self._seal.open(sealed, _owner(user.id))
            if secret is None:
                raise Refused("this page is of another account or too old; begin again")
            address = codes.setup_address(secret, user.email)
        return AuthenticatorSetup(secret=secret, sealed=sealed, address=address)

    def confirm(self, email: str, sealed: str, code: str, *, now: datetime) -> list[str]:
        """Store an authenticator in the place of an earlier one, if the code is its current one.

        Returns new recovery codes. All sessions end. Raises NotFound, and Refused for a wrong code.
        """
        setup = self.resume(email, sealed)
        step = codes.matching_step(setup.secret, codes.as_typed(code), now)
        if step is None:
            raise Refused(
                "code: this is not the code that the app shows; the clocks of the app's device and "
                "of this server may differ by half a minute",
                field="code",
            )
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            end_sessions(session, user)
            session.flush()  # another confirmation waits for the row of the account
            session.execute(delete(Authenticator).where(Authenticator.user_id == user.id))
            session.add(
                Authenticator(user_id=user.id, secret=sealed, last_step=step, created_at=now)
            )
            return new_recovery_codes(session, user.id)

    def renew_recovery_codes(self, email: str) -> list[str]:
        """Replace the recovery codes of an account. Returns the new ones.

        Raises NotFound, and Refused for an account without a second factor.
        """
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            if not _is_protected(session, user.id):
                raise Refused("there is no second factor that a recovery code could stand for")
            return new_recovery_codes(session, user.id)

    def remove_authenticator(self, email: str) -> None:
        """Remove the authenticator of an account. All sessions end. Raises NotFound, and Refused
        for an account without one.
        """
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            gone = session.execute(delete(Authenticator).where(Authenticator.user_id == user.id))
            if not gone.rowcount:  # type: ignore[attr-defined]
                raise Refused("there is no authenticator app any more")
            drop_idle_recovery_codes(session, user.id)
            end_sessions(session, user)

    def reset(self, email: str) -> str:
        """Remove all second factors of an account. All sessions end. Returns the address.

        Raises NotFound, and Refused for an account without a second factor.
        """
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            if not _is_protected(session, user.id):
                raise Refused(f"{user.email!r} has no second factor", field="email")
            for table in (Authenticator, Passkey, RecoveryCode):
                session.execute(delete(table).where(table.user_id == user.id))
            end_sessions(session, user)
            return user.email

    def is_protected(self, user_id: int) -> bool:
        """Whether a login by password needs a second step."""
        with Session(self._engine) as session:
            return _is_protected(session, user_id)

    def protected(self) -> set[str]:
        """The addresses of all accounts with a second factor."""
        query = (
            select(User.email)
            .outerjoin(Authenticator, Authenticator.user_id == User.id)
            .outerjoin(Passkey, Passkey.user_id == User.id)
            .where(or_(Authenticator.user_id.is_not(None), Passkey.id.is_not(None)))
        )
        with Session(self._engine) as session:
            return set(session.scalars(query))

    def state(self, user_id: int) -> SecondFactor:
        """The second factors of an account."""
        left = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)
        with Session(self._engine) as session:
            app = session.get(Authenticator, user_id)
            return SecondFactor(
                authenticator_since=app.created_at if app is not None else None,
                authenticator_used_at=app.used_at if app is not None else None,
                recovery_codes=session.scalar(left) or 0,
            )

    def use_code(self, user_id: int, code: str, *, now: datetime) -> Proof | None:
        """Use a code up. Returns what it was; None for a wrong one, and for one that was used.

        Raises Refused where the authenticator was sealed by another secret key.
        """
        typed = codes.as_typed(code)
        if codes.is_authenticator_code(typed):
            return "authenticator" if self._use_step(user_id, typed, now) else None
        return "recovery code" if self._use_recovery_code(user_id, typed) else None

    def _use_step(self, user_id: int, code: str, now: datetime) -> bool:
        """Whether the code is of a step after the last used one, which it is then."""
        with Session(self._writing) as session, session.begin():
            app = session.get(Authenticator, user_id)
            if app is None:
                return False
            secret = self._seal.open(app.secret, _owner(user_id))
            if secret is None:
                raise Refused(
                    "the secret key of the console has changed since the authenticator app was set "
                    "up; use a recovery code, or let an administrator reset the second factor"
                )
            step = codes.matching_step(secret, code, now)
            if step is None:
                return False
            # Of two logins at once with one code, one finds the step used.
            used = session.execute(
                update(Authenticator)
                .where(Authenticator.user_id == user_id, Authenticator.last_step < step)
                .values(last_step=step, used_at=now)
            )
            return bool(used.rowcount)  # type: ignore[attr-defined]

    def _use_recovery_code(self, user_id: int, code: str) -> bool:
        with Session(self._writing) as session, session.begin():
            used = session.execute(
                delete(RecoveryCode).where(
                    RecoveryCode.digest == digest_of(code), RecoveryCode.user_id == user_id
                )
            )
            return bool(used.rowcount)  # type: ignore[attr-defined]


def new_recovery_codes(session: Session, user_id: int) -> list[str]:
    """Replace the recovery codes of an account in a session. Returns the new ones."""
    made = codes.make_recovery_codes()
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.add_all(
        RecoveryCode(digest=digest_of(codes.as_typed(code)), user_id=user_id) for code in made
    )
    return made


def drop_idle_recovery_codes(session: Session, user_id: int) -> None:
    """Delete the recovery codes of an account that has no second factor any more."""
    session.flush()
    if not _is_protected(session, user_id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _is_protected(session: Session, user_id: int) -> bool:
    app = select(Authenticator.user_id).where(Authenticator.user_id == user_id)
    passkey = select(Passkey.user_id).where(Passkey.user_id == user_id)
    return session.scalar(app.union_all(passkey).limit(1)) is not None


def _owner(user_id: int) -> str:
    """The owner of a sealed secret, as the seal names him."""
    return f"account {user_id}"
