"""Wall times in a zone as instants in UTC, clock changes included. Must not read a clock.

    wall time      instants                                             clock change
    usual          one
    in a gap       the first instant after the gap (`shift`), or none   clocks went forward
    repeated       the first (`first`), or two (`both`)                 clocks went back

`auto` is Debian cron's rule (cron(8)): a schedule that counts elapsed time
(`Walls.is_sub_daily`) has `skip` and `both`, so that no run is lost and none doubled; a fixed-time
schedule has `shift` and `first`, and still runs once a day.
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
    """Wall times with a zone (None for UTC) and the choices for clock changes.

    `shift`: a time in a gap is due right after the gap, and otherwise never. `both`: a repeated
    time is due twice, and otherwise the first time only.
    """

    walls: Walls
    zone: ZoneInfo | None
    shift: bool
    both: bool


def next_instant(rule: Rule, after: datetime) -> datetime | None:
    """Return the first instant strictly after `after`, in UTC; None within the horizon."""
    step = rule.walls.step
    if rule.zone is None:
        wall = rule.walls.next_wall(_floor(after.replace(tzinfo=None), step) + step)
        return wall.replace(tzinfo=UTC) if wall else None
    if after.year >= LAST_YEAR:
        return None
    local = after.astimezone(rule.zone)
    start = _floor(local.replace(tzinfo=None, fold=0), step) + step
    # Wall times go back inside a repeated hour: first the rest of the first pass, then the second.
    if rule.both and not local.fold and (again := _second_pass(rule.zone, local)) is not None:
        return _tick_in_first_pass(rule, start, again) or _tick_from(rule, again.wall, after)
    return _tick_from(rule, start, after)


def plain_day(rule: Rule, tick: datetime) -> tuple[date, datetime] | None:
    """Return the day of `tick` in the rule's zone, and its midnight in UTC.

    None for a day with a clock change: midnight plus a wall time is not the instant then.
    """
    if rule.zone is None:
        return tick.date(), tick.replace(hour=0, minute=0, second=0, microsecond=0)
    day = tick.astimezone(rule.zone).date()
    midnight = _unchanged_midnight(rule.zone, day)
    return None if midnight is None else (day, midnight)


@lru_cache(maxsize=4096)
def _unchanged_midnight(zone: ZoneInfo, day: date) -> datetime | None:
    """The midnight of a day in UTC; None for a day with a clock change."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    ends = {
        moment.replace(fold=fold).utcoffset()
        for moment in (midnight, midnight + _DAY)
        for fold in (0, 1)
    }
    return midnight.astimezone(UTC) if len(ends) == 1 else None


class _SecondPass(NamedTuple):
    """A repeated time: the wall time after the clock went back, and the wall time just before."""

    wall: datetime
    end: datetime


def _second_pass(zone: ZoneInfo, local: datetime) -> _SecondPass | None:
    """The second pass of a repeated wall time; None for a wall time that occurs once."""
    first = local.utcoffset()
    second = local.replace(fold=1).utcoffset()
    if first is None or second is None or first <= second:
        return None
    instant = local.astimezone(UTC)
    change = offset_change(zone, instant, instant + (first - second))
    return _SecondPass(
        wall=(change + second).replace(tzinfo=None), end=(change + first).replace(tzinfo=None)
    )


def _tick_in_first_pass(rule: Rule, start: datetime, again: _SecondPass) -> datetime | None:
    """The first tick from `start` on before the clock goes back."""
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
    """The first instant after `after` with the wall time `wall`; None without one."""
    first = wall.replace(tzinfo=rule.zone)
    second = first.replace(fold=1)
    before = first.utcoffset()
    later = second.utcoffset()
    if before is None or later is None or before == later:
        tick = first.astimezone(UTC)
        return tick if tick > after else None
    if before < later:  # in a gap (PEP 495)
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
    """Return the first instant in (before, after] with another UTC offset than `before`.

    Found by halving, to the microsecond; the offset must change exactly once in between.
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
    """`moment` rounded down to the minute or the second."""
    return (
        moment.replace(second=0, microsecond=0)
        if step == _MINUTE
        else moment.replace(microsecond=0)
    )
