"""Record access: a log line for fail2ban and the like, and an event for the history.

The line has one format, documented in docs/reference/access-log.md, and texts in it are
percent-encoded, so that no name can forge a field or a line:

    login_failed from=203.0.113.7 actor=- subject=ann%40example.org detail=wrong_password

While Redis does not answer, the event is recorded in SQL at once, where the accounts are too.
"""

import logging
from datetime import datetime
from urllib.parse import quote

from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from scheduler.errors import Unavailable
from scheduler.events.access import AccessEvent, LoginFailed, access_event
from scheduler.events.stream import EventStream
from scheduler.history.recording.stamps import kind_of
from scheduler.history.recording.writer import write_events

LOGGER = "beatdesk.access"
"""The logger of the lines; filters of log readers match it."""

log = logging.getLogger(LOGGER)

REFUSED = "login_refused"
"""The line of a login that has to wait. It is no event: no password was tried."""


class AccessLog:
    """The access log of one process."""

    def __init__(self, stream: EventStream, engine: Engine) -> None:
        self._stream = stream
        self._engine = engine

    def record(
        self,
        kind: type[AccessEvent],
        *,
        actor: str,
        at: datetime,
        subject: str = "",
        address: str = "",
        detail: str = "",
    ) -> None:
        """Record an access event.

        Raises nothing while Redis or SQL does not answer: the log line is written in any case.
        """
        event = access_event(
            kind, actor=actor, at=at, subject=subject, address=address, detail=detail
        )
        level = logging.WARNING if kind is LoginFailed else logging.INFO
        log.log(level, "%s", log_line(kind_of(kind), event))
        try:
            self._stream.append(event)
        except RedisError:
            self._record_in_sql(event)

    def refuse(self, *, at: datetime, subject: str, address: str, reason: str) -> None:
        """Write the line of a login that has to wait."""
        event = access_event(
            LoginFailed, actor="", at=at, subject=subject, address=address, detail=reason
        )
        log.warning("%s", log_line(REFUSED, event))

    def _record_in_sql(self, event: AccessEvent) -> None:
        try:
            write_events(self._engine, [event], now=event.at)
        except (SQLAlchemyError, Unavailable) as error:
            log.error("an access event is in this log only: %s", error)


def log_line(word: str, event: AccessEvent) -> str:
    """Return the line of an event. Pure."""
    fields = (
        ("from", event.address),
        ("actor", event.actor),
        ("subject", event.subject),
        ("detail", event.detail),
    )
    shown = " ".join(f"{name}={quote(value, safe='@+,:.') or '-'}" for name, value in fields)
    return f"{word} {shown}"
