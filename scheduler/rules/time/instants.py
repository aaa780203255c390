"""Wall times -> instants: what a rule means in its zone, clock changes included. Must not read a
clock.

    wall time      instants                                        where it is
    usual          one
    in a gap       the first instant after it (`shift`), or none   clocks went forward
    repeated       the first (`first`), or two (`both`)            clocks went back

`auto` is Debian cron's rule: a schedule that counts elapsed time (`walls.Walls.is_sub_daily`) has
`skip` and `both`: nothing is lost, nothing doubled; a fixed-time one keeps its one run a day:
`shift` and `first`.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.rules.time.wall_times import HORIZON_YEARS, LAST_YEAR, Walls

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class Rule(NamedTuple):
    """Wall times with their zone (none for UTC) and what becomes of them when the clock changes."""

    walls: Walls
    zone: ZoneInfo | None
    shift: bool
    both: bool


def next_instant(rule: Rule, after: datetime) -> datetime | None:
    """The first tick after `after`, an instant in UTC."""
    step = rule.walls.step
    if rule.zone is None:
        wall = rule.walls.next_wall(_floor(after.replace(tzinfo=None), step) + step)
        return wall.replace(tzinfo=UTC) if wall else None
    if after.year >= LAST_YEAR:
        return None
    local = after.astimezone(rule.zone)
    start = _floor(local.replace(tzinfo=None, fold=0), step) + step
    if rule.both and not local.fold and (again := _second_pass(rule.zone, local)) is not None:
        return _tick_in_first_pass(rule, start, again) or _tick_from(rule, again.wall, after)
    return _tick_from(rule, start, after)


def plain_day(rule: Rule, tick: datetime) -> tuple[date, datetime] | None:
    """The day of `tick` in the rule's zone and its midnight in UTC; none if the clock changes on
    that day.
    """
    if rule.zone is None:
        return tick.date(), tick.replace(hour=0, minute=0, second=0, microsecond=0)
    day = tick.astimezone(rule.zone).date()
    midnight = _unchanged_midnight(rule.zone, day)
    return None if midnight is None else (day, midnight)


@lru_cache(maxsize=4096)
def _unchanged_midnight(zone: ZoneInfo, day: date) -> datetime | None:
    """The first instant of a day that has one offset from its beginning to its end."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    ends = {
        moment.replace(fold=fold).utcoffset()
        for moment in (midnight, midnight + _DAY)
        for fold in (0, 1)
    }
    return midnight.astimezone(UTC) if len(ends) == 1 else None


class _SecondPass(NamedTuple):
    """The clock went back: to which wall time, and what it showed when it did."""

    wall: datetime
    end: datetime


def _second_pass(zone: ZoneInfo, local: datetime) -> _SecondPass | None:
    """If the wall time `local` comes a second time, what that second time begins and ends with."""
    first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
    if first is None or second is None or first <= second:
        return None
    instant = local.astimezone(UTC)
    change = offset_change(zone, instant, instant + (first - second))
    return _SecondPass(
        wall=(change + second).replace(tzinfo=None), end=(change + first).replace(tzinfo=None)
    )


def _tick_in_first_pass(rule: Rule, start: datetime, again: _SecondPass) -> datetime | None:
    """A tick that comes before the clock goes back."""
    wall = rule.walls.next_wall(start)
    if wall is None or wall >= again.end:
        return None
    return wall.replace(tzinfo=rule.zone, fold=0).astimezone(UTC)


def _tick_from(rule: Rule, start: datetime, after: datetime) -> datetime | None:
    """The first tick after `after` among the matching wall times from `start` on."""
    wall = rule.walls.next_wall(start)
    while wall is not None and wall.year <= start.year + HORIZON_YEARS:
        tick = _instant(rule, wall, after)
        if tick is not None:
            return tick
        wall = rule.walls.next_wall(wall + rule.walls.step)
    return None


def _instant(rule: Rule, wall: datetime, after: datetime) -> datetime | None:
    """The first instant after `after` at which the wall time `wall` is due; none if there is
    none.
    """
    first = wall.replace(tzinfo=rule.zone)
    second = first.replace(fold=1)
    before, later = first.utcoffset(), second.utcoffset()
    if before is None or later is None or before == later:
        tick = first.astimezone(UTC)
        return tick if tick > after else None
    if before < later:
        if not rule.shift or rule.zone is None:
            return None
        tick = offset_change(rule.zone, second.astimezone(UTC), first.astimezone(UTC))
        return tick if tick > after else None
    tick = first.astimezone(UTC)
    if tick <= after and rule.both:
        tick = second.astimezone(UTC)
    return tick if tick > after else None


@lru_cache(maxsize=4096)
def offset_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant after `before`, up to `after`, at which the zone's offset is no longer that
    of `before`.
    """
    old = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > _MICROSECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


def _floor(moment: datetime, step: timedelta) -> datetime:
    """The minute or the second that `moment` is in."""
    return (
        moment.replace(second=0, microsecond=0)
        if step == _MINUTE
        else moment.replace(microsecond=0)
    )
