"""What the history knows of schedules, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from scheduler.events.schema import TicksMissed
from scheduler.history.queries import definitions as module
from scheduler.history.queries.definitions import Definitions
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON, a_run_history, a_saved_event, a_schedule

HOUR = timedelta(hours=1)


@pytest.fixture
def definitions(engine: Engine) -> Definitions:
    return Definitions(engine)


def test_facts_are_read_on_from_where_reading_ended(
    engine: Engine, definitions: Definitions
) -> None:
    assert definitions.newest_key() == 0
    assert definitions.facts() == []
    first, second = a_schedule("one"), a_schedule("two")
    write_events(engine, [a_saved_event(first)])
    (fact,) = definitions.facts()
    assert (fact.uid, fact.name, fact.revision, fact.action, fact.saved_at) == (
        first.uid,
        "one",
        1,
        "created",
        NOON,
    )
    write_events(engine, [a_saved_event(second, NOON + HOUR)])
    assert [later.name for later in definitions.facts(fact.key)] == ["two"]
    assert definitions.newest_key() > fact.key


def test_whole_definitions_are_read_for_those_that_are_wanted(
    engine: Engine, definitions: Definitions
) -> None:
    schedule = a_schedule(kwargs={"days": 3})
    write_events(engine, [a_saved_event(schedule), a_saved_event(a_schedule("other"))])
    key = next(fact.key for fact in definitions.facts() if fact.uid == schedule.uid)
    assert definitions.definitions([key]) == {key: schedule.to_json()}
    assert definitions.definitions([]) == {}


@pytest.mark.parametrize("at_once", [1, 2, 400])
def test_the_last_tick_is_that_of_the_newest_run_or_verdict(
    engine: Engine, definitions: Definitions, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    ran, missed, never = a_schedule("ran"), a_schedule("missed"), a_schedule("never")
    for number in (1, 3, 2):
        write_events(
            engine, a_run_history(f"run-{number}", schedule=ran, tick=NOON + number * HOUR)
        )
    verdict = TicksMissed(
        at=NOON,
        schedule="missed",
        schedule_uid=missed.uid,
        revision=1,
        job="j",
        reason="coalesced",
        tick_from=NOON,
        tick_to=NOON + 5 * HOUR,
        ticks=6,
    )
    write_events(engine, [verdict])
    assert definitions.last_ticks([ran.uid, missed.uid, never.uid]) == {
        ran.uid: NOON + 3 * HOUR,
        missed.uid: NOON + 5 * HOUR,
    }
    assert definitions.last_ticks([]) == {}
    assert [definitions.run_count(one.uid) for one in (ran, missed, never)] == [3, 0, 0]
