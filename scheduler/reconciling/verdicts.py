"""The verdict on a run without a trace. Pure."""

from datetime import UTC, datetime

from scheduler.events.schema import RunEvent, RunLost, RunRevoked, run_event
from scheduler.history.queries.open_runs import OpenRun
from scheduler.rules.model.run_states import RunState

MESSAGE_GONE = "message_gone"
NO_TRACE = "no_trace"


def verdict_on(run: OpenRun, canceller: str | None, *, has_queue: bool, now: datetime) -> RunEvent:
    """Return the event that ends a run without a trace.

    A run that somebody has cancelled is revoked; any other run is lost, with the reason.
    `has_queue` is whether the run's queue exists, as far as the broker can say.
    """
    if canceller is not None:
        return run_event(RunRevoked, run.id, run.attempt, now, actor=canceller)
    reason, detail = _reason(run, has_queue=has_queue)
    return run_event(
        RunLost,
        run.id,
        run.attempt,
        now,
        worker=run.worker,
        schedule=run.schedule,
        schedule_uid=run.schedule_uid,
        reason=reason,
        detail=detail,
    )


def _reason(run: OpenRun, *, has_queue: bool) -> tuple[str, str]:
    """The reason as a word and as a sentence."""
    if run.state == RunState.RUNNING:
        since = run.changed_at.astimezone(UTC)
        return NO_TRACE, (
            f"nothing is known of it since {since:%Y-%m-%d %H:%M:%S} UTC: no worker has it, and "
            "its message is gone"
        )
    if not has_queue:
        return MESSAGE_GONE, f"its message is gone: the broker has no queue {run.queue!r}"
    place = "its queue" if run.queue is None else f"the queue {run.queue!r}"
    return MESSAGE_GONE, (
        f"its message is gone from {place}: purged, or taken by a worker that is not Beatdesk's"
    )
