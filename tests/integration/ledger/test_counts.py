"""Ticks are counted in one way: on the overview, in the list and in reports."""

from datetime import timedelta

from scheduler.events.schema import RunQueued, RunStarted, TicksMissed, run_event
from scheduler.history.queries.outcomes import Outcomes
from scheduler.rules.model.identity import run_id
from scheduler.services.services import Services
from tests.support.builders import NOON, a_schedule, facts_of
from tests.support.history.recording import record
from tests.support.ledger.watching import Watched

MINUTE = timedelta(minutes=1)


def test_a_range_of_missed_ticks_counts_as_many_everywhere(
    services: Services, watched: Watched
) -> None:
    schedule = a_schedule()
    missed = TicksMissed(
        at=NOON,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=1,
        job=schedule.job,
        reason="scheduler_down",
        tick_from=NOON - 58 * MINUTE,
        tick_to=NOON - MINUTE,
        ticks=58,
    )
    record(services, missed)
    (line,) = Outcomes(services.engine).lines(NOON, NOON + MINUTE, 60)
    (part,) = Outcomes(services.engine).parts([NOON, NOON + MINUTE])
    listed = sum(row.ticks for row in watched.rows(schedule.name))
    counted = services.history.state_counts(NOON)
    assert [counted["missed"], line.missed, part["missed"], listed] == [58, 58, 58, 58]


def test_a_start_that_jitter_moved_is_not_late(services: Services, watched: Watched) -> None:
    schedule = a_schedule()
    facts = facts_of(schedule, NOON, due_at=NOON + 5 * MINUTE, queued_at=NOON + 5 * MINUTE)
    run = run_id(schedule.uid, NOON)
    queued = run_event(RunQueued, run, 1, NOON + 5 * MINUTE, facts=facts)
    started = run_event(RunStarted, run, 1, NOON + 5 * MINUTE + timedelta(seconds=1), worker="w")
    record(services, queued, started)
    (line,) = Outcomes(services.engine).lines(NOON, NOON + 10 * MINUTE, 60)
    assert (line.late, line.most_lateness) == (0, 1.0)
