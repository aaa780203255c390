"""The ticks of every kind of schedule, as aware datetimes in UTC. Must not read a clock.

An interval is arithmetic on elapsed time; a one-off is a single moment; a crontab and a rrule are
wall times (`wall_times`, `recurrence`) in the schedule's own zone, which `instants` maps to
moments. Days without a clock change are computed as a whole. A schedule that only RedBeat can
compute has no ticks here.

Why not cronsim or croniter: neither combines Celery's reading of two day fields and of a wrapped
range with `L`, `#` and a choice for each clock change, and both go through days and minutes one by
one, so that a rare tick costs up to thirty times as much (`python -m tests.bench.next_tick`). Both
are second opinions in the tests: cronsim around every clock change of every zone, croniter on days
without a clock change (`tests/unit/rules/test_ticks_everywhere`, `test_ticks_properties`), and
Celery's own crontab for every tick in UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from scheduler.errors import BadExpression
from scheduler.rules.crontab import dialect
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RedBeatWhen,
    RruleWhen,
    When,
)
from scheduler.rules.rrule import text
from scheduler.rules.time import zones
from scheduler.rules.time.instants import Rule, next_instant, plain_day

_SECOND = timedelta(seconds=1)


def has_computable_ticks(when: When) -> bool:
    """Whether the rule alone gives the ticks.

    False for a rule that only RedBeat computes, and for an interval without an anchor, whose ticks
    follow from the last run.
    """
    if isinstance(when, IntervalWhen):
        return when.anchor is not None
    return not isinstance(when, RedBeatWhen)


def next_tick(when: When, after: datetime) -> datetime | None:
    """Return the first tick strictly after `after`, in UTC; None without a tick in fifty years.

    `after` is aware. Raises BadExpression or UnknownZone for a rule that cannot be read. The tests
    compare crontab ticks with Celery's, and rrule ticks with dateutil's (RFC 5545, section 3.3.10).
    """
    if isinstance(when, CrontabWhen | RruleWhen):
        return next_instant(rule_of(when), after.astimezone(UTC))
    if isinstance(when, IntervalWhen):
        return _interval_tick(when, after)
    if isinstance(when, OnceWhen):
        return when.at.astimezone(UTC) if when.at > after else None
    return None


def next_ticks(when: When, after: datetime, n: int) -> list[datetime]:
    """Return the first `n` ticks strictly after `after`; fewer where the schedule ends earlier."""
    ticks: list[datetime] = []
    while len(ticks) < n and (tick := next_tick(when, after)) is not None:
        ticks.append(tick)
        after = tick
    return ticks


def ticks_between(when: When, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the ticks in (after, until], in order.

    The lower bound is excluded and the upper one included: adjacent windows share no tick and miss
    none.
    """
    if isinstance(when, IntervalWhen):
        yield from _interval_ticks(when, after, until)
        return
    while (tick := next_tick(when, after)) is not None and tick <= until:
        yield tick
        after = tick
        if isinstance(when, CrontabWhen | RruleWhen):
            rest = _rest_of_day(when, tick)
            rest = rest[: bisect_right(rest, until)]
            yield from rest
            after = rest[-1] if rest else tick


def latest_tick(when: When, after: datetime, until: datetime) -> datetime | None:
    """Return the newest tick in (after, until], found by halving; None for a window without one."""
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
    """Return the number of ticks in (after, until]; counting stops at `limit`."""
    if isinstance(when, IntervalWhen):
        every = interval_of(when)
        anchor = _anchor(when)
        first = max((after - anchor) // every, 0)
        return min(max((until - anchor) // every - first, 0), limit)
    count = 0
    while count < limit and (tick := next_tick(when, after)) is not None and tick <= until:
        rest = _rest_of_day(when, tick) if isinstance(when, CrontabWhen | RruleWhen) else []
        more = bisect_right(rest, until)
        count += 1 + more
        after = rest[more - 1] if more else tick
    return min(count, limit)


def rule_of(when: CrontabWhen | RruleWhen) -> Rule:
    """Return the wall times, the zone and the clock change choices of a rule (cached).

    Raises BadExpression or UnknownZone.
    """
    if isinstance(when, CrontabWhen):
        written = when.crontab if when.resolved is None else dialect.effective(when)
        return _crontab_rule(
            written, when.timezone, when.day_match == "or", when.dst_gap, when.dst_repeat
        )
    walls = text.parse(when)
    zone = None if when.timezone == "UTC" else zones.zone(when.timezone)
    return Rule(walls, zone, shift=not walls.is_sub_daily, both=walls.is_sub_daily)


@lru_cache(maxsize=20_000)
def _crontab_rule(crontab: str, timezone: str, either: bool, dst_gap: str, dst_repeat: str) -> Rule:
    """The rule of a crontab, with `auto` resolved by Debian cron's rule (see `time.instants`)."""
    parsed = dialect.parse(crontab, "or" if either else "and")
    elapsed = parsed.is_sub_daily
    return Rule(
        walls=parsed,
        zone=None if timezone == "UTC" else zones.zone(timezone),
        shift=dst_gap == "shift" or (dst_gap == "auto" and not elapsed),
        both=dst_repeat == "both" or (dst_repeat == "auto" and elapsed),
    )


def _rest_of_day(when: CrontabWhen | RruleWhen, tick: datetime) -> list[datetime]:
    """The ticks after `tick` on the same day; empty on a day with a clock change."""
    rule = rule_of(when)
    plain = plain_day(rule, tick)
    if plain is None:
        return []
    day, midnight = plain
    times = rule.walls.times_on(day)
    return [midnight + time for time in times[bisect_right(times, tick - midnight) :]]


def interval_of(when: IntervalWhen) -> timedelta:
    """Return the length of an interval, rounded to whole microseconds. Raises BadExpression."""
    return _exact(when.every)


@lru_cache(maxsize=1024)
def _exact(seconds: float) -> timedelta:
    every = timedelta(microseconds=round(seconds * 1_000_000))
    if every <= timedelta(0):
        raise BadExpression(
            f"an interval of {seconds:g} seconds never passes; 1 second is the least", field="every"
        )
    return every


def _anchor(when: IntervalWhen) -> datetime:
    """The moment from which the ticks of an interval are counted, in UTC."""
    if when.anchor is None:
        raise BadExpression(
            "an interval needs an anchor, the moment from which it is counted", field="anchor"
        )
    return when.anchor.astimezone(UTC)


def _interval_tick(when: IntervalWhen, after: datetime) -> datetime | None:
    """The first `anchor + n * every` after `after`, n >= 1; None beyond the year 9999."""
    anchor = _anchor(when)
    every = interval_of(when)
    passed = max((after - anchor) // every, 0)
    try:
        return anchor + (passed + 1) * every
    except OverflowError:
        return None


def _interval_ticks(when: IntervalWhen, after: datetime, until: datetime) -> Iterator[datetime]:
    """The ticks of an interval in (after, until], by addition."""
    every = interval_of(when)
    tick = _interval_tick(when, after)
    while tick is not None and tick <= until:
        yield tick
        try:
            tick += every
        except OverflowError:
            return


def _latest_interval_tick(when: IntervalWhen, after: datetime, until: datetime) -> datetime | None:
    """The newest `anchor + n * every` in (after, until], n >= 1."""
    anchor = _anchor(when)
    every = interval_of(when)
    passed = (until - anchor) // every
    tick = anchor + passed * every if passed >= 1 else None
    return tick if tick is not None and tick > after else None
