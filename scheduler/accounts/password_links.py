"""Links by which a person sets the own password once: invitations and resets.

The link holds a random text, the table its digest. Making a link takes the account's password away
and ends its sessions; a link ends by a new password, however it was set, and by the next link.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from scheduler.accounts.policy import check_password, hashed, make_password
from scheduler.accounts.secret_texts import digest_of, make_text
from scheduler.accounts.store import Accounts, end_sessions, find_user, set_password
from scheduler.errors import NotFound, Refused
from scheduler.history.account_models import PasswordLink, User
from scheduler.history.engine import writing

Purpose = Literal["invitation", "reset"]

VALID_FOR: dict[str, timedelta] = {"invitation": timedelta(days=3), "reset": timedelta(hours=24)}


class Link(BaseModel):
    """A link. `text` is the random part of its address, set only where the link was just made."""

    model_config = ConfigDict(frozen=True)

    email: str
    purpose: str
    expires_at: datetime
    text: str | None = None


class PasswordLinks:
    """The links of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._accounts = Accounts(engine)

    def invite(self, email: str, role: str, *, by: str, now: datetime) -> Link:
        """Add an account without a usable password, and make the link for its owner.

        Raises Refused with the field: an invalid address or role, or an address in use.
        """
        account = self._accounts.create(email, make_password(), role, now=now)
        return self._make(account.email, "invitation", by=by, now=now)

    def reset(self, email: str, *, by: str, now: datetime) -> Link:
        """Take an account's password away, end its sessions, and make the link for a new one.

        An invitation that was not used becomes a new invitation. Raises NotFound, and Refused for a
        disabled account.
        """
        account = self._accounts.get(email)
        if not account.active:
            raise Refused(
                f"{account.email!r} is disabled; enable it before a new password", field="email"
            )
        waiting = self.waiting().get(account.email)
        purpose: Purpose = "reset" if waiting is None else "invitation"
        self._accounts.reset_password(account.email, make_password())
        return self._make(account.email, purpose, by=by, now=now)

    def find(self, text: str, now: datetime) -> Link:
        """Return the link of the text. Raises NotFound for one that was used or has expired."""
        with Session(self._engine) as session:
            link, email = _find(session, text, now)
            return Link(email=email, purpose=link.purpose, expires_at=link.expires_at)

    def use(self, text: str, password: str, *, now: datetime) -> Link:
        """Set the password of the link's account, and use the link up. Its sessions end.

        Raises NotFound, and Refused for a weak password; the link stays usable then.
        """
        secret = hashed(check_password(password, self.find(text, now).email))
        with Session(self._writing) as session, session.begin():
            link, email = _find(session, text, now, lock=True)
            used = Link(email=email, purpose=link.purpose, expires_at=link.expires_at)
            user = find_user(session, email)
            set_password(session, user, secret)
            end_sessions(session, user)
            return used

    def waiting(self) -> dict[str, Link]:
        """The invitations that wait to be used, by address; also the expired ones."""
        query = (
            select(PasswordLink, User.email)
            .join(User, User.id == PasswordLink.user_id)
            .where(PasswordLink.purpose == "invitation")
        )
        with Session(self._engine) as session:
            return {
                email: Link(email=email, purpose=link.purpose, expires_at=link.expires_at)
                for link, email in session.execute(query)
            }

    def _make(self, email: str, purpose: Purpose, *, by: str, now: datetime) -> Link:
        """Store the link of an account that has no other: its password has just been made."""
        text = make_text()
        expires_at = now + VALID_FOR[purpose]
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            session.add(
                PasswordLink(
                    digest=digest_of(text),
                    user_id=user.id,
                    purpose=purpose,
                    created_at=now,
                    created_by=by,
                    expires_at=expires_at,
                )
            )
        return Link(email=email, purpose=purpose, expires_at=expires_at, text=text)


def _find(
    session: Session, text: str, now: datetime, *, lock: bool = False
) -> tuple[PasswordLink, str]:
    """The row of a link and the account's address. With `lock`, another use of it waits."""
    query = (
        select(PasswordLink, User.email)
        .join(User, User.id == PasswordLink.user_id)
        .where(PasswordLink.digest == digest_of(text), PasswordLink.expires_at > now, User.active)
    )
    found = session.execute(query.with_for_update(of=PasswordLink) if lock else query).one_or_none()
    if found is None:
        raise NotFound(
            "this link was used already or has expired; ask an administrator for a new one"
        )
    return found[0], found[1]
