"""Messages for operators about a server that does not answer. Imports no unused client."""

import sys

from scheduler.storage.availability import BROKER, REDIS, server_of
from scheduler.storage.connection_faults import OTHER, fault_of

REMEDY = "`beatdesk doctor` checks what is needed and says what to do"


def explain(error: Exception) -> str | None:
    """Return the message for an outage; None for a bug in Beatdesk, shown with a traceback."""
    server = server_of(error)
    if server is REDIS:
        return f"Redis cannot do what is needed: {error}; {_remedy(error, REDIS.setting)}"
    if server is BROKER:
        return f"the broker does not answer: {error}; {_remedy(error, BROKER.setting)}"
    why = _sql_outage(error)
    if why is None:
        return None
    return f"the history's database cannot do what is needed: {why}; {REMEDY}"


def _remedy(error: Exception, setting: str) -> str:
    """Return the remedy for the kind of error, and always the way to `doctor`."""
    fault = fault_of(error)
    return REMEDY if fault is OTHER else f"{fault.remedy_for(setting)}; {REMEDY}"


def _sql_outage(error: Exception) -> str | None:
    """Return the reason why the history's database cannot serve; None for a database not in use,
    and for a bug in Beatdesk.
    """
    if "sqlalchemy" in sys.modules:
        from scheduler.history.outage import reason

        if (why := reason(error)) is not None:
            return why
    if "scheduler.history.queries.newest_runs" in sys.modules:
        from scheduler.history.driver_errors import outage

        return outage(error)
    return None
