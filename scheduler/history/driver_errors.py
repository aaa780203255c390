"""Errors of SQLite's and PostgreSQL's drivers that mean an outage of the server.

Imports neither driver: DB-API (PEP 249) gives error classes equal names in both, so errors are
judged by name.
"""

_TABLES_MISSING = ("42P01", "42703")
"""PostgreSQL: undefined table, undefined column."""

_BUSY = ("55P03", "57014")
"""PostgreSQL: a lock was not free in time; a statement was cancelled, as by its time-out."""

_BUSY_WORDS = ("database is locked", "table is locked", "interrupted")
"""SQLite's words for the same."""

_TOO_LARGE = "54"
"""PostgreSQL's class for a row beyond the limits: an operational error not cured by waiting."""

_CANNOT_SERVE = frozenset({"OperationalError", "InterfaceError", "InternalError"})
_MAY_LACK_TABLES = frozenset({"OperationalError", "ProgrammingError"})


def outage(error: BaseException) -> str | None:
    """Return why the database cannot serve, in the driver's words; None for an error of our own."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "DatabaseError" not in kinds and "InterfaceError" not in kinds:
        return None
    if kinds & _MAY_LACK_TABLES and lacks_tables(error):
        return "its tables are missing; run `beatdesk db upgrade`"
    if kinds & _CANNOT_SERVE and not _state(error).startswith(_TOO_LARGE):
        return str(error).strip()
    return None


def lacks_tables(error: BaseException) -> bool:
    """Whether a table or a column is missing, according to the error."""
    text = str(error)
    return "no such table" in text or "no such column" in text or _state(error) in _TABLES_MISSING


def is_busy(error: BaseException) -> bool:
    """Whether the statement waited too long for others, or took too long."""
    text = str(error)
    return _state(error) in _BUSY or any(words in text for words in _BUSY_WORDS)


def _state(error: BaseException) -> str:
    """PostgreSQL's code of the error (SQLSTATE), empty where there is none."""
    return str(getattr(error, "sqlstate", None) or "")
