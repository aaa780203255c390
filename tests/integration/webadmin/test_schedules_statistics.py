"""The last 30 days on a schedule's page: figures, columns and each day."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from scheduler.clock import utc_now
from scheduler.history.queries.days import DayStatistics, summary
from scheduler.history.recording.rollup import Rollup
from scheduler.history.recording.writer import write_events
from scheduler.services.services import Services
from tests.support.builders import a_run_history
from tests.support.webadmin.schedule_desk import offer_jobs, saved
from tests.support.webadmin.visitor import Visitor
from webadmin.views.schedules.statistics import HEIGHT, LEAST, columns


@pytest.fixture
def viewer(services: Services, logged_in: Callable[[str], Visitor]) -> Visitor:
    offer_jobs(services)
    return logged_in("viewer")


def figures_on(page: str) -> dict[str, str]:
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="num">([^<]*)</dd>', page))


def test_the_page_of_a_schedule_has_the_last_thirty_days(
    viewer: Visitor, services: Services
) -> None:
    schedule = saved(services)
    noon = utc_now().replace(hour=12, minute=0, second=0, microsecond=0)
    runs = ((40, "succeeded", 99), (3, "succeeded", 2), (2, "succeeded", 4), (1, "failed", 1))
    for back, state, seconds in runs:
        tick = noon - timedelta(days=back)
        history = a_run_history(
            f"run-{back}", schedule=schedule, tick=tick, state=state, seconds=seconds
        )
        write_events(services.engine, history)
    Rollup(services.engine).run_once(utc_now())
    page = viewer.get(f"/schedules/{schedule.name}/").text
    assert figures_on(page) == {
        "Runs": "3",
        "Succeeded": "67 %",
        "On time": "100 %",
        "Median": "2.00 s",
        "95 % within": "4.00 s",
    }
    days = re.findall(r'<th scope="row" class="num">([^<]+)</th>', page)
    assert days == [(noon.date() - timedelta(days=back)).isoformat() for back in (1, 2, 3)]
    drawn = re.findall(r'<path class="day-(\w+)" d="([^"]+)"', page)
    assert {group: path.count("M") for group, path in drawn} == {"succeeded": 2, "failed": 1}
    assert "/help/reference/statistics" in page


def test_a_schedule_without_a_run_has_no_empty_figures(viewer: Visitor, services: Services) -> None:
    schedule = saved(services)
    page = viewer.get(f"/schedules/{schedule.name}/").text
    assert "No run yet" in page
    assert "statistics-title" not in page


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
