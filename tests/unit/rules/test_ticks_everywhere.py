"""Ticks against other implementations, in every IANA zone, around clock changes from 2000 to 2040.

A sample that is always the same: for each zone some of its changes, for each of these some
expressions. Where we differ from Debian's rule as `cronsim` has it, `WANTED` says why, and a third
reading, minute by minute, says who is right.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim

from scheduler.rules.crontab import dialect
from scheduler.rules.ticks import next_ticks, ticks_between
from scheduler.rules.time import zones
from scheduler.rules.time.instants import offset_change
from scheduler.rules.time.wall_times import Crontab
from tests.support.builders import cron

BEGIN, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
WEEK, DAY, HOUR, MINUTE = (
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
)
CHANGES_PER_ZONE = 2
EXPRESSIONS_PER_CHANGE = 2

FIXED = (
    "30 2 * * *",
    "0 0 * * *",
    "59 23 * * *",
    "15,45 0-3 * * *",
    "0 3 * * sun",
    "5 1,2,3 * * 0,1,6",
    "0 2-3 1-31 * *",
)
SUB_DAILY = (
    "*/20 * * * *",
    "15 */2 * * *",
    "*/12 */3 * * *",
    "10 * * * *",
    "* 2 * * *",
    "*/7 1-4 * * *",
    "0 * * * sun",
)


class Change(NamedTuple):
    """When a zone's clock changes, and by how much."""

    at: datetime
    by: timedelta


class Difference(NamedTuple):
    """Where we differ from cronsim on purpose, and the reason."""

    reason: str
    zone: str
    at: str


WANTED = (
    Difference(
        "cronsim passes over the rest of an hour, or repeats it, where the clock moves by half an "
        "hour; by elapsed time nothing is lost and nothing doubled",
        "Australia/Lord_Howe",
        "2027-10-02T15:30Z",
    ),
    Difference(
        "the same where the clock does not move on the full hour, but at 02:45",
        "NZ-CHAT",
        "2035-09-29T14:00Z",
    ),
    Difference(
        "cronsim never answers where the clock goes back from 00:01 to 23:01",
        "America/St_Johns",
        "2002-10-27T02:31Z",
    ),
)


def is_wanted(zone: ZoneInfo, change: Change) -> bool:
    """Whether a schedule that counts elapsed time differs here: all three reasons are clocks off
    the full hour.
    """
    return bool(change.by % HOUR) or change.at.astimezone(zone).minute != 0


@cache
def changes(name: str) -> tuple[Change, ...]:
    """Every change of a zone's offset."""
    zone, moment = ZoneInfo(name), BEGIN
    found = []
    while moment < END:
        before, later = (
            moment.astimezone(zone).utcoffset(),
            (moment + WEEK).astimezone(zone).utcoffset(),
        )
        if before is not None and later is not None and before != later:
            found.append(Change(offset_change(zone, moment, moment + WEEK), later - before))
        moment += WEEK
    return tuple(found)


def sampled(expressions: tuple[str, ...]) -> Iterator[tuple[str, Change, str]]:
    """Some changes of every zone, with some expressions each."""
    for name in zones.zone_names():
        dice = Random(f"{name} {expressions}")  # noqa: S311 - a sample, not a secret
        for change in dice.sample(changes(name), min(CHANGES_PER_ZONE, len(changes(name)))):
            for text in dice.sample(expressions, EXPRESSIONS_PER_CHANGE):
                yield name, change, text


def by_cronsim(text: str, name: str, after: datetime, n: int) -> list[datetime]:
    """Debian cron's ticks; two that a gap moves to one moment are one."""
    ticks: list[datetime] = []
    for local in CronSim(text, after.astimezone(ZoneInfo(name))):
        tick = local.astimezone(UTC)
        if tick > after and tick not in ticks:
            ticks.append(tick)
        if len(ticks) == n:
            break
    return ticks


