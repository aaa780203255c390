"""What the policies of a schedule put into the message of a run: for Celery as options, for our
workers as facts.

Pure. Used for ticks and for runs that are started by hand, so that a run is limited the same way
whoever started it.
"""

from typing import Any

from scheduler.rules.model.spec import Policies

HARD_AFTER_SECONDS = 10.0
"""What a job gets to clean up between the soft limit, which raises in it, and the hard one, which
ends its process.
"""


def options_of(policies: Policies) -> dict[str, Any]:
    """Celery's options."""
    if policies.run_timeout is None:
        return {}
    return {
        "soft_time_limit": policies.run_timeout,
        "time_limit": policies.run_timeout + HARD_AFTER_SECONDS,
    }


def facts_of(policies: Policies) -> dict[str, Any]:
    """What the worker has to know beyond that."""
    return (
        {"retries": policies.retries, "backoff": policies.retry_backoff} if policies.retries else {}
    )
