"""Which errors of SQL mean that the server cannot serve, as against a fault of ours."""

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)

_TABLES_MISSING = ("42P01", "42703")
"""PostgreSQL: undefined table, undefined column."""

_TOO_LARGE = "54"
"""PostgreSQL's class for a row that is beyond its limits: an operational error that waiting does
not mend.
"""


def reason(error: BaseException) -> str | None:
    """Why the database cannot do what is needed, in its own words; none where the error is no
    outage.
    """
    if isinstance(error, TimeoutError):
        return "all connections are in use"
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error, ProgrammingError | OperationalError) and _lacks_tables(error):
        return "its tables are missing; run `beatdesk db upgrade`"
    if isinstance(error, OperationalError | InterfaceError | InternalError) and not _state(
        error
    ).startswith(_TOO_LARGE):
        return str(error.orig).strip()
    return None


def _lacks_tables(error: DBAPIError) -> bool:
    text = str(error.orig)
    return "no such table" in text or "no such column" in text or _state(error) in _TABLES_MISSING


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
