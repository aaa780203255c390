"""What the history says of a run that is lost and begun anew, and from when lateness counts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.events.schema import (
    Event,
    RunLost,
    RunProgressed,
    RunQueued,
    RunReceived,
    RunStarted,
    RunSucceeded,
    run_event,
)
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import AttemptRow, Rows, RunRow
from tests.support.builders import NOON, a_run_history, a_schedule, facts_of

RUN = "run-1"
SCHEDULE = a_schedule()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(
    kind: Any, seconds: float, attempt: int = 1, worker: str | None = "w1@host", **parts: Any
) -> Event:
    return run_event(kind, RUN, attempt, after(seconds), worker=worker, **parts)


def row_of(*events: Event) -> RunRow:
    return fold(Rows(), events).runs[RUN]


def attempts_of(*events: Event) -> list[AttemptRow]:
    rows = fold(Rows(), events).attempts
    return [rows[key] for key in sorted(rows)]


def a_loss_and_a_second_attempt() -> list[Event]:
    """A worker is killed two seconds into a run, which another worker begins anew."""
    return [
        *a_run_history(RUN, state="started"),
        event(RunLost, 60, worker=None),
        event(RunReceived, 70, attempt=2, worker="w2@host", facts=facts_of(SCHEDULE)),
        event(RunStarted, 71, attempt=2, worker="w2@host"),
        event(RunSucceeded, 73, attempt=2, worker="w2@host"),
    ]


@pytest.mark.parametrize(
    ("heard", "state", "is_over"),
    [(4, "lost", True), (5, "retrying", False), (6, "running", False), (7, "succeeded", True)],
)
def test_a_lost_run_is_what_its_newest_attempt_is(heard: int, state: str, is_over: bool) -> None:
    events = a_loss_and_a_second_attempt()[:heard]
    for order in (events, events[::-1]):
        row = row_of(*order)
        assert (row.state, row.finished_at is not None) == (state, is_over)
        assert (row.error is not None) == (state == "lost")


def test_the_lost_attempt_is_attempt_1_and_the_duration_is_the_last_ones() -> None:
    row = row_of(*a_loss_and_a_second_attempt())
    assert (row.started_at, row.finished_at, row.duration) == (after(0.02), after(73), 2.0)
    first, second = attempts_of(*a_loss_and_a_second_attempt())
    assert (first.number, first.state, first.worker) == (1, "lost", "w1@host")
    assert (second.number, second.state, second.worker) == (2, "succeeded", "w2@host")


def test_what_a_frozen_worker_reports_of_a_lost_attempt_changes_nothing() -> None:
    late = [event(RunStarted, 80), event(RunProgressed, 81, done=1)]
    running = a_loss_and_a_second_attempt()[:6]
    assert row_of(*running, *late).worker == "w2@host"
    assert row_of(*late, *running).state == "running"


def test_lateness_counts_from_the_moment_to_which_jitter_moved_the_start() -> None:
    jittered = facts_of(SCHEDULE, due_at=after(30), queued_at=after(30))
    events = [
        event(RunQueued, 30, worker=None, facts=jittered),
        event(RunStarted, 31),
    ]
    for order in (events, events[::-1]):
        assert (row_of(*order).lateness, row_of(*order).tick) == (1.0, NOON)
