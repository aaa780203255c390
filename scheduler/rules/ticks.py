"""When a schedule is due: pure arithmetic on instants, in the schedule's own zone.

A tick is an instant in UTC. A crontab matches wall-clock times; this module maps them to instants and back:

    wall time      instants                                        where it is
    usual          one
    in a gap       the first instant after it (`shift`), or none   clocks went forward
    repeated       the first (`first`), or two (`both`)            clocks went back

`auto` is Debian cron's rule: a schedule whose minute or hour field starts with `*` counts elapsed time (`skip` and
`both`: nothing is lost, nothing doubled), a fixed-time one keeps its one run a day (`shift` and `first`).

Searches jump by fields (`cron.Crontab.day_masks`), never minute by minute. Must not read a clock.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.errors import BadExpression
from scheduler.rules import cron, zones
from scheduler.rules.spec import CrontabWhen, IntervalWhen, When

HORIZON_YEARS = 50
"""How far a search goes. The rarest date, 29 February on a given weekday, returns after at most 40 years."""

_LAST_YEAR = 9990
_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MONTH_MASKS = {length: (2 << length) - 2 for length in range(28, 32)}


class _Rule(NamedTuple):
    """A crontab schedule, resolved: what `next_tick` needs, found once."""

    cron: cron.Crontab
    zone: ZoneInfo | None
    shift: bool
    both: bool


def next_tick(when: When, after: datetime) -> datetime | None:
    """The first tick strictly after `after`; none if there is none within fifty years."""
    if isinstance(when, IntervalWhen):
        return _interval_tick(when, after)
    if not isinstance(when, CrontabWhen):
        return None
    rule = _rule(when.crontab, when.timezone, when.dst_gap, when.dst_repeat)
    return _crontab_tick(rule, after.astimezone(UTC))


def next_ticks(when: When, after: datetime, n: int) -> list[datetime]:
    """The first `n` ticks strictly after `after`."""
    ticks: list[datetime] = []
    while len(ticks) < n and (tick := next_tick(when, after)) is not None:
        ticks.append(tick)
        after = tick
    return ticks


def latest_tick(when: When, after: datetime, until: datetime) -> datetime | None:
    """The newest tick later than `after` and not later than `until`, found by halving."""
    if isinstance(when, IntervalWhen):
        return _latest_interval_tick(when, after, until)
    low = next_tick(when, after)
    if low is None or low > until:
        return None
    early = max(after, until - timedelta(hours=2))
    if early > low and (near := next_tick(when, early)) is not None and near <= until:
        low = near
    high = until
    while (following := next_tick(when, low)) is not None and following <= until:
        low = following
        while high - low > _SECOND:
            middle = low + (high - low) / 2
            tick = next_tick(when, middle)
            if tick is not None and tick <= until:
                low = tick
                break
            high = middle
    return low


def count_ticks(when: When, after: datetime, until: datetime, limit: int) -> int:
    """How many ticks lie after `after` and not after `until`; counting ends at `limit`."""
    if isinstance(when, IntervalWhen):
        every, anchor = _every(when), _anchor(when)
        first = max((after - anchor) // every, 0)
        return min(max((until - anchor) // every - first, 0), limit)
    if not isinstance(when, CrontabWhen):
        return 0
    rule = _rule(when.crontab, when.timezone, when.dst_gap, when.dst_repeat)
    count = 0
    while count < limit and (tick := next_tick(when, after)) is not None and tick <= until:
        last = _last_of_day(rule, tick)
        whole_day = last is not None and last <= until
        count += len(rule.cron.hours) * len(rule.cron.minutes) if whole_day else 1
        after = last if last is not None and whole_day else tick
    return min(count, limit)


def _last_of_day(rule: _Rule, tick: datetime) -> datetime | None:
    """The last tick of the day, if `tick` is its first and the clock does not change that day."""
    local = tick.astimezone(rule.zone or UTC)
    hours, minutes = rule.cron.hours, rule.cron.minutes
    if (local.hour, local.minute) != (hours[0], minutes[0]):
        return None
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    ends = [moment.replace(fold=fold).utcoffset() for moment in (midnight, midnight + _DAY) for fold in (0, 1)]
    if len(set(ends)) > 1:
        return None
    return local.replace(hour=hours[-1], minute=minutes[-1]).astimezone(UTC)


def _every(when: IntervalWhen) -> timedelta:
    """The interval as exact microseconds."""
    every = timedelta(microseconds=round(when.every * 1_000_000))
    if every <= timedelta(0):
        raise BadExpression(f"an interval of {when.every:g} seconds never passes; 1 second is the least", field="every")
    return every


def _anchor(when: IntervalWhen) -> datetime:
    """Where the ticks are counted from."""
    if when.anchor is None:
        raise BadExpression("an interval needs an anchor, the moment from which it is counted", field="anchor")
    return when.anchor.astimezone(UTC)


def _interval_tick(when: IntervalWhen, after: datetime) -> datetime | None:
    """The first `anchor + n * every` after `after`, n >= 1."""
    anchor, every = _anchor(when), _every(when)
    passed = max((after - anchor) // every, 0)
    try:
        return anchor + (passed + 1) * every
    except OverflowError:
        return None


def _latest_interval_tick(when: IntervalWhen, after: datetime, until: datetime) -> datetime | None:
    """The newest `anchor + n * every` in (after, until], n >= 1."""
    anchor, every = _anchor(when), _every(when)
    passed = (until - anchor) // every
    tick = anchor + passed * every if passed >= 1 else None
    return tick if tick is not None and tick > after else None


@lru_cache(maxsize=20_000)
def _rule(crontab: str, timezone: str, dst_gap: str, dst_repeat: str) -> _Rule:
    """Resolve the expression, the zone and `auto`."""
    parsed = cron.parse(crontab)
    elapsed = parsed.is_sub_daily
    return _Rule(
        cron=parsed,
        zone=None if timezone == "UTC" else zones.zone(timezone),
        shift=dst_gap == "shift" or (dst_gap == "auto" and not elapsed),
        both=dst_repeat == "both" or (dst_repeat == "auto" and elapsed),
    )


def _crontab_tick(rule: _Rule, after: datetime) -> datetime | None:
    """The first tick after `after`, an instant in UTC."""
    if rule.zone is None:
        wall = _next_wall(rule.cron, _floor(after.replace(tzinfo=None)) + _MINUTE)
        return wall.replace(tzinfo=UTC) if wall else None
    if after.year >= _LAST_YEAR:
        return None
    local = after.astimezone(rule.zone)
    wall_after = local.replace(tzinfo=None, fold=0)
    start = _floor(wall_after) + _MINUTE
    if rule.both and not local.fold and (again := _second_pass(rule.zone, local)) is not None:
        return _tick_in_first_pass(rule, start, again) or _tick_from(rule, again.wall, after)
    return _tick_from(rule, start, after)


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
    change = _offset_change(zone, instant, instant + (first - second))
    return _SecondPass(wall=(change + second).replace(tzinfo=None), end=(change + first).replace(tzinfo=None))


def _tick_in_first_pass(rule: _Rule, start: datetime, again: _SecondPass) -> datetime | None:
    """A tick that comes before the clock goes back."""
    wall = _next_wall(rule.cron, start)
    if wall is None or wall >= again.end:
        return None
    return wall.replace(tzinfo=rule.zone, fold=0).astimezone(UTC)


def _tick_from(rule: _Rule, start: datetime, after: datetime) -> datetime | None:
    """The first tick after `after` among the matching wall times from `start` on."""
    wall = _next_wall(rule.cron, start)
    while wall is not None and wall.year <= start.year + HORIZON_YEARS:
        tick = _instant(rule, wall, after)
        if tick is not None:
            return tick
        wall = _next_wall(rule.cron, wall + _MINUTE)
    return None


def _instant(rule: _Rule, wall: datetime, after: datetime) -> datetime | None:
    """The first instant after `after` at which the wall time `wall` is due; none if there is none."""
    first = wall.replace(tzinfo=rule.zone)
    second = first.replace(fold=1)
    before, later = first.utcoffset(), second.utcoffset()
    if before is None or later is None or before == later:
        tick = first.astimezone(UTC)
        return tick if tick > after else None
    if before < later:
        if not rule.shift or rule.zone is None:
            return None
        tick = _offset_change(rule.zone, second.astimezone(UTC), first.astimezone(UTC))
        return tick if tick > after else None
    tick = first.astimezone(UTC)
    if tick <= after and rule.both:
        tick = second.astimezone(UTC)
    return tick if tick > after else None


@lru_cache(maxsize=4096)
def _offset_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant after `before`, up to `after`, at which the zone's offset is no longer that of `before`."""
    old = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > _MICROSECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