def by_the_minute(text: str, name: str, after: datetime, until: datetime) -> list[datetime]:
    """Every minute in (after, until] whose time on the wall matches: what counting elapsed time
    means.
    """
    zone, crontab = ZoneInfo(name), dialect.parse(text)
    first = after.replace(second=0, microsecond=0) + MINUTE
    minutes = (first + number * MINUTE for number in range((until - first) // MINUTE + 1))
    return [minute for minute in minutes if matches(crontab, minute.astimezone(zone))]


def matches(crontab: Crontab, local: datetime) -> bool:
    return (
        local.second == 0
        and local.minute in crontab.minutes
        and local.hour in crontab.hours
        and local.day in crontab.days
        and local.month in crontab.months
        and local.isoweekday() % 7 in crontab.weekdays
    )


def test_the_sample_knows_every_zone_and_hundreds_of_changes() -> None:
    seen = list(sampled(FIXED))
    assert {name for name, _, _ in seen} == {name for name in zones.zone_names() if changes(name)}
    assert len({change for _, change, _ in seen}) > 300
    assert {change.at.year for _, change, _ in seen} >= set(range(2001, 2038))


def test_a_fixed_time_is_debian_crons_around_changes_of_every_zone() -> None:
    for name, change, text in sampled(FIXED):
        after = change.at - 5 * HOUR
        assert next_ticks(cron(text, name), after, 12) == by_cronsim(text, name, after, 12), (
            text,
            name,
            change,
        )


def test_counting_elapsed_time_is_debian_crons_too_but_for_the_wanted_differences() -> None:
    for name, change, text in sampled(SUB_DAILY):
        if not is_wanted(ZoneInfo(name), change):
            after = change.at - 3 * HOUR
            assert next_ticks(cron(text, name), after, 12) == by_cronsim(text, name, after, 12), (
                text,
                name,
                change,
            )


def test_counting_elapsed_time_is_every_minute_that_matches_without_exception() -> None:
    for name, change, text in sampled(SUB_DAILY):
        after, until = change.at - 2 * HOUR, change.at + 4 * HOUR
        ours = list(ticks_between(cron(text, name), after, until))
        assert ours == by_the_minute(text, name, after, until), (text, name, change)


@pytest.mark.parametrize("difference", WANTED, ids=lambda difference: difference.zone)
def test_each_wanted_difference_is_where_the_table_says(difference: Difference) -> None:
    zone, moment = ZoneInfo(difference.zone), datetime.fromisoformat(difference.at)
    (change,) = [change for change in changes(difference.zone) if abs(change.at - moment) < DAY]
    assert is_wanted(zone, change)


@pytest.mark.parametrize("difference", WANTED[:2], ids=lambda difference: difference.zone)
def test_cronsim_still_differs_there(difference: Difference) -> None:
    """If this fails, cronsim has been mended, and the row can go."""
    text, name = "*/12 */3 * * *", difference.zone
    after = datetime.fromisoformat(difference.at) - 3 * HOUR
    assert by_cronsim(text, name, after, 12) != next_ticks(cron(text, name), after, 12)


def by_croniter(text: str, name: str, after: datetime, n: int) -> list[datetime]:
    """The reading of `croniter`, with both day fields to be matched."""
    found = croniter(text, after.astimezone(ZoneInfo(name)), day_or=False, ret_type=datetime)
    return [moment.astimezone(UTC) for moment in islice(found, n)]


BOTH_DAYS = (
    "30 9 13 * fri",
    "0 12 1-7 * mon",
    "5,50 8-20/4 */2 * 1-5",
    "0 18 31 * *",
    "15 7 1,15 2-11 0,3",
    "0 21 29 2 *",
)


def test_on_days_without_a_change_croniter_agrees_in_every_zone() -> None:
    """croniter has its own rule for changes of the clock, and it is not Debian's; so those days are
    left out.
    """
    for name, change, text in sampled(BOTH_DAYS):
        after = change.at + 3 * DAY
        near = [other.at for other in changes(name)]
        ours, theirs = next_ticks(cron(text, name), after, 4), by_croniter(text, name, after, 4)
        touched = [abs(tick - other) < 2 * DAY for tick in ours + theirs for other in near]
        assert ours == theirs or any(touched), (text, name, after)
