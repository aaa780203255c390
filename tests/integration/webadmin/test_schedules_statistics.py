"""The last 30 days on a schedule's page: figures, columns and each day."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from scheduler.events.schema import TicksMissed
from scheduler.history.days import DayStatistics, summary
from scheduler.history.recording.rollup import Rollup
from scheduler.history.recording.writer import write_events
from scheduler.history.retention import delete_runs_before
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services
from tests.support.builders import NOON, a_run_history
from tests.support.history.counted import count_recent_days
from tests.support.webadmin.schedule_desk import offer_jobs, saved
from tests.support.webadmin.visitor import Visitor
from webadmin.views.schedules.statistics import HEIGHT, LEAST, columns


@pytest.fixture
def viewer(services: Services, logged_in: Callable[[str], Visitor]) -> Visitor:
    offer_jobs(services)
    return logged_in("viewer")


def facts_of_ticks(schedule: Schedule) -> dict[str, Any]:
    return {
        "schedule": schedule.name,
        "schedule_uid": schedule.uid,
        "revision": schedule.revision,
        "job": schedule.job,
    }


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that any engine of this process carries out meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, words: str, *_more: object) -> None:
        found.append(words)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def figures_on(page: str) -> dict[str, str]:
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="num">([^<]*)</dd>', page))


def test_the_page_of_a_schedule_has_the_last_thirty_days(
    viewer: Visitor, services: Services
) -> None:
    schedule = saved(services)
    today = count_recent_days(services, schedule)
    page = viewer.get(f"/schedules/{schedule.name}/").text
    assert figures_on(page) == {
        "Runs": "3",
        "Succeeded": "67 %",
        "On time": "100 %",
        "Median": "2.00 s",
        "95 % within": "4.00 s",
    }
    days = re.findall(r'<th scope="row" class="num">([^<]+)</th>', page)
    assert days == [(today - timedelta(days=back)).isoformat() for back in (1, 2, 3)]
    drawn = re.findall(r'<path class="day-(\w+)" d="([^"]+)"', page)
    assert {group: path.count("M") for group, path in drawn} == {"succeeded": 2, "failed": 1}
    assert "/help/reference/statistics" in page


def test_a_schedule_without_a_run_has_no_empty_figures(viewer: Visitor, services: Services) -> None:
    schedule = saved(services)
    page = viewer.get(f"/schedules/{schedule.name}/").text
    assert "No run yet" in page
    assert "statistics-title" not in page


def lines_on(page: str) -> str:
    return page[page.index("<tbody>") : page.index("</tbody>")]


def test_the_list_takes_the_results_and_shows_what_the_runs_say(
    viewer: Visitor, services: Services
) -> None:
    for number, states in enumerate((["succeeded"] * 20, ["failed", "started"], ["queued"])):
        schedule = saved(services, f"schedule-{number}")
        for run, state in enumerate(states):
            tick = NOON + timedelta(minutes=run)
            history = a_run_history(
                f"run-{number}-{run}", schedule=schedule, tick=tick, state=state, seconds=run + 1
            )
            write_events(services.engine, history)
    missed = TicksMissed(
        at=NOON,
        **facts_of_ticks(saved(services, "schedule-3")),
        reason="scheduler_down",
        tick_from=NOON,
        tick_to=NOON + timedelta(minutes=5),
        ticks=6,
    )
    write_events(services.engine, [missed])
    saved(services, "schedule-4")
    by_runs = lines_on(viewer.get("/schedules/").text)
    Rollup(services.engine).run_once(NOON)
    with statements() as read:
        assert lines_on(viewer.get("/schedules/").text) == by_runs
    of_runs = [words for words in read if "FROM runs" in words and "ORDER BY runs." in words]
    assert len(of_runs) == 1, "only for the schedule of which nothing has ever run"
    assert by_runs.count("/runs/run-") == 3


def test_a_run_that_changes_is_on_the_list_before_its_result_is_gathered(
    viewer: Visitor, services: Services
) -> None:
    schedule = saved(services)
    history = a_run_history("run-a", schedule=schedule)
    write_events(services.engine, history[:3])
    Rollup(services.engine).run_once(NOON)
    assert "Running" in lines_on(viewer.get("/schedules/").text)
    write_events(services.engine, history[3:])
    assert "Succeeded" in lines_on(viewer.get("/schedules/").text)


def test_the_list_links_to_no_run_that_was_deleted_for_its_age(
    viewer: Visitor, services: Services
) -> None:
    schedule = saved(services)
    write_events(services.engine, a_run_history("run-a", schedule=schedule))
    Rollup(services.engine).run_once(NOON)
    assert "/runs/run-a" in lines_on(viewer.get("/schedules/").text)
    assert sum(delete_runs_before(services.engine, NOON + timedelta(days=60))) == 1
    assert "/runs/run-a" not in lines_on(viewer.get("/schedules/").text)


def test_one_failure_among_thousands_is_drawn() -> None:
    day = date(2026, 11, 1)
    counts = {"missed": 0, "skipped": 0, "other": 0, "on_time": 9000, "late": 0}
    busy = DayStatistics(
        schedule_uid="uid", day=day, succeeded=8999, failed=1, median=1, p95=2, **counts
    )
    total = summary([busy], day, day)
    assert total is not None
    paths = dict(columns(total).paths)
    assert paths["failed"] == f"M0 {HEIGHT - LEAST}h3v{LEAST}h-3z"
    assert paths["succeeded"] == f"M0 0h3v{HEIGHT - LEAST}h-3z"
