"""When schedules are due: what holds for all of them, and agreement with Celery and with Debian's
cron.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab
from cronsim import CronSim
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scheduler.rules.crontab import fields as cron_rules
from scheduler.rules.model.spec import When
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick, next_ticks, ticks_between
from scheduler.rules.time import zones
from tests.support.builders import at, cron, every
from tests.support.rules.whens import (
    ZONES,
    crontabs,
    expressions,
    moments,
    rrules,
    whens,
    wider,
)

near_changes = st.builds(
    lambda year, month, day, minutes: (
        datetime(year, month, day, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.integers(2011, 2037),
    st.sampled_from([3, 4, 5, 9, 10, 11]),
    st.integers(1, 30),
    st.integers(0, 1440),
)


@cache
def utc_app() -> Celery:
    return Celery(set_as_current=False, timezone="UTC", enable_utc=True)


@given(when=whens, after=moments | near_changes)
def test_ticks_strictly_increase(when: When, after: datetime) -> None:
    ticks = [after, *next_ticks(when, after, 10)]
    assert ticks == sorted(set(ticks))


@given(when=whens, after=moments | near_changes)
def test_each_previewed_tick_is_due_at_that_second_and_not_one_second_before(
    when: When, after: datetime
) -> None:
    for tick in next_ticks(when, after, 3):
        assert next_tick(when, tick - timedelta(microseconds=1)) == tick
        assert next_tick(when, max(after, tick - timedelta(seconds=1))) == tick
        following = next_tick(when, tick)
        assert following is None or following > tick


@given(
    when=whens,
    after=moments | near_changes,
    lengths=st.lists(st.integers(0, 3 * 86400), min_size=1, max_size=5),
)
def test_adjacent_windows_join_without_gap_or_double(
    when: When, after: datetime, lengths: list[int]
) -> None:
    ends = [after + timedelta(seconds=sum(lengths[: number + 1])) for number in range(len(lengths))]
    pieces = [
        list(ticks_between(when, begin, end))
        for begin, end in zip([after, *ends], ends, strict=False)
    ]
    joined = [tick for piece in pieces for tick in piece]
    assert joined == list(ticks_between(when, after, ends[-1]))
    assert len(set(joined)) == len(joined)
    assert joined[:5] == [tick for tick in next_ticks(when, after, 5) if tick <= ends[-1]]


@given(when=crontabs | wider | rrules, after=near_changes, hours=st.integers(0, 24 * 40))
def test_no_tick_is_left_out_however_the_question_is_put(
    when: When, after: datetime, hours: int
) -> None:
    """Asked from any moment in between, the answer is the next of the same ticks."""
    ticks = next_ticks(when, after, 20)
    between = after + timedelta(hours=hours, seconds=7)
    expected = next((tick for tick in ticks if tick > between), None)
    assume(expected is not None)
    assert next_tick(when, between) == expected


@given(when=crontabs | wider | rrules, after=near_changes, hours=st.integers(1, 24 * 40))
def test_the_newest_tick_and_the_count_agree_with_going_through_all(
    when: When, after: datetime, hours: int
) -> None:
    until = after + timedelta(hours=hours, minutes=11)
    ticks: list[datetime] = []
    tick = next_tick(when, after)
    while tick is not None and tick <= until and len(ticks) < 1500:
        ticks.append(tick)
        tick = next_tick(when, tick)
    if len(ticks) == 1500:
        until = ticks[-1]
    assert count_ticks(when, after, until, 10**6) == len(ticks)
    assert latest_tick(when, after, until) == (ticks[-1] if ticks else None)


@given(
    seconds=st.integers(1, 10**6), offset=st.integers(-(10**7), 10**9), length=st.integers(0, 10**6)
)
def test_intervals_agree_with_going_through_all(seconds: int, offset: int, length: int) -> None:
    anchor = at("2026-01-01T00:00Z")
    when = every(seconds, anchor)
    after = anchor + timedelta(seconds=offset)
    until = after + timedelta(seconds=min(length, 50 * seconds))
    ticks = [tick for tick in next_ticks(when, after, 60) if tick <= until]
    assert all(
        (tick - anchor) % timedelta(seconds=seconds) == timedelta(0) and tick > anchor
        for tick in ticks
    )
    assert count_ticks(when, after, until, 10**6) == len(ticks)
    assert latest_tick(when, after, until) == (ticks[-1] if ticks else None)


@given(text=expressions, after=moments)
@example(text="0 0 29 2 *", after=at("2096-03-01T00:00Z"))
@example(text="59 23 31 12 *", after=at("2026-12-31T23:59Z"))
def test_in_utc_ticks_are_celerys(text: str, after: datetime) -> None:
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    theirs = crontab(
        minute, hour, day_of_week, day_of_month, month_of_year, nowfun=lambda: after, app=utc_app()
    )
    tick = next_tick(cron(text), after)
    assume(tick is not None)
    try:
        expected = after + theirs.remaining_estimate(after)
    except RuntimeError:  # Celery gives up on what is far away
        assume(False)
    assert tick == expected


def in_crons_dialect(text: str) -> str | None:
    """The same set of times for Debian's cron, none where it has no such set.

    Wanted differences: two restricted day fields (Celery needs both to match, cron either), and
    `5-5/2` (Celery: 5, cron: every second from 5 on).
    """
    parsed = cron_rules.parse(text)
    values = (
        parsed.minutes,
        parsed.hours,
        sorted(parsed.days),
        sorted(parsed.months),
        sorted(parsed.weekdays),
    )
    _, _, day_of_month, _, day_of_week = parsed.texts
    if not day_of_month.startswith("*") and not day_of_week.startswith("*"):
        return None
    return " ".join(
        written if written.startswith("*") else ",".join(map(str, numbers))
        for written, numbers in zip(parsed.texts, values, strict=True)
    )


def cronsim_ticks(text: str, zone: str, after: datetime, n: int) -> list[datetime]:
    """Debian cron's ticks; two that a gap moves to one moment are one."""
    ticks: list[datetime] = []
    for local in CronSim(text, after.astimezone(ZoneInfo(zone))):
        tick = local.astimezone(UTC)
        if tick > after and tick not in ticks:
            ticks.append(tick)
        if len(ticks) == n:
            break
    return ticks


