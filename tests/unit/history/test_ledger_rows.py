"""The states and reasons of the ledger, one row of the semantics each: which fact makes it, and
what the row says.
"""

from datetime import timedelta
from typing import Any, get_args

import pytest

from scheduler.events.schema import (
    OVERLAP_ACTOR,
    Event,
    RunExpired,
    RunFailed,
    RunLost,
    RunQueued,
    RunRetried,
    RunRevoked,
    RunSkipped,
    RunStarted,
    RunSucceeded,
    TicksMissed,
    TicksSkipped,
    run_event,
)
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows, RunRow
from scheduler.rules.model.identity import run_id
from tests.support.builders import NOON, a_schedule, facts_of

SCHEDULE = a_schedule()
RUN = run_id(SCHEDULE.uid, NOON)

STATES: dict[str, Event] = {
    "state: queued, its message waits": run_event(
        RunQueued, RUN, 1, NOON, facts=facts_of(SCHEDULE)
    ),
    "state: running, an attempt has begun": run_event(RunStarted, RUN, 1, NOON, worker="w@h"),
    "state: retrying, another attempt follows": run_event(
        RunRetried, RUN, 1, NOON, worker="w@h", error="no"
    ),
    "state: succeeded": run_event(RunSucceeded, RUN, 1, NOON, worker="w@h"),
    "state: failed, no attempt is left": run_event(
        RunFailed, RUN, 1, NOON, worker="w@h", error="no"
    ),
    "state: expired, it came too late to a worker": run_event(
        RunExpired, RUN, 1, NOON, worker="w@h"
    ),
    "state: skipped, its worker did not start it": run_event(
        RunSkipped, RUN, 1, NOON, worker="w@h", reason="paused"
    ),
    "state: revoked, somebody ended it": run_event(
        RunRevoked, RUN, 1, NOON, worker="w@h", actor="ada"
    ),
    "state: lost, nothing was heard of it any more": run_event(
        RunLost, RUN, 1, NOON, facts=facts_of(SCHEDULE)
    ),
}

SKIPPED = {
    "skipped: overlap, a run before it was not final": "overlap",
    "skipped: paused": "paused",
    "skipped: disabled, the schedule was switched off": "disabled",
    "skipped: window": "window",
    "skipped: calendar": "calendar",
    "skipped: operator, who skipped it or switched the schedule off": "operator",
    "skipped: finished, no run is left": "finished",
}

MISSED = {
    "missed: scheduler_down": "scheduler_down",
    "missed: deadline, older than the window": "deadline",
    "missed: coalesced, a later tick ran for it": "coalesced",
    "missed: broker, its message could not be sent": "broker",
    "missed: unrecorded, nothing is recorded of it": "unrecorded",
}


def row_of(*events: Event) -> RunRow:
    """The one row that these events make."""
    (row,) = fold(Rows(), events).runs.values()
    return row


@pytest.mark.parametrize("row", STATES)
def test_a_tick_that_became_a_run_is_one_row_in_the_state_that_its_newest_fact_tells(
    row: str,
) -> None:
    made = row_of(run_event(RunQueued, RUN, 1, NOON, facts=facts_of(SCHEDULE)), STATES[row])
    assert (made.id, made.state) == (RUN, row.split(":")[1].split(",", maxsplit=1)[0].strip())
    assert (made.tick, made.revision, made.schedule_uid, made.ticks) == (NOON, 1, SCHEDULE.uid, 1)


@pytest.mark.parametrize("row", [*SKIPPED, *MISSED])
def test_ticks_that_became_no_run_are_one_row_for_the_range_with_the_reason(row: str) -> None:
    kind: Any = TicksSkipped if row in SKIPPED else TicksMissed
    verdict = kind(
        at=NOON,
        schedule=SCHEDULE.name,
        schedule_uid=SCHEDULE.uid,
        revision=1,
        job=SCHEDULE.job,
        reason={**SKIPPED, **MISSED}[row],
        tick_from=NOON - timedelta(days=30),
        tick_to=NOON,
        ticks=43_201,
    )
    made = row_of(verdict, verdict)
    assert f"{made.state}: {made.reason}" == row.split(",", maxsplit=1)[0]
    assert (made.tick, made.tick_to, made.ticks) == (NOON - timedelta(days=30), NOON, 43_201)


def test_there_are_no_other_reasons() -> None:
    known = {
        kind: set(get_args(kind.model_fields["reason"].annotation))
        for kind in (TicksSkipped, TicksMissed)
    }
    assert known == {TicksSkipped: set(SKIPPED.values()), TicksMissed: set(MISSED.values())}


@pytest.mark.parametrize("reason", get_args(RunSkipped.model_fields["reason"].annotation))
def test_a_run_that_its_worker_did_not_start_is_skipped_with_the_reason(reason: str) -> None:
    assert reason in SKIPPED.values()
    queued = run_event(RunQueued, RUN, 1, NOON, facts=facts_of(SCHEDULE))
    row = row_of(run_event(RunSkipped, RUN, 1, NOON, worker="w@h", reason=reason), queued)
    assert (row.state, row.reason, row.tick, row.finished_at, row.ticks) == (
        "skipped",
        reason,
        NOON,
        NOON,
        1,
    )


def test_a_run_that_made_way_for_the_next_one_is_revoked_for_overlap() -> None:
    revoked = run_event(RunRevoked, RUN, 1, NOON, worker="w@h", actor=OVERLAP_ACTOR)
    assert (row_of(revoked).state, row_of(revoked).reason) == ("revoked", "overlap")
