"""A server that does not answer -> what to tell whoever gave the command. Imports no client that
was not in use.
"""

import sys

from scheduler.storage.availability import BROKER, REDIS, server_of

REMEDY = "`beatdesk doctor` checks what is needed and says what to do"


def explain(error: Exception) -> str | None:
    """The message for an outage, none for a fault of ours, whose traceback is wanted."""
    server = server_of(error)
    if server is REDIS:
        return f"Redis cannot do what is needed: {error}; {REMEDY}"
    if server is BROKER:
        return f"the broker does not answer: {error}; {REMEDY}"
    why = _sql_outage(error)
    if why is None:
        return None
    return f"the history's database cannot do what is needed: {why}; {REMEDY}"


def _sql_outage(error: Exception) -> str | None:
    """Why the history's database cannot serve; none where it was not in use, or the error is a
    fault of ours.
    """
    if "sqlalchemy" in sys.modules:
        from scheduler.history.outage import reason

        if (why := reason(error)) is not None:
            return why
    if "scheduler.history.queries.newest_runs" in sys.modules:
        from scheduler.history.driver_errors import outage

        return outage(error)
    return None
