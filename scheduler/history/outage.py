"""Errors of SQLAlchemy that mean an outage of the server.

`storage.availability` has the errors of Redis and the broker.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from scheduler.errors import Unavailable
from scheduler.history import driver_errors


class GaveUp(TimeoutError):
    """A statement that was not begun, because an earlier one of the request had no answer."""

    def __init__(self, reason: str, *, is_busy: bool) -> None:
        super().__init__(reason)
        self.is_busy = is_busy


@contextmanager
def answering(consequence: str = "SQL does not answer") -> Iterator[None]:
    """Turn errors of a database in an outage into Unavailable: `consequence`, then the reason."""
    try:
        yield
    except Exception as error:
        why = reason(error)
        if why is None:
            raise
        raise Unavailable(f"{consequence}: {why}") from error


def reason(error: BaseException) -> str | None:
    """Return why the database cannot serve, in the driver's words; None without an outage."""
    if isinstance(error, GaveUp):
        return str(error)
    if isinstance(error, TimeoutError):
        return "all connections are in use"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return None
    return driver_errors.outage(error.orig)


def lacks_tables(error: BaseException) -> bool:
    """Whether the database lacks a table or a column, according to the error."""
    return (
        isinstance(error, DBAPIError)
        and error.orig is not None
        and driver_errors.lacks_tables(error.orig)
    )


def is_busy(error: BaseException | None) -> bool:
    """Whether the database works, and somebody else holds what is needed: a lock, a connection."""
    if isinstance(error, GaveUp):
        return error.is_busy
    if isinstance(error, TimeoutError):
        return True
    return isinstance(error, DBAPIError) and (
        error.orig is not None and driver_errors.is_busy(error.orig)
    )
