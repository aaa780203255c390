"""The verdict on a run without a trace, and the time of the next look."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.events.schema import Event, RunQueued, RunRetried, RunStarted, run_event
from scheduler.history.queries.open_runs import OpenRun
from scheduler.history.recording.stamps import stamp
from scheduler.reconciling.audit import Found
from scheduler.reconciling.loop import EVERY, LONGEST, pause_after
from scheduler.reconciling.verdicts import verdict_on
from tests.support.builders import NOON, a_schedule, facts_of

FACTS = facts_of(a_schedule())


def open_run(state: str, event: Event, queue: str | None = "later") -> OpenRun:
    return OpenRun("r", state, "j", queue, "s", "u", None, f"0{stamp(event, event.seq)}")


def queued(attempt: int = 1) -> Event:
    return run_event(RunQueued, "r", attempt, NOON, facts=FACTS)


@pytest.mark.parametrize(
    ("run", "has_queue", "attempt", "reason", "detail"),
    [
        (
            open_run("queued", queued()),
            True,
            1,
            "message_gone",
            "its message is gone from the queue 'later': purged, or taken by a worker that is not "
            "Beatdesk's",
        ),
        (
            open_run("queued", queued(), None),
            True,
            1,
            "message_gone",
            "its message is gone from its queue: purged, or taken by a worker that is not "
            "Beatdesk's",
        ),
        (
            open_run("queued", queued()),
            False,
            1,
            "message_gone",
            "its message is gone: the broker has no queue 'later'",
        ),
        (
            open_run("retrying", run_event(RunRetried, "r", 2, NOON, error="e")),
            True,
            3,
            "message_gone",
            "its message is gone from the queue 'later': purged, or taken by a worker that is not "
            "Beatdesk's",
        ),
        (
            open_run("running", run_event(RunStarted, "r", 2, NOON)),
            True,
            2,
            "no_trace",
            "nothing is known of it since 2026-11-21 12:00:00 UTC: no worker has it, and its "
            "message is gone",
        ),
    ],
)
def test_a_run_without_a_trace_is_lost_with_its_reason(
    run: OpenRun, has_queue: bool, attempt: int, reason: str, detail: str
) -> None:
    event = verdict_on(run, None, has_queue=has_queue, now=NOON)
    assert event.kind == "run.lost"
    assert (event.attempt, event.reason, event.detail) == (attempt, reason, detail)


def test_a_run_that_was_cancelled_is_revoked() -> None:
    event = verdict_on(open_run("queued", queued()), "bob", has_queue=True, now=NOON)
    assert (event.kind, event.actor, event.attempt) == ("run.revoked", "bob", 1)


def test_a_stamp_tells_the_moment_and_the_number_of_its_event() -> None:
    moment = datetime(2026, 11, 30, 1, 2, 3, 456789, UTC)
    run = open_run("running", run_event(RunStarted, "r", 12, moment))
    assert (run.changed_at, run.attempt) == (moment, 12)


def test_a_suspect_is_looked_for_again_soon_and_looks_that_cost_much_are_rare() -> None:
    assert pause_after(Found([], [], 10), 0.01) == EVERY
    assert pause_after(Found([], ["r"], 10), 0.01) < EVERY / 1.5
    assert pause_after(Found([], [], 10), 0.2) == pytest.approx(40)
    assert pause_after(Found([], ["r"], 10), 9) == LONGEST == timedelta(minutes=2).total_seconds()
