"""Exclusion calendars: saved with revisions, kept to by Beat, and never passed over in silence."""

from datetime import timedelta
from typing import Any

import pytest
from redbeat.schedulers import RedBeatScheduler

from scheduler.clock import utc_now
from scheduler.dispatch.backfill import plan
from scheduler.errors import BadName, NameTaken, NotFound, Refused, StaleRevision
from scheduler.events.schema import CalendarDeleted, CalendarSaved, Event, TicksEvent
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.calendars.text import calendar_of, lines_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Window
from scheduler.schedules.batch import BatchEdit, DesiredSchedule
from scheduler.schedules.calendar_changes import CalendarWish, decide
from scheduler.schedules.reads import Listing
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec, every
from tests.support.schedules.contents import events
from tests.support.schedules.desktop import SECOND, Desktop

ALWAYS = ["mon-sun"]
SPECIES = (CalendarSaved, CalendarDeleted)


def a_calendar(name: str = "holidays", lines: list[str] | None = None, **parts: Any) -> Calendar:
    return calendar_of(name, ALWAYS if lines is None else lines, **parts)


def make(services: Services, name: str = "holidays", lines: list[str] | None = None) -> None:
    services.calendars.save(
        a_calendar(name, lines), revision=None, edit=Edit(actor="ada", now=utc_now())
    )


def change(services: Services, lines: list[str], name: str = "holidays") -> None:
    old = services.calendars.get(name)
    services.calendars.save(
        a_calendar(name, lines), revision=old.revision, edit=Edit(actor="ben", now=utc_now())
    )


def told(services: Services) -> list[Event]:
    return [event for event in events(services.redis) if isinstance(event, SPECIES)]


@pytest.fixture
def due(services: Services, store: ScheduleStore, beat: RedBeatScheduler) -> Desktop:
    """Nothing yet; the test says what the schedule is like."""
    return Desktop(services, store, beat)


def test_a_calendar_is_saved_with_a_revision_and_every_change_is_an_event(
    services: Services,
) -> None:
    calendars = services.calendars
    first = calendars.save(
        a_calendar(), revision=None, edit=Edit(actor="ada", now=NOON, comment="closed")
    )
    second = calendars.save(
        a_calendar(lines=["sat-sun"]), revision=1, edit=Edit(actor="ben", now=NOON + SECOND)
    )
    assert (first.revision, second.revision, second.uid == first.uid) == (1, 2, True)
    assert calendars.get("holidays") == second
    calendars.delete(
        "holidays", revision=2, edit=Edit(actor="eve", now=NOON + 2 * SECOND, comment="unused")
    )
    assert calendars.names() == []
    assert [
        (event.kind, event.revision, event.actor, event.comment) for event in told(services)
    ] == [  # type: ignore[attr-defined]
        ("calendar.saved", 1, "ada", "closed"),
        ("calendar.saved", 2, "ben", ""),
        ("calendar.deleted", 3, "eve", "unused"),
    ]
    assert services.redis.hgetall(keys.CALENDAR_VERSIONS_HASH) == {}


def test_what_somebody_else_has_changed_is_not_overwritten(services: Services) -> None:
    make(services)
    with pytest.raises(NameTaken, match="there is a calendar 'holidays' already"):
        make(services)
    change(services, ["sat"])
    with pytest.raises(StaleRevision, match="revision 1 was edited, revision 2 is stored"):
        services.calendars.save(a_calendar(), revision=1, edit=Edit(actor="ada", now=NOON))
    with pytest.raises(StaleRevision):
        services.calendars.delete("holidays", revision=1, edit=Edit(actor="ada", now=NOON))
    with pytest.raises(NotFound, match="there is no calendar 'other'"):
        services.calendars.delete("other", edit=Edit(actor="ada", now=NOON))
    assert lines_of(services.calendars.get("holidays")) == ["sat"]
    assert len(told(services)) == 2


def test_of_two_changes_decided_at_once_the_second_is_refused_and_the_first_may_be_sent_again(
    services: Services,
) -> None:
    make(services)
    together = BatchEdit(services.redis, Listing(services.redis))
    (stored,) = together.read_calendars(["holidays"])
    ours, theirs = (
        decide(
            CalendarWish("holidays", a_calendar(lines=[day]), 1),
            stored,
            edit=Edit(actor="ada", now=NOON, comment=""),
        )
        for day in ("mon", "sun")
    )
    assert together.write([], [], [ours]) == []
    assert together.write([], [], [ours]) == []
    with pytest.raises(StaleRevision, match="has just been changed by somebody else"):
        together.write([], [], [theirs])
    assert lines_of(services.calendars.get("holidays")) == ["mon"]
    assert len(told(services)) == 2


