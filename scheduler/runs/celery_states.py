"""Celery's names for Beatdesk's states of a run. Pure.

Celery has no state for a tick without a message: skipped and missed ticks are REVOKED, because
nothing can be waited for. Celery has no state for a run whose worker is gone either: `lost` is
STARTED, because the message comes back and another worker runs the job. An id without any event is
PENDING, as in Celery: the message may be on the way.
"""

from scheduler.rules.model.run_states import RunState

UNKNOWN = "PENDING"

CELERY_STATES: dict[str, str] = {
    RunState.QUEUED: "PENDING",
    RunState.RUNNING: "STARTED",
    RunState.LOST: "STARTED",
    RunState.RETRYING: "RETRY",
    RunState.SUCCEEDED: "SUCCESS",
    RunState.FAILED: "FAILURE",
    RunState.EXPIRED: "REVOKED",
    RunState.REVOKED: "REVOKED",
    RunState.SKIPPED: "REVOKED",
    RunState.MISSED: "REVOKED",
}


def celery_state(state: str | None) -> str:
    """Celery's name of a run's state; PENDING for None, a run without any event."""
    return UNKNOWN if state is None else CELERY_STATES[state]
