"""The recent days in `schedules show`: as the recorder counted them, in words and as JSON."""

from datetime import timedelta

import pytest

from tests.support.history.counted import count_recent_days


@pytest.fixture
def counted(beatdesk, services):
    """`nightly` with a run on each of the last three days: 2 s, 4 s, and one that failed; and a run
    that is older than what is shown.
    """
    beatdesk.done("schedules", "add", "nightly", "demo.plain", "--cron", "0 6 * * *")
    return count_recent_days(services, services.schedules.get("nightly"))


def test_the_last_thirty_days_are_a_line_of_a_schedule(beatdesk, counted):
    (line,) = [
        line
        for line in beatdesk.done("schedules", "show", "nightly").splitlines()
        if line.startswith("last 30 days")
    ]
    assert line.removeprefix("last 30 days").strip() == (
        "3 runs, 67 % succeeded, 100 % on time, median 2.00 s, 95 % within 4.00 s"
    )


def test_programs_get_the_numbers_and_each_day(beatdesk, counted):
    statistics = beatdesk.json("schedules", "show", "nightly")["statistics"]
    days = statistics.pop("days")
    assert statistics == {
        "since": (counted - timedelta(days=29)).isoformat(),
        "until": counted.isoformat(),
        "runs": 3,
        "succeeded": 2,
        "failed": 1,
        "missed": 0,
        "skipped": 0,
        "other": 0,
        "success": pytest.approx(2 / 3),
        "on_time": 1.0,
        "median": pytest.approx(2.0),
        "p95": pytest.approx(4.0),
    }
    assert [(day["day"], day["succeeded"], day["failed"]) for day in days] == [
        ((counted - timedelta(days=back)).isoformat(), succeeded, failed)
        for back, succeeded, failed in ((3, 1, 0), (2, 1, 0), (1, 0, 1))
    ]


def test_a_schedule_without_ticks_has_no_statistics(beatdesk):
    beatdesk.done("schedules", "add", "new", "demo.plain", "--cron", "0 6 * * *")
    assert beatdesk.json("schedules", "show", "new")["statistics"] is None
    assert "last 30 days" not in beatdesk.done("schedules", "show", "new")
