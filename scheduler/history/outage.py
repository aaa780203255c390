"""Which errors of SQLAlchemy mean that the server cannot serve. `storage.availability` answers the
same for Redis and the broker.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from scheduler.errors import Unavailable
from scheduler.history import driver_errors


@contextmanager
def answering(consequence: str = "SQL does not answer") -> Iterator[None]:
    """Turn the errors of a database that cannot serve into Unavailable: `consequence`, then the
    reason.
    """
    try:
        yield
    except Exception as error:
        why = reason(error)
        if why is None:
            raise
        raise Unavailable(f"{consequence}: {why}") from error


def reason(error: BaseException) -> str | None:
    """Why the database cannot serve, in the driver's words; None where the error is not an
    outage.
    """
    if isinstance(error, TimeoutError):
        return "all connections are in use"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return None
    return driver_errors.outage(error.orig)


def lacks_tables(error: BaseException) -> bool:
    """Whether the error says that the database lacks a table or a column."""
    return (
        isinstance(error, DBAPIError)
        and error.orig is not None
        and driver_errors.lacks_tables(error.orig)
    )
