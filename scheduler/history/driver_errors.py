"""Which errors of SQLite's and PostgreSQL's drivers mean that the server cannot serve. Imports
neither driver.

The names of DB-API's error classes (PEP 249) are the same in both drivers, so that they are judged
by name.
"""

_TABLES_MISSING = ("42P01", "42703")
"""PostgreSQL: undefined table, undefined column."""

_TOO_LARGE = "54"
"""PostgreSQL's class for a row that is beyond its limits: an operational error that waiting does
not mend.
"""

_CANNOT_SERVE = frozenset({"OperationalError", "InterfaceError", "InternalError"})
_MAY_LACK_TABLES = frozenset({"OperationalError", "ProgrammingError"})


def outage(error: BaseException) -> str | None:
    """Why the database cannot do what is needed, in the driver's words; none where the error is
    a fault of ours.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "DatabaseError" not in kinds and "InterfaceError" not in kinds:
        return None
    if kinds & _MAY_LACK_TABLES and _lacks_tables(error):
        return "its tables are missing; run `beatdesk db upgrade`"
    if kinds & _CANNOT_SERVE and not _state(error).startswith(_TOO_LARGE):
        return str(error).strip()
    return None


def _lacks_tables(error: BaseException) -> bool:
    text = str(error)
    return "no such table" in text or "no such column" in text or _state(error) in _TABLES_MISSING


def _state(error: BaseException) -> str:
    """PostgreSQL's code of the error (SQLSTATE), empty where there is none."""
    return str(getattr(error, "sqlstate", None) or "")