@pytest.mark.parametrize(
    ("calendar", "error", "message"),
    [
        (a_calendar("a b"), BadName, "cannot be the name of a calendar"),
        (a_calendar("x" * 101), BadName, "up to 100 letters"),
        (a_calendar().model_copy(update={"timezone": "Mars/Base"}), Refused, "Mars/Base"),
        (
            a_calendar(description="x" * 1001),
            Refused,
            "description has 1001 characters, 1000 are allowed",
        ),
        (
            a_calendar(
                lines=["2026-12-24"] * 9_000 + ["2026-12-25 " + "x" * 150] * 1_000
            ).model_copy(),
            Refused,
            None,
        ),
    ],
)
def test_what_cannot_be_a_calendar_is_refused(
    services: Services, calendar: Calendar, error: type[Exception], message: str | None
) -> None:
    if message is None:
        titled = tuple(day.model_copy(update={"title": "x" * 200}) for day in calendar.days)
        calendar, message = (
            calendar.model_copy(update={"days": titled}),
            "bytes, 1000000 are allowed",
        )
    with pytest.raises(error, match=message):
        services.calendars.save(calendar, revision=None, edit=Edit(actor="ada", now=NOON))
    assert services.redis.keys("beatdesk:cal*") == []


def test_a_schedule_may_only_name_a_calendar_that_there_is(
    services: Services, store: ScheduleStore
) -> None:
    named = Window(calendar="holidays")
    with pytest.raises(
        Refused, match="calendar 'holidays' is unknown; there is none yet"
    ) as refused:
        store.create(a_spec(window=named), edit=Edit(actor="ada", now=NOON))
    assert refused.value.field == "calendar"
    plain = store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    with pytest.raises(Refused, match="unknown"):
        store.edit(plain.name, a_spec(window=named), revision=1, edit=Edit(actor="ada", now=NOON))
    with pytest.raises(Refused, match="unknown"):
        store.save_together(
            [DesiredSchedule("other", a_spec("other", window=named), None)],
            edit=Edit(actor="ada", now=NOON),
        )
    make(services)
    store.edit(plain.name, a_spec(window=named), revision=1, edit=Edit(actor="ada", now=NOON))
    assert store.get(plain.name).window.calendar == "holidays"


def test_a_calendar_that_schedules_name_is_not_deleted(
    services: Services, store: ScheduleStore
) -> None:
    make(services)
    for number in range(12):
        store.create(
            a_spec(f"s{number:02}", window=Window(calendar="holidays")),
            edit=Edit(actor="ada", now=NOON),
        )
    with pytest.raises(Refused, match=r"'s00', 's01', .* 's09' and 2 more name it") as refused:
        services.calendars.delete("holidays", edit=Edit(actor="ada", now=NOON))
    assert refused.value.field == "name"
    assert services.calendars.names() == ["holidays"]
    assert len(services.calendars.used_by()["holidays"]) == 12


def test_a_set_makes_a_calendar_and_the_schedule_that_names_it_in_one_step(
    services: Services, store: ScheduleStore
) -> None:
    spec = a_spec(window=Window(calendar="holidays"))
    beside = CalendarWish("holidays", a_calendar(), None)
    stale = DesiredSchedule("gone", a_spec("gone"), 7)
    with pytest.raises(NotFound):
        store.save_together(
            [DesiredSchedule(spec.name, spec, None), stale],
            calendars=[beside],
            edit=Edit(actor="ada", now=NOON),
        )
    assert (services.calendars.names(), store.names()) == ([], [])
    store.save_together(
        [DesiredSchedule(spec.name, spec, None)],
        calendars=[beside],
        edit=Edit(actor="ada", now=NOON),
    )
    assert (services.calendars.names(), store.names()) == (["holidays"], [spec.name])


def test_a_tick_in_the_calendar_is_skipped_and_an_edit_lets_the_next_one_run(
    services: Services, due: Desktop
) -> None:
    make(services)
    due.has(window={"calendar": "holidays"})
    due.fires_until(lambda: len(due.rulings("calendar")) >= 2)
    assert due.sent == []
    assert {ruling.kind for ruling in due.rulings()} == {"ticks.skipped"}
    change(services, [])
    due.fires_until(lambda: due.sent)
    change(services, ALWAYS)
    before = len(due.rulings("calendar"))
    due.fires_until(lambda: len(due.rulings("calendar")) > before)
    assert len(due.sent) == 1


def test_what_a_calendar_excluded_while_beat_was_away_is_one_range(
    services: Services, due: Desktop
) -> None:
    make(services)
    due.has(since=timedelta(hours=2), seconds=60, window={"calendar": "holidays"})
    due.fires_until(due.rulings)
    (ruling,) = due.rulings()
    assert (
        ruling.reason,
        ruling.ticks >= 119,
        ruling.tick_to - ruling.tick_from >= timedelta(minutes=118),
    ) == (
        "calendar",
        True,
        True,
    )


