"""Statistics by day: computed from rows, in any order of events, and exact."""

import random
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from time import perf_counter

import pytest
from sqlalchemy import Engine, text

from scheduler.events.schema import Event, TicksMissed
from scheduler.history.days import shares
from scheduler.history.engine import writing
from scheduler.history.queries.recent_days import RecentDays
from scheduler.history.queries.statistics import Statistics
from scheduler.history.recording.rollup import RESULTS, Rollup, percentile
from scheduler.history.recording.writer import write_events
from scheduler.history.retention import delete_runs_before
from tests.support.builders import NOON, a_run_history, a_schedule, facts_of

NIGHTLY = a_schedule("nightly")
DAY = NOON.date()


def some_events(count: int = 40) -> list[Event]:
    """Runs of one schedule within an hour; each tenth fails, each eighth is late."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    events: list[Event] = []
    for number in range(count):
        history = a_run_history(
            f"run-{number}",
            schedule=NIGHTLY,
            tick=NOON + timedelta(seconds=number),
            seconds=chance.randint(1, 90),
            state="failed" if number % 10 == 0 else "succeeded",
        )
        if number % 8 == 0:
            history = [
                event.model_copy(update={"at": event.at + timedelta(minutes=2)})
                for event in history
            ]
        events += history
    events.append(
        TicksMissed(
            at=NOON,
            schedule=NIGHTLY.name,
            schedule_uid=NIGHTLY.uid,
            revision=1,
            job=NIGHTLY.job,
            reason="scheduler_down",
            tick_from=NOON,
            tick_to=NOON + timedelta(minutes=5),
            ticks=6,
        )
    )
    return events


def test_a_day_is_counted_from_its_rows_whatever_the_order_of_events(engine: Engine) -> None:
    events = some_events()
    random.Random(3).shuffle(events)  # noqa: S311 - the same each time
    rollup = Rollup(engine)
    for start in range(0, len(events), 25):
        write_events(engine, events[start : start + 25])
        rollup.run_once(NOON)
    write_events(engine, events[:30])  # told again
    Rollup(engine).run_once(NOON)
    (day,) = Statistics(engine).days([NIGHTLY.uid, "unknown"], DAY, DAY)[NIGHTLY.uid]
    with engine.connect() as connection:
        query = text("SELECT duration FROM runs WHERE state = 'succeeded' ORDER BY duration")
        durations = list(connection.execute(query).scalars())
    assert (day.succeeded, day.failed, day.missed, day.skipped, day.other) == (36, 4, 6, 0, 0)
    assert (day.on_time, day.late) == (35, 5)
    assert day.median == pytest.approx(median(durations))
    assert day.p95 == pytest.approx(quantiles(durations, n=20, method="inclusive")[18])
    total = shares([day])
    assert total.success == 36 / 40
    assert total.on_time == 35 / 46


def test_nothing_is_due_after_a_roll_up(engine: Engine) -> None:
    write_events(engine, some_events(3))
    assert Rollup(engine).run_once(NOON) == 1
    assert Rollup(engine).run_once(NOON) == 0
    write_events(engine, some_events(3))
    assert Rollup(engine).run_once(NOON) == 0, "events that are told again change no row"


def test_the_newest_results_are_there_newest_first(engine: Engine) -> None:
    for start in (0, 40):
        write_events(engine, some_events(RESULTS + 5)[start * 4 :])
    Rollup(engine).run_once(NOON)
    results = Statistics(engine).results([NIGHTLY.uid])[NIGHTLY.uid]
    assert len(results) == RESULTS
    with engine.connect() as connection:
        query = text("SELECT id, state FROM runs ORDER BY key DESC")
        newest = [(row.id, row.state) for row in connection.execute(query)][:RESULTS]
    assert [(result.id, result.state) for result in results] == newest


def test_statistics_outlive_the_runs_that_retention_deletes(engine: Engine) -> None:
    write_events(engine, some_events())
    Rollup(engine).run_once(NOON)
    before = Statistics(engine).days([NIGHTLY.uid], DAY, DAY)
    later = NOON + timedelta(days=60)
    assert sum(delete_runs_before(engine, later, states=["succeeded"])) > 0
    write_events(engine, a_run_history("late", schedule=NIGHTLY, tick=NOON))
    Rollup(engine).run_once(later)
    assert Statistics(engine).days([NIGHTLY.uid], DAY, DAY) == before


def test_a_run_near_midnight_belongs_to_the_day_of_its_first_event(engine: Engine) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    history = a_run_history("run-1", schedule=NIGHTLY, tick=midnight - timedelta(milliseconds=5))
    write_events(engine, history[1:])
    Rollup(engine).run_once(midnight)
    write_events(engine, history[:1])
    Rollup(engine).run_once(midnight)
    days = Statistics(engine).days([NIGHTLY.uid], DAY, midnight.date())[NIGHTLY.uid]
    assert [(day.day, day.succeeded) for day in days] == [(DAY, 1), (midnight.date(), 0)]


def test_a_part_that_fails_later_changes_the_statistics_of_its_workflow(engine: Engine) -> None:
    write_events(engine, a_run_history("workflow", schedule=NIGHTLY))
    Rollup(engine).run_once(NOON)
    facts = facts_of(NIGHTLY, parent="workflow").model_copy(
        update={"schedule": None, "schedule_uid": None, "tick": None}
    )
    write_events(engine, a_run_history("part", state="failed", facts=facts))
    Rollup(engine).run_once(NOON)
    statistics = Statistics(engine)
    (day,) = statistics.days([NIGHTLY.uid], DAY, DAY)[NIGHTLY.uid]
    assert (day.succeeded, day.failed) == (0, 1)
    (result,) = statistics.results([NIGHTLY.uid])[NIGHTLY.uid]
    assert (result.id, result.state) == ("workflow", "failed")


def test_the_driver_reads_the_same_days(engine: Engine) -> None:
    def without_sqlalchemy() -> Statistics:
        raise AssertionError("the driver reads this address")

    write_events(engine, some_events())
    Rollup(engine).run_once(NOON)
    days = Statistics(engine).days([NIGHTLY.uid], DAY, DAY)[NIGHTLY.uid]
    address = engine.url.render_as_string(hide_password=False)
    recent = RecentDays(address, without_sqlalchemy)
    assert recent.of(NIGHTLY.uid, DAY - timedelta(days=29), DAY) == days
    assert recent.of(NIGHTLY.uid, DAY + timedelta(days=1), DAY + timedelta(days=2)) == []
    assert recent.of("a\x00b", DAY, DAY) == []
    by_sqlalchemy = RecentDays("sqlite:///file:history?uri=true", lambda: Statistics(engine))
    assert by_sqlalchemy.of(NIGHTLY.uid, DAY, DAY) == days


def test_percentiles_lie_between_values_by_proportion() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 2.0, 3.0, 5.0], 0.5) == 2.5


def test_the_month_of_a_hundred_schedules_is_one_quick_answer(engine: Engine) -> None:
    rows = [
        {"uid": f"uid-{number}", "day": DAY - timedelta(days=back)}
        for number in range(200)
        for back in range(30)
    ]
    insert = text(
        "INSERT INTO schedule_days (schedule_uid, day, succeeded, failed, missed, skipped, other, "
        "on_time, late) VALUES (:uid, :day, 9, 1, 0, 0, 0, 10, 0)"
    )
    with writing(engine).begin() as connection:
        connection.execute(insert, [{**row, "day": row["day"].isoformat()} for row in rows])
    statistics = Statistics(engine)
    uids = [f"uid-{number}" for number in range(100)]
    taken = []
    for _ in range(5):
        began = perf_counter()
        found = statistics.days(uids, DAY - timedelta(days=29), DAY)
        taken.append(perf_counter() - began)
    assert [len(days) for days in found.values()] == [30] * 100
    assert min(taken) < 0.5, "50 ms on a quiet machine, see the bench of pages"
