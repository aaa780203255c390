"""A schedule whose workflows fail in a row pauses itself, as its policy says."""

from datetime import timedelta

import pytest

from scheduler.errors import Unavailable
from scheduler.history.recording.writer import write_events
from scheduler.ledger.failing_trees import FailingTrees
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.schedules.operations import Operations
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from tests.support.builders import NOON, a_run_history, a_spec, facts_of

HOUR = timedelta(hours=1)


def a_workflow(services: Services, schedule: Schedule, hour: int, state: str) -> None:
    tick = NOON + hour * HOUR
    run = f"{schedule.name}-{hour}"
    write_events(services.engine, a_run_history(run, schedule=schedule, tick=tick))
    facts = facts_of(schedule, tick, parent=run).model_copy(
        update={"schedule": None, "schedule_uid": None, "tick": None}
    )
    part = a_run_history(f"{run}-part", tick=tick, state=state, facts=facts)
    write_events(services.engine, part)


def failing(services: Services) -> FailingTrees:
    return FailingTrees(services.history, services.schedules, services.operations)


def test_workflows_that_fail_in_a_row_pause_their_schedule_once(
    services: Services, store: ScheduleStore
) -> None:
    spec = a_spec(policies=Policies(pause_after_failures=2))
    schedule = store.create(spec, edit=Edit(actor="ada", now=NOON))
    looks = failing(services)
    a_workflow(services, schedule, 1, "failed")
    assert looks.look(NOON + 2 * HOUR) == []
    a_workflow(services, schedule, 2, "succeeded")
    a_workflow(services, schedule, 3, "failed")
    assert looks.look(NOON + 4 * HOUR) == []
    a_workflow(services, schedule, 4, "failed")
    assert looks.look(NOON + 5 * HOUR) == [schedule.name]
    pause = store.get(schedule.name).paused
    assert pause is not None
    assert (pause.reason, pause.by) == ("2 ticks in a row failed", "pause_after_failures")
    services.operations.resume(schedule.name, edit=Edit(actor="ada", now=NOON + 6 * HOUR))
    assert failing(services).look(NOON + 7 * HOUR) == []
    assert store.get(schedule.name).paused is None


def test_a_pause_that_an_outage_prevented_is_made_at_the_next_look(
    services: Services, store: ScheduleStore
) -> None:
    spec = a_spec(policies=Policies(pause_after_failures=1))
    schedule = store.create(spec, edit=Edit(actor="ada", now=NOON))
    a_workflow(services, schedule, 1, "failed")
    outages = [Unavailable("Redis does not answer")]

    def before_commit() -> None:
        if outages:
            raise outages.pop()

    interrupted = ScheduleStore(services.redis, services.catalogue, before_commit=before_commit)
    looks = FailingTrees(services.history, services.schedules, Operations(interrupted))
    with pytest.raises(Unavailable):
        looks.look(NOON + 2 * HOUR)
    assert looks.look(NOON + 2 * HOUR) == [schedule.name]
    assert looks.look(NOON + 2 * HOUR) == []