@pytest.mark.parametrize("lost", ["deleted", "damaged", "whole key", "fingerprint"])
def test_a_schedule_whose_calendar_is_gone_waits_and_runs_when_it_is_there_again(
    services: Services, due: Desktop, lost: str
) -> None:
    make(services, lines=["2001-01-01"])
    due.has(window={"calendar": "holidays"}, seconds=1)
    other = a_spec("other", when=every(1, utc_now() - SECOND))
    due.store.create(other, edit=Edit(actor="ada", now=utc_now() - SECOND))
    kept = {
        key: services.redis.hgetall(key)
        for key in (keys.CALENDARS_HASH, keys.CALENDAR_VERSIONS_HASH)
    }
    if lost == "deleted":
        services.redis.delete(keys.CALENDARS_HASH, keys.CALENDAR_VERSIONS_HASH)
    elif lost == "damaged":
        services.redis.hset(keys.CALENDARS_HASH, "holidays", "{")
        services.redis.hset(keys.CALENDAR_VERSIONS_HASH, "holidays", "x")
    elif lost == "whole key":
        services.redis.set(keys.CALENDAR_VERSIONS_HASH, "no hash")
    else:
        services.redis.hset(keys.CALENDAR_VERSIONS_HASH, "holidays", "another")
        services.redis.hset(keys.CALENDARS_HASH, "holidays", "\x00")
    line = due.store.listed("due")
    assert (line.lacks_calendar, line.next) == (True, None)
    due.fires_until(lambda: len(due.sent) == 1)  # that of the other one, which Beat still fires
    assert due.alive() == []
    assert [ruling for ruling in due.rulings() if ruling.schedule == "due"] == []
    services.redis.delete(*kept)
    for key, fields in kept.items():
        services.redis.hset(key, mapping=fields)
    due.fires_until(due.alive)


def test_the_next_run_in_a_list_is_the_first_outside_the_calendar(
    services: Services, store: ScheduleStore
) -> None:
    tomorrow = NOON.date() + timedelta(days=1)
    make(services, lines=[f"{NOON.date()}..{tomorrow}"])
    store.create(a_spec(window=Window(calendar="holidays")), edit=Edit(actor="ada", now=NOON))
    expected = NOON.replace(hour=0) + timedelta(days=2)
    (line,) = store.page().items
    assert line.next == expected
    assert store.listed("nightly-report").next == expected


def paused_hours(services: Services, store: ScheduleStore, lines: list[str]) -> None:
    """An hourly schedule that was paused at noon, with a calendar of these lines."""
    make(services, lines=lines)
    store.create(
        a_spec(when=every(3600, NOON), window=Window(calendar="holidays")),
        edit=Edit(actor="ada", now=NOON),
    )
    services.operations.pause("nightly-report", reason="r", edit=Edit(actor="ada", now=NOON))


@pytest.mark.parametrize(
    ("missed", "runs", "rulings"),
    [
        ("skip", [], [("paused", 5)]),
        ("latest", [3], [("paused", 2), ("calendar", 2)]),
        ("all", [1, 3], [("calendar", 1), ("calendar", 2)]),
    ],
)
def test_what_a_pause_held_back_runs_only_outside_the_calendar(
    services: Services,
    store: ScheduleStore,
    missed: Any,
    runs: list[int],
    rulings: list[tuple[str, int]],
) -> None:
    paused_hours(
        services,
        store,
        ["2026-11-21T13:30Z..2026-11-21T14:30Z", "2026-11-21T16:00Z..2026-11-21T18:00Z"],
    )
    schedule, started = services.operations.resume(
        "nightly-report",
        missed=missed,
        edit=Edit(actor="ada", now=NOON + timedelta(hours=5, minutes=30)),
    )
    assert started == [run_id(schedule.uid, NOON + timedelta(hours=hour)) for hour in runs]
    told_of = [event for event in events(services.redis) if isinstance(event, TicksEvent)]
    assert [(event.reason, event.ticks) for event in told_of] == rulings


def test_the_tick_that_is_skipped_next_and_those_of_a_backfill_lie_outside_the_calendar(
    services: Services, store: ScheduleStore
) -> None:
    make(services, lines=["2026-11-21T12:30Z..2026-11-21T15:30Z"])
    saved = store.create(
        a_spec(when=every(3600, NOON), window=Window(calendar="holidays")),
        edit=Edit(actor="ada", now=NOON),
    )
    four = NOON + timedelta(hours=4)
    assert services.operations.skip("nightly-report", edit=Edit(actor="ada", now=NOON))[1] == four
    until = NOON + timedelta(hours=6)
    found = plan(saved, NOON, until, limit=9, now=until, calendar=store.calendar_of(saved))
    assert (found.count, found.ticks) == (2, [four, NOON + timedelta(hours=5)])


def test_without_its_calendar_it_cannot_be_told_which_ticks_run(
    services: Services, store: ScheduleStore
) -> None:
    paused_hours(services, store, [])
    services.redis.delete(keys.CALENDARS_HASH, keys.CALENDAR_VERSIONS_HASH)
    with pytest.raises(Refused, match="the calendar 'holidays' is gone or damaged"):
        services.operations.resume(
            "nightly-report", missed="latest", edit=Edit(actor="ada", now=NOON + timedelta(hours=5))
        )
    services.operations.resume(
        "nightly-report", missed="skip", edit=Edit(actor="ada", now=NOON + timedelta(hours=5))
    )
    with pytest.raises(Refused, match="give the schedule another one, or none"):
        services.operations.skip(
            "nightly-report", edit=Edit(actor="ada", now=NOON + timedelta(hours=6))
        )
