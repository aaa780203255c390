"""The whole truth table of catch-up: where a tick lies, by policy."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.calendars.exclusions import Calendar, Hours
from scheduler.rules.policies.catch_up import (
    MOST_RANGES,
    CatchUp,
    Due,
    Policy,
    excluded,
    plan,
)
from scheduler.rules.ticks import ticks_between
from tests.support.builders import NOON, cron, every

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def caught_up(
    policy: Policy, *, since: timedelta, now: datetime = NOON, window: float = 3600
) -> CatchUp:
    """Ticks every twenty minutes, on the full hour among them, since a time before `now`."""
    return plan(policy, window, Due(cron("*/20 * * * *"), now - since, now), now)


def told(found: CatchUp) -> tuple[list[str], list[tuple[str, str, int, str]]]:
    ranges = [
        (f"{gap.first:%H:%M}", f"{gap.last:%H:%M}", gap.count, gap.reason) for gap in found.missed
    ]
    return [f"{tick:%H:%M}" for tick in found.run], ranges


@pytest.mark.parametrize("policy", ["latest", "none", "all"])
@pytest.mark.parametrize("seconds", [0, 1, 9])
def test_what_is_on_time_runs_whatever_the_policy_and_the_window(
    policy: Policy, seconds: int
) -> None:
    now = NOON + timedelta(seconds=seconds)
    for window in (0, 5, 3600):
        assert told(caught_up(policy, since=15 * MINUTE, now=now, window=window)) == (["12:00"], [])


@pytest.mark.parametrize(
    ("policy", "run", "missed"),
    [
        ("latest", ["11:40"], []),
        ("none", [], [("11:40", "11:40", 1, "scheduler_down")]),
        ("all", ["11:40"], []),
    ],
)
def test_one_late_tick_in_the_window(
    policy: Policy, run: list[str], missed: list[tuple[str, str, int, str]]
) -> None:
    assert told(caught_up(policy, since=15 * MINUTE, now=NOON - 10 * MINUTE)) == (run, missed)


@pytest.mark.parametrize(
    ("policy", "run", "missed"),
    [
        ("latest", ["11:40"], [("11:00", "11:20", 2, "coalesced")]),
        ("none", [], [("11:00", "11:40", 3, "scheduler_down")]),
        ("all", ["11:00", "11:20", "11:40"], []),
    ],
)
def test_late_ticks_in_the_window(
    policy: Policy, run: list[str], missed: list[tuple[str, str, int, str]]
) -> None:
    assert told(caught_up(policy, since=56 * MINUTE, now=NOON - 5 * MINUTE)) == (run, missed)


@pytest.mark.parametrize(
    ("policy", "run", "missed"),
    [
        (
            "latest",
            ["11:40"],
            [("09:00", "10:40", 6, "deadline"), ("11:00", "11:20", 2, "coalesced")],
        ),
        ("none", [], [("09:00", "10:40", 6, "deadline"), ("11:00", "11:40", 3, "scheduler_down")]),
        ("all", ["11:00", "11:20", "11:40"], [("09:00", "10:40", 6, "deadline")]),
    ],
)
def test_a_long_absence(
    policy: Policy, run: list[str], missed: list[tuple[str, str, int, str]]
) -> None:
    assert told(caught_up(policy, since=3 * HOUR, now=NOON - 5 * MINUTE)) == (run, missed)


@pytest.mark.parametrize("policy", ["latest", "none", "all"])
def test_what_is_older_than_the_window_is_missed_whatever_the_policy(policy: Policy) -> None:
    found = caught_up(policy, since=2 * HOUR, now=NOON - 5 * MINUTE, window=60)
    assert told(found) == ([], [("10:00", "11:40", 6, "deadline")])


@pytest.mark.parametrize("policy", ["latest", "none", "all"])
def test_after_an_absence_the_tick_of_now_runs_too(policy: Policy) -> None:
    run = {"latest": ["12:00"], "none": ["12:00"], "all": ["11:20", "11:40", "12:00"]}[policy]
    missed = {"latest": "coalesced", "none": "scheduler_down"}.get(policy)
    found = caught_up(policy, since=55 * MINUTE)
    assert told(found) == (run, [("11:20", "11:40", 2, missed)] if missed else [])


@pytest.mark.parametrize("policy", ["latest", "none", "all"])
def test_the_window_takes_in_its_own_beginning(policy: Policy) -> None:
    found = caught_up(policy, since=61 * MINUTE, window=3600)
    assert "deadline" not in [gap.reason for gap in found.missed]


def test_all_has_an_end() -> None:
    found = plan("all", 86400, Due(cron("* * * * *"), NOON - 10 * HOUR, NOON), NOON, most=100)
    assert len(found.run) == 100
    assert found.run[-1] == NOON
    assert [(gap.count, gap.reason) for gap in found.missed] == [(500, "coalesced")]


def test_a_month_of_minutes_is_one_range() -> None:
    found = plan("latest", 3600, Due(cron("* * * * *"), NOON - timedelta(days=30), NOON), NOON)
    assert [gap.reason for gap in found.missed] == ["deadline", "coalesced"]
    assert sum(gap.count for gap in found.missed) + len(found.run) == 30 * 1440


def test_nothing_due_is_nothing_to_do() -> None:
    assert plan("latest", 3600, Due(cron("0 0 1 1 *"), NOON - HOUR, NOON), NOON) == CatchUp([], [])


@given(
    policy=st.sampled_from(["latest", "none", "all"]),
    window=st.sampled_from([0, 1, 60, 300, 3600, 86400]),
    since=st.integers(0, 20_000),
    seconds=st.integers(-600, 600),
    when=st.sampled_from(
        [
            cron("*/7 * * * *"),
            cron("0 * * * *"),
            every(45, NOON - 9 * HOUR),
            every(3, NOON - 9 * HOUR),
        ]
    ),
)
def test_every_tick_ends_in_exactly_one_place(
    policy: Policy, window: int, since: int, seconds: int, when: object
) -> None:
    now = NOON + timedelta(seconds=seconds)
    due = Due(when, now - timedelta(seconds=since), now)  # type: ignore[arg-type]
    found = plan(policy, window, due, now, most=10_000)
    places = [*found.run]
    for gap in found.missed:
        inside = [
            tick
            for tick in ticks_between(due.when, due.after, due.until)
            if gap.first <= tick <= gap.last
        ]
        assert (len(inside), inside[0], inside[-1]) == (gap.count, gap.first, gap.last)
        places += inside
    assert sorted(places) == list(ticks_between(due.when, due.after, due.until))


NIGHTS = Calendar(
    name="nights",
    weekly=(Hours(days=frozenset({"thu", "fri", "sat"}), begins=time(22), ends=time(6)),),
)


@pytest.mark.parametrize("policy", ["latest", "none", "all"])
def test_what_a_calendar_excludes_is_neither_run_nor_missed(policy: Policy) -> None:
    due = Due(cron("0 * * * *"), NOON - 40 * HOUR, NOON, NIGHTS)
    found, out = plan(policy, 20 * 3600, due, NOON), excluded(due)
    assert [(f"{one.first:%a %H}", f"{one.last:%a %H}", one.count) for one in out] == [
        ("Thu 22", "Fri 05", 8),
        ("Fri 22", "Sat 05", 8),
    ]
    told_of = (
        len(found.run) + sum(gap.count for gap in found.missed) + sum(one.count for one in out)
    )
    assert told_of == 40
    assert all(6 <= tick.hour < 22 for tick in found.run)
    assert found.run[-1] == NOON


def test_of_a_long_absence_under_a_calendar_the_oldest_ranges_are_told_as_one() -> None:
    due = Due(cron("0 * * * *"), NOON - 24 * 70 * HOUR, NOON, NIGHTS)
    out = excluded(due)
    assert (len(out), sum(one.count for one in out)) == (30, 30 * 8)
    long = excluded(Due(cron("0 * * * *"), NOON - 24 * 350 * HOUR, NOON, NIGHTS))
    assert (len(long), sum(one.count for one in long)) == (MOST_RANGES, 150 * 8)
    assert long[0].count > 8
