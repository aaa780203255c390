"""Accounts in SQL. `accounts.policy` has the rules of addresses, passwords and roles.

A change of password or role, and disabling, end the account's sessions. A new password also ends
the links that set one: whoever still has such a link would take the account over.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.accounts.policy import (
    FIRST_ADMIN,
    LONGEST,
    ROLE_WORDS,
    ROLES,
    Account,
    Role,
    check_email,
    check_password,
    check_role,
    hashed,
    is_password,
    make_password,
    make_uniquifier,
)
from scheduler.accounts.rights import MOST_TAGS, Rights, check_tag, check_tag_role
from scheduler.errors import NotFound, Refused
from scheduler.history import account_models as models
from scheduler.history.engine import writing
from scheduler.rules.time.zones import zone


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
        secret = make_password() if password is None else check_password(password, email)
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
            return _account(find_user(session, email))

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
        secret = make_password() if password is None else check_password(password, email)
        changed = self._set_password(email, hashed(secret))
        return changed if password is not None else changed.model_copy(update={"password": secret})

    def disable(self, email: str) -> Account:
        """Refuse further logins with an account. Raises NotFound, and Refused for the last
        administrator.
        """
        return self._change(email, lambda _session, user: setattr(user, "active", False))

    def enable(self, email: str) -> Account:
        """Permit logins with an account again. Raises NotFound."""
        return self._change(email, lambda _session, user: setattr(user, "active", True))

    def sign_out(self, email: str) -> Account:
        """End all sessions of an account. Raises NotFound."""
        return self._change(email, lambda _session, _user: None)

    def grant(self, email: str, role: str, tag: str) -> Account:
        """Give an account a role for the schedules with a tag. Its sessions end.

        Raises NotFound, and Refused for a bad role or tag, or for more than `MOST_TAGS` tags.
        """
        checked = check_tag_role(role)
        checked_tag = check_tag(tag)

        def change(_session: Session, user: models.User) -> None:
            others = [right for right in user.tag_rights if right.tag != checked_tag]
            if len(others) >= MOST_TAGS:
                raise Refused(
                    f"tag: {user.email!r} has {MOST_TAGS} tags already; a role for everything "
                    "suits better",
                    field="tag",
                )
            for right in user.tag_rights:
                if right.tag == checked_tag:
                    right.role = checked
                    return
            user.tag_rights.append(models.TagRight(tag=checked_tag, role=checked))

        return self._change(email, change)

    def withdraw(self, email: str, tag: str) -> Account:
        """Take an account's role for a tag away. Its sessions end. Raises NotFound."""
        checked_tag = check_tag(tag)

        def change(_session: Session, user: models.User) -> None:
            right = next((one for one in user.tag_rights if one.tag == checked_tag), None)
            if right is None:
                raise NotFound(f"{user.email!r} has no role for the tag {checked_tag!r}")
            user.tag_rights.remove(right)

        return self._change(email, change)

    def change_password(self, email: str, current: str, new: str) -> Account:
        """Replace a password by its owner, who names the current one. All sessions end.

        Raises NotFound, and Refused for a wrong current password or a weak new one.
        """
        secret = hashed(check_password(new, email))
        if not self.has_password(email, current):
            raise Refused("current: this is not the current password", field="current")
        return self._set_password(email, secret)

    def has_password(self, email: str, password: str) -> bool:
        """Whether the password is the account's. Raises NotFound."""
        with Session(self._engine) as session:
            stored = find_user(session, email).password
        return is_password(password[:LONGEST], stored)

    def set_timezone(self, email: str, timezone: str | None) -> None:
        """Set the zone of an account's times; None stands for the browser's zone.

        Raises NotFound, and Refused for an unknown zone.
        """
        checked = None if timezone is None else zone(timezone).key
        with Session(self._writing) as session, session.begin():
            find_user(session, email).timezone = checked

    def note_login(self, user_id: int, now: datetime) -> None:
        """Note the time of a login."""
        with Session(self._writing) as session, session.begin():
            session.execute(
                update(models.User).where(models.User.id == user_id).values(login_at=now)
            )

    def ensure_admin(self, *, now: datetime) -> Account | None:
        """Create the first administrator, with a generated password. None if an account exists."""
        with Session(self._engine) as session:
            if session.scalar(select(func.count()).select_from(models.User)):
                return None
        return self.create(FIRST_ADMIN, None, "admin", now=now)

    def _set_password(self, email: str, secret: str) -> Account:
        return self._change(email, lambda session, user: set_password(session, user, secret))

    def _change(self, email: str, change: Callable[[Session, models.User], None]) -> Account:
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            _lock_admins(session)
            had_admin = _has_admin(session)
            change(session, user)
            end_sessions(session, user)
            session.flush()
            if had_admin and not _has_admin(session):
                raise Refused(
                    f"{user.email!r} is the last administrator; make another one first, in the "
                    "console or by `beatdesk users set-role EMAIL admin`",
                    field="email",
                )
            return _account(user)


def find_user(session: Session, email: str) -> models.User:
    """The row of an address. Raises NotFound, and Refused for what is no address."""
    wanted = check_email(email)
    user = session.scalar(select(models.User).where(models.User.email == wanted))
    if user is None:
        raise NotFound(
            f"there is no account {wanted!r}; `beatdesk users list` shows all", field="email"
        )
    return user


def set_password(session: Session, user: models.User, secret: str) -> None:
    """Set the hash of a password, and end the password links of the account."""
    user.password = secret
    session.execute(delete(models.PasswordLink).where(models.PasswordLink.user_id == user.id))


def end_sessions(session: Session, user: models.User) -> None:
    """End all sessions of the account, copied cookies included, by a new uniquifier."""
    user.fs_uniquifier = make_uniquifier()
    session.execute(delete(models.LoginSession).where(models.LoginSession.user_id == user.id))


def _role(session: Session, name: Role) -> models.Role:
    role = session.scalar(select(models.Role).where(models.Role.name == name))
    if role is None:
        role = models.Role(name=name, description=ROLE_WORDS[name])
        session.add(role)
    return role


def _lock_admins(session: Session) -> None:
    """Wait for other changes of accounts: two administrators could disable each other at once."""
    session.execute(select(models.Role.id).where(models.Role.name == "admin").with_for_update())


def _has_admin(session: Session) -> bool:
    admins = (
        select(models.User.id)
        .join(models.User.roles)
        .where(models.Role.name == "admin", models.User.active)
    )
    return session.scalar(admins.limit(1)) is not None


def rights_of(user: Any) -> Rights:
    """The rights of a user's row: a `models.User`, or another class that maps the same tables."""
    names = {role.name for role in user.roles}
    role = next((role for role in reversed(ROLES) if role in names), None)
    return Rights(role, {right.tag: check_tag_role(right.role) for right in user.tag_rights})


def _account(user: models.User) -> Account:
    rights = rights_of(user)
    return Account(
        email=user.email,
        role=rights.role,
        active=user.active,
        created_at=user.created_at,
        tags=dict(rights.tags),
        login_at=user.login_at,
    )