def _floor(moment: datetime) -> datetime:
    """The minute that `moment` is in."""
    return moment.replace(second=0, microsecond=0)


def _next_wall(crontab: cron.Crontab, start: datetime) -> datetime | None:
    """The first matching wall time from `start` on. Jumps to the next month, day, hour, minute that match."""
    time = _next_time(crontab, start.hour, start.minute)
    year, month, day = start.year, start.month, start.day
    if time is None:
        time = (crontab.hours[0], crontab.minutes[0])
        day += 1
    last_year = min(year + HORIZON_YEARS, _LAST_YEAR)
    while year <= last_year:
        if month in crontab.months:
            first, length = monthrange(year, month)
            mask = crontab.day_masks[(first + 1) % 7] & _MONTH_MASKS[length]
            rest = mask >> day << day
            if rest:
                found = (rest & -rest).bit_length() - 1
                hour, minute = time if found == day else (crontab.hours[0], crontab.minutes[0])
                return datetime(year, month, found, hour, minute)  # noqa: DTZ001 - a wall time
        day = 1
        time = (crontab.hours[0], crontab.minutes[0])
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return None


def _next_time(crontab: cron.Crontab, hour: int, minute: int) -> tuple[int, int] | None:
    """The first matching time of a day from hour:minute on."""
    if hour in crontab.hours:
        for candidate in crontab.minutes:
            if candidate >= minute:
                return hour, candidate
    for candidate in crontab.hours:
        if candidate > hour:
            return candidate, crontab.minutes[0]
    return None
