"""A server that does not answer -> what to tell whoever gave the command. Imports no client that
was not in use.
"""

import sys

REMEDY = "`beatdesk doctor` checks what is needed and says what to do"


def explain(error: Exception) -> str | None:
    """The message for an outage, none for a fault of ours, whose traceback is wanted."""
    if "redis.exceptions" in sys.modules:
        from redis.exceptions import RedisError

        if isinstance(error, RedisError):
            return f"Redis cannot do what is needed: {error}; {REMEDY}"
    if "kombu.exceptions" in sys.modules:
        from kombu.exceptions import OperationalError

        if isinstance(error, OperationalError):
            return f"the broker does not answer: {error}; {REMEDY}"
    if "sqlalchemy" in sys.modules:
        from scheduler.history.outage import reason

        if (why := reason(error)) is not None:
            return f"the history's database cannot do what is needed: {why}; {REMEDY}"
    return None
