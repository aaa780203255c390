"""Several days of a schedule together: counts add up, percentiles are estimated."""

from datetime import date, timedelta

import pytest

from scheduler.history.days import DayStatistics, percentile_of_days, summary

FIRST = date(2026, 11, 1)


def a_day(
    number: int,
    succeeded: int = 10,
    median: float | None = 1.0,
    p95: float | None = 2.0,
    **more: int,
) -> DayStatistics:
    counts = dict.fromkeys(("failed", "missed", "skipped", "other", "on_time", "late"), 0)
    return DayStatistics(
        schedule_uid="uid",
        day=FIRST + timedelta(days=number),
        succeeded=succeeded,
        median=median,
        p95=p95,
        **(counts | more),
    )


def test_the_percentiles_of_one_day_and_of_equal_days_are_the_days_own() -> None:
    for days in ([a_day(0)], [a_day(0), a_day(1, succeeded=500)]):
        assert percentile_of_days(days, 0.5) == 1.0
        assert percentile_of_days(days, 0.95) == 2.0


def test_of_one_run_a_day_the_percentiles_are_those_of_the_runs() -> None:
    days = [a_day(number, 1, float(number + 1), float(number + 1)) for number in range(20)]
    assert percentile_of_days(days, 0.5) == pytest.approx(10.0)
    assert percentile_of_days(days, 0.95) == pytest.approx(19.0)


def test_a_slow_day_counts_as_much_as_it_has_runs() -> None:
    usual = [a_day(number, 100) for number in range(9)]
    assert percentile_of_days([*usual, a_day(9, 1, 60.0, 90.0)], 0.95) == pytest.approx(
        2.0, abs=0.1
    )
    assert 60 <= (percentile_of_days([*usual, a_day(9, 100, 60.0, 90.0)], 0.95) or 0) <= 90


def test_without_successful_runs_there_is_no_duration() -> None:
    assert percentile_of_days([], 0.5) is None
    assert percentile_of_days([a_day(0, 0, None, None, failed=3)], 0.5) is None


def test_the_counts_of_days_add_up() -> None:
    days = [a_day(0, 8, failed=2, on_time=9, late=1), a_day(1, 0, None, None, missed=10)]
    found = summary(days, FIRST, FIRST + timedelta(days=29))
    assert found is not None
    assert (found.runs, found.succeeded, found.failed, found.missed) == (10, 8, 2, 10)
    assert (found.success, found.on_time) == (0.8, 9 / 20)


def test_days_without_a_tick_have_no_summary() -> None:
    assert summary([], FIRST, FIRST) is None
    assert summary([a_day(0, 0, None, None)], FIRST, FIRST) is None
