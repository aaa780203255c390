"""A schedule whose workflow fails is not green."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from scheduler.events.schema import Event
from scheduler.history.queries.history import History
from scheduler.history.queries.outcomes import Outcomes
from scheduler.history.recording.writer import write_events
from scheduler.services.services import Services
from tests.support.builders import NOON, a_run_history, a_schedule, facts_of

SCHEDULE = a_schedule()


def a_part(run: str, state: str, parent: str, **more: str) -> list[Event]:
    """The events of a run that another one has started."""
    facts = facts_of(SCHEDULE, parent=parent, **more).model_copy(
        update={"schedule": None, "schedule_uid": None, "tick": None}
    )
    return a_run_history(run, state=state, facts=facts)


def a_workflow(second: str) -> list[list[Event]]:
    """A parent, two parts of it, and a part of the second part that ends in the given state."""
    return [
        a_run_history("parent", schedule=SCHEDULE),
        a_part("first", "succeeded", "parent"),
        a_part("second", "succeeded", "parent"),
        a_part("third", second, "second"),
    ]


def verdict_of(engine: Engine, uid: str = SCHEDULE.uid) -> str:
    return History(engine).last_runs([uid], 1)[uid][0].state


@pytest.mark.parametrize(
    ("state", "expected"),
    [("succeeded", "succeeded"), ("failed", "failed"), ("started", "running")],
)
def test_the_verdict_of_a_schedule_is_that_of_its_tree(
    engine: Engine, state: str, expected: str
) -> None:
    for events in a_workflow(state):
        write_events(engine, events)
    assert verdict_of(engine) == expected
    history = History(engine)
    assert history.run("parent").state == "succeeded"
    assert history.run("parent").tree_state == expected
    assert [run.id for run in history.failed_trees(10) if run.schedule] == (
        ["parent"] if expected == "failed" else []
    )
    (line,) = [
        line
        for line in Outcomes(engine).lines(NOON, NOON + timedelta(minutes=1), 60)
        if line.schedule
    ]
    assert line.failed == (expected == "failed")


def test_the_order_of_the_events_does_not_matter(services: Services) -> None:
    for number, order in enumerate(itertools.permutations(range(4))):
        parts = a_workflow("failed")
        uid = f"00000000-0000-4000-8000-{number:012d}"
        for place in order:
            events = [_renamed(event, number, uid) for event in parts[place]]
            write_events(services.engine, events)
        assert verdict_of(services.engine, uid) == "failed"


def test_a_repetition_is_no_part_of_the_run_that_it_repeats(engine: Engine) -> None:
    write_events(engine, a_run_history("parent", schedule=SCHEDULE))
    write_events(engine, a_part("again", "failed", "parent", trigger="rerun"))
    assert verdict_of(engine) == "succeeded"
    write_events(engine, a_part("part", "succeeded", "parent"))
    assert verdict_of(engine) == "succeeded"


def test_the_newest_runs_of_a_list_have_the_same_verdict(services: Services) -> None:
    for events in a_workflow("failed"):
        write_events(services.engine, events)
    newest = services.newest_runs.of([SCHEDULE.uid])
    assert (newest[SCHEDULE.uid].id, newest[SCHEDULE.uid].state) == ("parent", "failed")


def _renamed(event: Event, number: int, uid: str) -> Event:
    """The event of another workflow, told apart by a number."""
    body = event.model_dump()
    body["run"] += f"-{number}"
    facts = body.get("facts")
    if facts is not None:
        if facts["parent"] is not None:
            facts["parent"] += f"-{number}"
        if facts["schedule_uid"] is not None:
            facts["schedule_uid"] = uid
    return type(event).model_validate(body)
