"""When schedules are due: examples for people. The properties are next door."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from scheduler.errors import BadExpression
from scheduler.rules.model.spec import CrontabWhen, RedBeatWhen
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick, next_ticks
from scheduler.rules.time.instants import LAST_YEAR
from tests.support.builders import NOON, at, cron, every


def test_the_next_tick_is_later_than_the_moment_asked_for() -> None:
    hourly = cron("0 * * * *")
    assert next_tick(hourly, at("2026-11-21T11:59:59.999999Z")) == NOON
    assert next_tick(hourly, NOON) == NOON + timedelta(hours=1)
    assert next_tick(hourly, NOON + timedelta(microseconds=1)) == NOON + timedelta(hours=1)


def test_both_day_fields_must_match() -> None:
    friday_13 = next_ticks(cron("0 0 13 * fri"), NOON, 3)
    assert [f"{tick:%Y-%m-%d}" for tick in friday_13] == ["2027-08-13", "2028-10-13", "2029-04-13"]


def test_29_february_on_a_monday_is_found_across_a_year_that_is_no_leap_year() -> None:
    assert next_tick(cron("0 0 29 2 mon"), at("2072-03-01T00:00Z")) == at("2112-02-29T00:00Z")


def test_the_zone_decides() -> None:
    assert next_tick(cron("0 6 * * mon-fri", "Europe/Berlin"), NOON) == at("2026-11-23T05:00Z")
    assert next_tick(cron("0 6 * * *", "Asia/Kolkata"), NOON) == at("2026-11-22T00:30Z")


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("15 2 * * *", {}, ["03-27T01:15", "03-28T01:00", "03-29T00:15"]),
        (
            "15 2,3 * * *",
            {},
            ["03-27T01:15", "03-27T02:15", "03-28T01:00", "03-28T01:15", "03-29T00:15"],
        ),
        ("15,45 2 * * *", {}, ["03-27T01:15", "03-27T01:45", "03-28T01:00", "03-29T00:15"]),
        ("15 2 * * *", {"dst_gap": "skip"}, ["03-27T01:15", "03-29T00:15"]),
        ("15 * 28 3 *", {}, ["03-27T23:15", "03-28T00:15", "03-28T01:15", "03-28T02:15"]),
        ("*/30 2 28-29 3 *", {}, ["03-29T00:00", "03-29T00:30"]),
        ("*/30 2 28-29 3 *", {"dst_gap": "shift"}, ["03-28T01:00", "03-29T00:00", "03-29T00:30"]),
    ],
)
def test_when_the_clock_goes_forward(
    text: str, options: dict[str, str], expected: list[str]
) -> None:
    ticks = next_ticks(
        cron(text, "Europe/Berlin", **options), at("2027-03-26T12:00Z"), len(expected)
    )
    assert [f"{tick:%m-%dT%H:%M}" for tick in ticks] == expected


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("30 2 * * *", {}, ["30T00:30", "31T00:30", "01T01:30"]),
        ("30 2 * * *", {"dst_repeat": "both"}, ["30T00:30", "31T00:30", "31T01:30", "01T01:30"]),
        (
            "15,45 2 31 10 *",
            {"dst_repeat": "both"},
            ["31T00:15", "31T00:45", "31T01:15", "31T01:45"],
        ),
        ("*/30 2 31 10 *", {}, ["31T00:00", "31T00:30", "31T01:00", "31T01:30"]),
        (
            "*/30 2-3 31 10 *",
            {"dst_repeat": "first"},
            ["31T00:00", "31T00:30", "31T02:00", "31T02:30"],
        ),
        ("0 * 31 10 *", {}, ["30T22:00", "30T23:00", "31T00:00", "31T01:00", "31T02:00"]),
    ],
)
def test_when_the_clock_goes_back(text: str, options: dict[str, str], expected: list[str]) -> None:
    ticks = next_ticks(
        cron(text, "Europe/Berlin", **options), at("2027-10-29T12:00Z"), len(expected)
    )
    assert [f"{tick:%dT%H:%M}" for tick in ticks] == expected


def test_asked_in_the_repeated_hour_what_runs_the_first_time_only_waits_until_it_is_over() -> None:
    half_hours = cron("*/30 2-3 31 10 *", "Europe/Berlin", dst_repeat="first")
    assert next_tick(half_hours, at("2027-10-31T01:10Z")) == at("2027-10-31T02:00Z")


def test_every_five_minutes_is_every_five_minutes_whatever_the_clock_does() -> None:
    for change in (at("2027-03-28T00:00Z"), at("2027-10-30T23:00Z")):
        ticks = next_ticks(cron("*/5 * * * *", "Europe/Berlin"), change, 60)
        assert {later - earlier for earlier, later in pairwise(ticks)} == {timedelta(minutes=5)}


def test_a_time_that_the_clock_always_skips_has_no_tick() -> None:
    sunday_of_the_change = cron("30 2 29 3 sun", "Europe/Berlin", dst_gap="skip")
    assert next_tick(sunday_of_the_change, NOON) is None
    assert next_ticks(sunday_of_the_change, NOON, 5) == []


def test_an_interval_stays_on_its_grid() -> None:
    sevens = every(7, NOON)
    assert next_tick(sevens, NOON - timedelta(days=1)) == NOON + timedelta(seconds=7)
    assert next_tick(sevens, NOON) == NOON + timedelta(seconds=7)
    assert next_tick(sevens, NOON + timedelta(seconds=6.9)) == NOON + timedelta(seconds=7)
    assert next_tick(sevens, NOON + timedelta(seconds=7)) == NOON + timedelta(seconds=14)
    late = NOON + timedelta(seconds=7 * 10**7)
    assert next_tick(sevens, late) == late + timedelta(seconds=7)


def test_an_interval_of_a_fraction_does_not_drift() -> None:
    assert next_ticks(every(0.1, NOON), NOON, 1000)[-1] == NOON + timedelta(seconds=100)


def test_an_interval_without_an_anchor_or_length_is_refused() -> None:
    with pytest.raises(BadExpression, match="anchor"):
        next_tick(every(60), NOON)
    with pytest.raises(BadExpression, match="never passes"):
        next_tick(every(0, NOON), NOON)


def test_the_newest_tick_of_a_long_absence_is_found() -> None:
    after, until = NOON - timedelta(days=400), NOON + timedelta(seconds=30)
    assert latest_tick(cron("* * * * *"), after, until) == NOON
    assert latest_tick(cron("* 0-7 * * mon"), after, until) == at("2026-11-16T07:59Z")
    assert latest_tick(cron("0 0 1 1 *"), after, until) == at("2026-01-01T00:00Z")
    assert latest_tick(every(60, after), after, until) == NOON


def test_there_is_no_newest_tick_where_none_has_passed() -> None:
    assert latest_tick(cron("0 * * * *"), NOON, NOON + timedelta(minutes=59)) is None
    assert latest_tick(cron("0 * * * *"), NOON, NOON + timedelta(hours=1)) == NOON + timedelta(
        hours=1
    )
    assert latest_tick(every(60, NOON), NOON - timedelta(days=1), NOON) is None
    assert (
        latest_tick(every(60, NOON), NOON + timedelta(seconds=60), NOON + timedelta(seconds=60))
        is None
    )


def test_ticks_of_years_are_counted_by_days() -> None:
    year = (
        at("2026-01-01T00:00Z") - timedelta(seconds=1),
        at("2027-01-01T00:00Z") - timedelta(seconds=1),
    )
    assert count_ticks(cron("* * * * *", "Europe/Berlin"), *year, limit=10**9) == 365 * 1440
    assert count_ticks(cron("30 2 * * *", "Europe/Berlin"), *year, limit=10**9) == 365
    assert (
        count_ticks(cron("30 2 * * *", "Europe/Berlin", dst_gap="skip"), *year, limit=10**9) == 364
    )
    assert (
        count_ticks(cron("30 2 * * *", "Europe/Berlin", dst_repeat="both"), *year, limit=10**9)
        == 366
    )
    month = at("2026-03-01T00:00Z"), at("2026-03-31T23:59Z")
    assert count_ticks(cron("* * 29 3 *", "Europe/Berlin"), *month, limit=10**9) == 23 * 60
    assert count_ticks(every(60, year[0]), *year, limit=10**9) == 365 * 1440
    assert count_ticks(cron("* * * * *"), *year, limit=1000) == 1000


def test_what_only_redbeat_computes_has_no_ticks_here() -> None:
    rrule = RedBeatWhen(schedule={"__type__": "rrule", "freq": 3})
    assert next_tick(rrule, NOON) is None
    assert latest_tick(rrule, NOON, NOON + timedelta(days=9)) is None
    assert count_ticks(rrule, NOON, NOON + timedelta(days=9), 5) == 0


def test_the_end_of_the_calendar_is_no_surprise() -> None:
    assert next_tick(cron("0 0 1 1 *", "Europe/Berlin"), datetime(9999, 6, 1, tzinfo=UTC)) is None
    assert next_tick(cron("0 0 1 1 *"), datetime(9999, 6, 1, tzinfo=UTC)) is None
    assert next_tick(every(10**9, NOON), datetime(9999, 12, 31, tzinfo=UTC)) is None


def test_no_tick_comes_after_the_last_year_in_a_zone_either() -> None:
    end = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    assert next_tick(CrontabWhen(crontab="0 * * * *", timezone="Europe/Berlin"), end) is None
