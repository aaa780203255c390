"""What one request does with the database: it gives up once, and can be ended from outside.

    request ─▶ statement ─▶ time-out ─▶ every further statement of the request fails at once
    watchdog ─▶ end() ─▶ the statement that runs fails, in SQLite and in PostgreSQL

The engines for pages are watched (`connecting.FOR_PAGES`). Code without a use, such as a thread
of its own, is left alone.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from sqlalchemy import Engine, event

from scheduler.history import outage


class DatabaseUse:
    """The connections that a request holds, and why it got no answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: list[Any] = []
        self.failure: outage.GaveUp | None = None
        """Why an earlier statement had no answer; None where all had one."""

        self._is_optional = False

    def refuse_after_failure(self) -> None:
        """Raise GaveUp where an earlier statement of this request had no answer."""
        if self.failure is not None:
            raise outage.GaveUp(str(self.failure), is_busy=self.failure.is_busy)

    def note_error(self, error: BaseException | None) -> None:
        """Note an error of a statement; one that is no outage changes nothing."""
        reason = None if error is None else outage.reason(error)
        if reason is not None and not self._is_optional and self.failure is None:
            self.failure = outage.GaveUp(reason, is_busy=outage.is_busy(error))

    def take(self, connection: Any) -> None:
        """Note a connection of the driver that this request waits for."""
        with self._lock:
            self._connections.append(connection)

    def give_back(self, connection: Any) -> None:
        """Forget a connection; `end` does not touch it any more."""
        with self._lock:
            self._connections = [held for held in self._connections if held is not connection]

    def end(self, reason: str) -> None:
        """End the statements that run, from another thread; no further one begins."""
        with self._lock:
            if self.failure is None:
                self.failure = outage.GaveUp(reason, is_busy=True)
            for connection in self._connections:
                _end_statement(connection)

    @contextmanager
    def optional(self) -> Iterator[None]:
        """Let the statements inside fail without consequences for the later ones."""
        self._is_optional = True
        try:
            yield
        finally:
            self._is_optional = False


_use: ContextVar[DatabaseUse | None] = ContextVar("database_use", default=None)


def current() -> DatabaseUse | None:
    """The use of the code that runs; None where there is none."""
    return _use.get()


def set_current(use: DatabaseUse | None) -> None:
    """Let the code that runs in this thread have a use from here on; None ends it."""
    _use.set(use)


@contextmanager
def optional() -> Iterator[None]:
    """Let the statements inside fail without consequences for the later ones of the request."""
    use = current()
    if use is None:
        yield
        return
    with use.optional():
        yield


def watch(engine: Engine) -> None:
    """Let the requests that use an engine give up once, and be ended."""
    event.listen(engine, "before_cursor_execute", _refuse_after_failure)
    event.listen(engine, "handle_error", _note_error)
    event.listen(engine, "checkout", _take)
    event.listen(engine, "checkin", _give_back)
    ping = engine.dialect.do_ping
    # The pool pings before the event `checkout`, and a frozen server never answers.
    engine.dialect.do_ping = _held(ping)  # type: ignore[assignment, method-assign]


def _held(ping: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def ping_held(connection: Any) -> bool:
        use = current()
        if use is None:
            return ping(connection)
        use.take(connection)
        try:
            return ping(connection)
        finally:
            use.give_back(connection)

    return ping_held


def _refuse_after_failure(*_: Any) -> None:
    use = current()
    if use is not None:
        use.refuse_after_failure()


def _note_error(context: Any) -> None:
    use = current()
    if use is not None:
        use.note_error(context.sqlalchemy_exception)


def _take(connection: Any, _record: Any, _proxy: Any) -> None:
    use = current()
    if use is not None:
        use.take(connection)


def _give_back(connection: Any, _record: Any) -> None:
    use = current()
    if use is not None:
        use.give_back(connection)


def _end_statement(connection: Any) -> None:
    """End the statement of a connection of sqlite3, or the connection of psycopg.

    PostgreSQL would have to answer a request to cancel; a closed socket needs no answer.
    """
    if hasattr(connection, "interrupt"):
        connection.interrupt()
        return
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as double:
        double.shutdown(socket.SHUT_RDWR)
