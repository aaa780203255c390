"""Limits of a run by its schedule's policies, as options for Celery and as fields of the header.

Pure. Used for ticks and for runs started by hand, so that both have equal limits.
"""

from typing import Any

from scheduler.rules.model.spec import Policies

HARD_AFTER_SECONDS = 10.0
"""Seconds between the two time limits, for a job's clean-up.

The soft limit raises in the job, the hard limit ends the job's process.
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
    """Return the header `beatdesk`'s fields for further attempts; `backoff` in seconds.

    `on_lost` is left out at the default.
    """
    lost = {} if policies.on_lost == "again" else {"on_lost": policies.on_lost}
    if not policies.retries:
        return lost
    return {"retries": policies.retries, "backoff": policies.retry_backoff, **lost}
