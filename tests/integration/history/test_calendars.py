"""Changes of exclusion calendars in the history, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from scheduler.errors import Refused
from scheduler.events.schema import CalendarDeleted, CalendarSaved
from scheduler.history.queries.calendars import CalendarHistory
from scheduler.history.queries.cursor import cursor
from scheduler.history.queries.history import History
from scheduler.history.queries.views import ChangeView
from scheduler.history.recording.writer import write_events
from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.rules.calendars.text import calendar_of
from tests.support.builders import NOON, a_saved_event, a_schedule


def saved(revision: int, name: str = "holidays", uid: str = "u1") -> SavedCalendar:
    calendar = calendar_of(name, ["sat-sun", "mon-fri 22:00-06:00"], timezone="Europe/Berlin")
    return SavedCalendar(
        **dict(calendar), uid=uid, revision=revision, updated_at=NOON, updated_by="ada"
    )


def an_event(revision: int, kind: Any = CalendarSaved, **parts: Any) -> Any:
    calendar = saved(revision, **parts)
    more = {"action": "created" if revision == 1 else "edited"} if kind is CalendarSaved else {}
    at = NOON + timedelta(minutes=revision)
    return kind(
        at=at,
        uid=calendar.uid,
        revision=revision,
        actor="ada",
        comment="why",
        calendar=calendar,
        **more,
    )


def test_every_change_is_kept_once_with_the_whole_calendar(engine: Engine) -> None:
    events = [an_event(1), an_event(2), an_event(3, CalendarDeleted)]
    write_events(engine, events)
    write_events(engine, list(reversed(events)))
    history = CalendarHistory(engine)
    found = history.revisions("holidays")
    assert [(one.revision, one.action, one.actor, one.comment) for one in found] == [
        (3, "deleted", "ada", "why"),
        (2, "edited", "ada", "why"),
        (1, "created", "ada", "why"),
    ]
    assert SavedCalendar.model_validate(found[1].definition) == saved(2)
    assert history.revisions("other") == []


def test_the_newest_fact_of_each_calendar_is_what_is_compared_with_redis(engine: Engine) -> None:
    history = CalendarHistory(engine)
    assert (history.newest_key(), history.facts()) == (0, [])
    write_events(engine, [an_event(1), an_event(1, name="nights", uid="u2"), an_event(2)])
    facts = history.facts()
    assert sorted((fact.name, fact.uid, fact.revision, fact.action) for fact in facts) == [
        ("holidays", "u1", 2, "edited"),
        ("nights", "u2", 1, "created"),
    ]
    assert history.newest_key() == max(fact.key for fact in facts)


def test_a_change_that_is_recorded_late_is_not_the_last_word(engine: Engine) -> None:
    history = CalendarHistory(engine)
    write_events(engine, [an_event(1), an_event(3, CalendarDeleted), an_event(5, uid="u2")])
    write_events(engine, [an_event(2)])
    assert [(fact.uid, fact.revision, fact.action) for fact in history.facts()] == [
        ("u1", 3, "deleted"),
        ("u2", 5, "edited"),
    ]
    write_events(engine, [an_event(4)])
    assert [(fact.uid, fact.revision) for fact in history.facts()] == [("u1", 4), ("u2", 5)]


def test_changes_of_calendars_stand_among_those_of_schedules_by_time(engine: Engine) -> None:
    spec = a_schedule()
    schedules = [
        a_saved_event(
            spec.model_copy(update={"revision": number}),
            NOON + timedelta(minutes=number, seconds=30),
        )
        for number in (1, 2, 4)
    ]
    write_events(engine, [*schedules, *(an_event(number) for number in (1, 2, 3))])
    history = History(engine)
    expected = [
        ("schedule", 4),
        ("calendar", 3),
        ("schedule", 2),
        ("calendar", 2),
        ("schedule", 1),
        ("calendar", 1),
    ]
    for size in (1, 2, 4, 6, 9):
        found: list[ChangeView] = []
        after, pages = None, 0
        while after is not None or not pages:
            page = history.changes(after, size)
            found, after, pages = [*found, *page.items], page.next, pages + 1
        assert [(change.of, change.revision) for change in found] == expected
        assert pages == -(-len(expected) // size)
    assert {
        (change.name, change.actor, change.comment)
        for change in history.changes(of="calendar").items
    } == {("holidays", "ada", "why")}
    assert [change.of for change in history.changes(of="schedule").items] == ["schedule"] * 3
    with pytest.raises(Refused, match="of: 'job' is not changed here"):
        history.changes(of="job")
    with pytest.raises(Refused, match="after"):
        history.changes(cursor(3))
