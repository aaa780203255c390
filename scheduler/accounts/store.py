"""Accounts in SQL. `accounts.policy` has the rules of addresses, passwords and roles.

A change of password or role, and disabling, end the account's sessions.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.accounts.policy import (
    FIRST_ADMIN,
    ROLE_WORDS,
    ROLES,
    Account,
    Role,
    check_email,
    check_password,
    check_role,
    hashed,
    make_password,
    make_uniquifier,
)
from scheduler.errors import NotFound, Refused
from scheduler.history import account_models as models
from scheduler.history.engine import writing


class Accounts:
    """The accounts of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)

    def create(self, email: str, password: str | None, role: str, *, now: datetime) -> Account:
        """Add an account. Returns the account, with a generated password if `password` is None.

        Raises Refused with the field: an invalid address, password or role, or an address in use.
        """
        email = check_email(email)
        role = check_role(role)
        secret = make_password() if password is None else check_password(password)
        user = models.User(
            email=email,
            password=hashed(secret),
            active=True,
            fs_uniquifier=make_uniquifier(),
            created_at=now,
        )
        try:
            with Session(self._writing) as session, session.begin():
                user.roles = [_role(session, role)]
                session.add(user)
                session.flush()
                made = _account(user)
        except IntegrityError:
            raise Refused(f"email: there is an account {email!r} already", field="email") from None
        return made if password is not None else made.model_copy(update={"password": secret})

    def list(self) -> list[Account]:
        """All accounts, ordered by address."""
        with Session(self._engine) as session:
            return [
                _account(user)
                for user in session.scalars(select(models.User).order_by(models.User.email))
            ]

    def get(self, email: str) -> Account:
        """The account of an address. Raises NotFound."""
        with Session(self._engine) as session:
            return _account(_user(session, email))

    def set_role(self, email: str, role: str) -> Account:
        """Replace an account's role. Raises NotFound, and Refused for the last administrator."""
        checked = check_role(role)

        def change(session: Session, user: models.User) -> None:
            user.roles = [_role(session, checked)]

        return self._change(email, change)

    def reset_password(self, email: str, password: str | None = None) -> Account:
        """Replace an account's password. Returns the account, with a generated password where
        `password` is None. Raises NotFound and Refused.
        """
        secret = make_password() if password is None else check_password(password)
        changed = self._change(
            email, lambda _session, user: setattr(user, "password", hashed(secret))
        )
        return changed if password is not None else changed.model_copy(update={"password": secret})

    def disable(self, email: str) -> Account:
        """Refuse further logins with an account. Raises NotFound, and Refused for the last
        administrator.
        """
        return self._change(email, lambda _session, user: setattr(user, "active", False))

    def enable(self, email: str) -> Account:
        """Permit logins with an account again. Raises NotFound."""
        return self._change(email, lambda _session, user: setattr(user, "active", True))

    def ensure_admin(self, *, now: datetime) -> Account | None:
        """Create the first administrator, with a generated password. None if an account exists."""
        with Session(self._engine) as session:
            if session.scalar(select(func.count()).select_from(models.User)):
                return None
        return self.create(FIRST_ADMIN, None, "admin", now=now)

    def _change(self, email: str, change: Callable[[Session, models.User], None]) -> Account:
        with Session(self._writing) as session, session.begin():
            user = _user(session, email)
            change(session, user)
            user.fs_uniquifier = make_uniquifier()
            session.flush()
            if not _has_admin(session):
                raise Refused(
                    f"{user.email!r} is the last administrator; make another one first",
                    field="email",
                )
            return _account(user)


def _user(session: Session, email: str) -> models.User:
    wanted = check_email(email)
    user = session.scalar(select(models.User).where(models.User.email == wanted))
    if user is None:
        raise NotFound(
            f"there is no account {wanted!r}; `beatdesk users list` shows all", field="email"
        )
    return user


def _role(session: Session, name: Role) -> models.Role:
    role = session.scalar(select(models.Role).where(models.Role.name == name))
    if role is None:
        role = models.Role(name=name, description=ROLE_WORDS[name])
        session.add(role)
    return role


def _has_admin(session: Session) -> bool:
    admins = (
        select(models.User.id)
        .join(models.User.roles)
        .where(models.Role.name == "admin", models.User.active)
    )
    return session.scalar(admins.limit(1)) is not None


def _account(user: models.User) -> Account:
    names = {role.name for role in user.roles}
    role = next((role for role in reversed(ROLES) if role in names), None)
    return Account(email=user.email, role=role, active=user.active, created_at=user.created_at)
