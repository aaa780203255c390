"""Our states of a run as Celery names them. Pure.

Celery has no name for what never was a message: a tick that was skipped or missed is REVOKED,
because nobody need wait for it. It has none for a run whose worker is gone either; there the state
stays STARTED until somebody else has run it, which is what we say of `lost`, whose message comes
back. An id that nobody has heard of is PENDING, as in Celery: it may belong to a message that is
only on its way.
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
    """Celery's name of a run's state; of no state at all (nothing is known of the run), PENDING."""
    return UNKNOWN if state is None else CELERY_STATES[state]
