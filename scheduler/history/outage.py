"""Which errors of SQL mean that the server cannot serve, as against a fault of ours."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError


def reason(error: BaseException) -> str | None:
    """Why the database cannot do what is needed, in its own words; none where the error is no outage."""
    if isinstance(error, ProgrammingError | OperationalError) and _lacks_tables(error):
        return "its tables are missing; run `beatdesk db upgrade`"
    if isinstance(error, OperationalError | InterfaceError):
        return str(error.orig).strip()
    return None


def _lacks_tables(error: DBAPIError) -> bool:
    text = str(error.orig)
    return "no such table" in text or "no such column" in text or "UndefinedTable" in type(error.orig).__name__