@given(text=expressions, zone=st.sampled_from(ZONES), after=near_changes)
@example(text="30 2 * * *", zone="Europe/Berlin", after=at("2027-03-27T12:00Z"))
@example(text="30 1 * * *", zone="Australia/Lord_Howe", after=at("2027-04-02T12:00Z"))
@example(text="15 0 * * *", zone="Asia/Beirut", after=at("2027-03-26T12:00Z"))
def test_auto_is_debian_crons_rule(text: str, zone: str, after: datetime) -> None:
    same = in_crons_dialect(text)
    assume(same is not None)
    # where the clock moves by half an hour: the table of test_ticks_everywhere
    assume(zone != "Australia/Lord_Howe" or not cron_rules.parse(text).is_sub_daily)
    expected = cronsim_ticks(str(same), zone, after, 6)
    assert next_ticks(cron(text, zone), after, 6) == expected


@pytest.mark.parametrize(
    "text", ["30 2 * * *", "0 0 * * *", "59 23 * * *", "*/20 * * * *", "15 */2 * * *"]
)
def test_auto_is_debian_crons_rule_around_every_change_of_every_zone(text: str) -> None:
    """The next two years of each zone of the data base, a day before and after each change of its
    clock.
    """
    for name in zones.zone_names():
        for change in changes_of(name):
            start = change - timedelta(hours=4)
            assert next_ticks(cron(text, name), start, 8) == cronsim_ticks(text, name, start, 8), (
                name,
                change,
            )


@cache
def changes_of(name: str) -> tuple[datetime, ...]:
    zone, begin = ZoneInfo(name), datetime(2027, 1, 1, tzinfo=UTC)
    offsets = [(begin + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(366)]
    return tuple(
        begin + timedelta(days=day) for day in range(365) if offsets[day] != offsets[day + 1]
    )
