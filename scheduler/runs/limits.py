"""Limits of a run by its schedule's policies, as options for Celery and as fields of the header.

Pure. Used for ticks and for runs started by hand, so that both have the same limits.
"""

from typing import Any

from scheduler.rules.model.spec import Policies

HARD_AFTER_SECONDS = 10.0
"""Seconds for a job's clean-up between its soft time limit, which raises in the job, and the hard
one, which ends its process.
"""


def options_of(policies: Policies) -> dict[str, Any]:
    """Celery's options for the time limits; empty without a time limit."""
    if policies.run_timeout is None:
        return {}
    return {
        "soft_time_limit": policies.run_timeout,
        "time_limit": policies.run_timeout + HARD_AFTER_SECONDS,
    }


def facts_of(policies: Policies) -> dict[str, Any]:
    """Fields of the header `beatdesk` for further attempts; `backoff` in seconds.

    `on_lost` only where it is not the default.
    """
    lost = {} if policies.on_lost == "again" else {"on_lost": policies.on_lost}
    if not policies.retries:
        return lost
    return {"retries": policies.retries, "backoff": policies.retry_backoff, **lost}
