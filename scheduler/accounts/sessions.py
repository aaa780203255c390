"""Logins that have not ended. The browser's cookie holds a random text, the table its digest.

A session ends by logout, by hand, or when unused for `LIFETIME`. Whatever changes an account's
`fs_uniquifier` ends all its sessions too, since the cookie names the uniquifier as well.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scheduler.accounts.secret_texts import digest_of, make_text
from scheduler.errors import NotFound
from scheduler.history import database_use, outage
from scheduler.history.account_models import LoginSession
from scheduler.history.engine import writing

log = logging.getLogger(__name__)

LIFETIME = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=5)
"""The last use is written at most so often: a page view is not a write."""

NOTED_AGAIN = timedelta(minutes=1)
"""The pause after a note that the database did not take in time."""

LONGEST_BROWSER = 255
LONGEST_ADDRESS = 64
MOST_SESSIONS = 100
"""Most sessions of an account; a further login ends the one that was unused for longest."""


class OpenSession(BaseModel):
    """A login that has not ended. `id` is the digest of the text in the cookie."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    created_at: datetime
    used_at: datetime
    method: str
    address: str
    browser: str


class Sessions:
    """The sessions of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._note_again_at = datetime.min.replace(tzinfo=UTC)

    def open(self, user_id: int, *, method: str, address: str, browser: str, now: datetime) -> str:
        """Open a session. Returns the text for the cookie.

        Ended sessions of the account are removed from the table.
        """
        text = make_text()
        row = LoginSession(
            id=digest_of(text),
            user_id=user_id,
            created_at=now,
            used_at=now,
            method=method,
            address=address[:LONGEST_ADDRESS],
            browser=_plain(browser)[:LONGEST_BROWSER],
        )
        with Session(self._writing) as session, session.begin():
            session.execute(
                delete(LoginSession).where(
                    LoginSession.user_id == user_id, LoginSession.used_at < now - LIFETIME
                )
            )
            surplus = session.scalars(
                select(LoginSession)
                .where(LoginSession.user_id == user_id)
                .order_by(LoginSession.used_at.desc())
                .offset(MOST_SESSIONS - 1)
            )
            for old in surplus:
                session.delete(old)
            session.add(row)
        return text

    def is_open(self, text: str, user_id: int, now: datetime) -> bool:
        """Whether the session of the text is open, and the account's. Notes its use."""
        with Session(self._engine) as session:
            used_at = session.scalar(
                select(LoginSession.used_at).where(
                    LoginSession.id == digest_of(text), LoginSession.user_id == user_id
                )
            )
        if used_at is None or used_at < now - LIFETIME:
            return False
        if used_at < now - NOTED_EVERY and now >= self._note_again_at:
            self._note_use(text, now)
        return True

    def _note_use(self, text: str, now: datetime) -> None:
        """Note the use of a session. A page is shown also where the database takes no writes."""
        try:
            with database_use.optional():
                self._execute(
                    update(LoginSession)
                    .where(LoginSession.id == digest_of(text))
                    .values(used_at=now)
                )
        except SQLAlchemyError as error:
            if outage.reason(error) is None:
                raise
            log.warning("the use of a session was not noted: %s", error)
            self._note_again_at = now + NOTED_AGAIN

    def list(self, user_id: int, now: datetime) -> list[OpenSession]:
        """The open sessions of an account, last used first."""
        with Session(self._engine) as session:
            rows = session.scalars(
                select(LoginSession)
                .where(LoginSession.user_id == user_id, LoginSession.used_at >= now - LIFETIME)
                .order_by(LoginSession.used_at.desc())
            )
            return [OpenSession.model_validate(row) for row in rows]

    def end(self, session_id: str, user_id: int) -> None:
        """End one session of an account. Raises NotFound."""
        gone = self._execute(
            delete(LoginSession).where(
                LoginSession.id == session_id, LoginSession.user_id == user_id
            )
        )
        if not gone:
            raise NotFound("this session has ended already; the list shows the open ones")

    def _execute(self, statement: Any) -> int:
        with Session(self._writing) as session, session.begin():
            return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """The printable signs of a browser's name, which the browser chooses."""
    return "".join(sign for sign in text if sign.isprintable())
