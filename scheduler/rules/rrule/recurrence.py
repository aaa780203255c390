"""Recurrence rules (RFC 5545, section 3.3.10) as wall times: days as bits per month, times sorted.

A rule is not expanded from its start, so the next tick of a rule begun years ago, or of a rule for
29 February only, is found as fast as any other. Must not know of zones, nor of the text of a rule
(`rrule.text`).

Why not python-dateutil: dateutil goes through all ticks from the start, and Beat needs the next
tick all the time. For a rule of every seven minutes begun in 2020, the next tick in 2026 takes
dateutil 1,348 ms, and this module 0.009 ms; both results agree, also for random rules in
`tests/unit/rules/test_recurrence.py`. `python -m tests.bench.next_tick` compares more rules.
"""

from bisect import bisect_left
from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from math import gcd
from typing import Literal

from scheduler.rules.time.wall_times import HORIZON_YEARS, HOURS, LAST_YEAR

Frequency = Literal["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]

LONGEST_MONTH = 31
_DAY = timedelta(days=1)
_DAY_SECONDS = 86_400
_UNIT = {"HOURLY": 3600, "MINUTELY": 60}


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A rule with every default filled in from its start. Monday is 0, as in `datetime`."""

    frequency: Frequency
    start: datetime
    """The wall time from which `interval` and `count` count."""

    interval: int = 1
    months: frozenset[int] = frozenset(range(1, 13))
    month_days: frozenset[int] = frozenset()
    """1 to 31, or -1 to -31 from the end; empty for any day, as in the next four fields."""

    year_days: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    """(weekday, n): the nth such weekday of the month or year; from the end for a negative n."""

    nth_of_year: bool = False
    week_start: int = 0
    seconds: tuple[int, ...] = (0,)
    """The times of a day in seconds after midnight, ascending."""

    positions: frozenset[int] = frozenset()
    count: int | None = None
    until: datetime | None = None

    step = timedelta(seconds=1)

    @property
    def is_sub_daily(self) -> bool:
        """Whether the rule counts elapsed time (HOURLY or MINUTELY): see `Walls.is_sub_daily`."""
        return self.frequency in _UNIT

    @cached_property
    def runs_every_hour(self) -> bool:
        """Whether every hour of a matching day has a time."""
        return len({second // 3600 for second in self.seconds}) == HOURS

    def next_wall(self, start: datetime) -> datetime | None:
        """Return the first wall time from `start` on; None after the end or past the horizon."""
        start = max(start, self.start)
        if self.count is not None:
            place = bisect_left(self._counted, start)
            return self._counted[place] if place < len(self._counted) else None
        wall = next(self._walls(start), None)
        return None if wall is None or (self.until is not None and wall > self.until) else wall

    def times_on(self, day: date) -> Sequence[timedelta]:
        """Return the times of `day` after midnight, ascending; empty on other days."""
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time
        if not (self._month_mask(day.year, day.month) >> day.day & 1):
            return ()
        if (
            self._is_simple
            and self.start < midnight
            and (self.until is None or self.until >= midnight + _DAY)
        ):
            return [timedelta(seconds=second) for second in self._seconds_on(day)]
        times = []
        wall = self.next_wall(midnight)
        while wall is not None and wall < midnight + _DAY:
            times.append(wall - midnight)
            wall = self.next_wall(wall + self.step)
        return times

    @property
    def ever_fires(self) -> bool:
        """Whether there is a time before UNTIL and within the horizon."""
        first = next(self._walls(self.start), None)
        return first is not None and (self.until is None or first <= self.until)

    @cached_property
    def _is_simple(self) -> bool:
        """Whether the times of a day do not depend on other days: no COUNT and no BYSETPOS."""
        return self.count is None and not self.positions

    @cached_property
    def _counted(self) -> list[datetime]:
        """All times of a rule with COUNT."""
        return list(islice(self._walls(self.start), self.count))

    def _walls(self, start: datetime) -> Iterator[datetime]:
        """The wall times from `start` on, within the horizon; COUNT and UNTIL are ignored."""
        if self.positions:
            yield from self._chosen(start)
            return
        days = (
            self._days(start.date())
            if self._meeting_days is None
            else self._days_in_phase(start.date())
        )
        for day in days:
            seconds = self._seconds_on(day)
            first = 0
            if day == start.date():
                first = bisect_left(seconds, start.hour * 3600 + start.minute * 60 + start.second)
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time
            for second in seconds[first:]:
                yield midnight + timedelta(seconds=second)

    def _days(self, start: date, last: date | None = None) -> Iterator[date]:
        """The matching days from `start` on, up to the month of `last`."""
        year = start.year
        month = start.month
        day = start.day
        end = (
            (min(start.year + HORIZON_YEARS, LAST_YEAR), 12)
            if last is None
            else (last.year, last.month)
        )
        while (year, month) <= end:
            rest = self._month_mask(year, month) >> day << day if month in self.months else 0
            while rest:
                lowest = rest & -rest
                yield date(year, month, lowest.bit_length() - 1)
                rest ^= lowest
            day = 1
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)

    def _days_in_phase(self, start: date) -> Iterator[date]:
        """The matching days from `start` on, by jumps along the `_meeting_days`."""
        cycle, residues = self._meeting_days or (1, [0])
        ordinal = start.toordinal()
        base = ordinal - ordinal % cycle
        place = bisect_left(residues, ordinal - base)
        last = date(min(start.year + HORIZON_YEARS, LAST_YEAR), 12, 31).toordinal()
        while True:
            if place == len(residues):
                base += cycle
                place = 0
            ordinal = base + residues[place]
            if ordinal > last:
                return
            day = date.fromordinal(ordinal)
            if self._month_mask(day.year, day.month) >> day.day & 1:
                yield day
            place += 1

    @cached_property
    def _meeting_days(self) -> tuple[int, list[int]] | None:
        """The days of an hourly or minutely rule: (cycle, residues of day ordinals).

        None for a rule with at least one tick a month: then every day is tried. A day begins in the
        phase `ordinal * units of a day - begun` of the interval, so each phase has at most one
        residue.
        """
        unit = _UNIT.get(self.frequency)
        if unit is None or self.interval == 1:
            return None
        units = _DAY_SECONDS // unit
        common = gcd(units, self.interval)
        cycle = self.interval // common
        inverse = pow(units // common, -1, cycle)
        met = (phase + self._begun for phase in self._seconds_by_phase)
        residues = sorted(
            {number // common * inverse % cycle for number in met if number % common == 0}
        )
        return (cycle, residues) if residues and len(residues) * LONGEST_MONTH < cycle else None

    def _month_mask(self, year: int, month: int) -> int:
        """The matching days of a month: bit d is set for day d."""
        if month not in self.months:
            return 0
        mask = _month_mask(self, *monthrange(year, month))
        if self.year_days or self.weeks or (self.nth_weekdays and self.nth_of_year):
            mask &= _year_masks(self, year)[month]
        return mask & self._aligned(year, month) if mask and self.interval > 1 else mask

    def _aligned(self, year: int, month: int) -> int:
        """The days of a month that lie in every `interval`th period from the start."""
        length = monthrange(year, month)[1]
        whole = (2 << length) - 2
        if self.frequency == "YEARLY":
            return whole if (year - self.start.year) % self.interval == 0 else 0
        if self.frequency == "MONTHLY":
            passed = (year - self.start.year) * 12 + month - self.start.month
            return whole if passed % self.interval == 0 else 0
        if self.frequency == "DAILY":
            first = 1 + (self.start.toordinal() - date(year, month, 1).toordinal()) % self.interval
            return sum(1 << day for day in range(first, length + 1, self.interval))
        if self.frequency == "WEEKLY":
            ordinal = date(year, month, 1).toordinal()
            week = self._week(self.start)
            days = range(1, length + 1)
            return sum(
                1 << d for d in days if (self._week_of(ordinal + d - 1) - week) % self.interval == 0
            )
        return whole

    def _week(self, day: date) -> int:
        """The number of the week of `day`, counted from the year 1."""
        return self._week_of(day.toordinal())

    def _week_of(self, ordinal: int) -> int:
        """The number of the week of a day, by the day's ordinal."""
        # 1 January of the year 1, the ordinal 1, is a Monday.
        return (ordinal - 1 - self.week_start) // 7

    def _seconds_on(self, day: date) -> Sequence[int]:
        """The times of a matching day, in seconds after midnight."""
        unit = _UNIT.get(self.frequency)
        if unit is None or self.interval == 1:
            return self.seconds
        phase = (day.toordinal() * (_DAY_SECONDS // unit) - self._begun) % self.interval
        return self._seconds_by_phase.get(phase, ())

    @cached_property
    def _begun(self) -> int:
        """The hours (HOURLY) or minutes (MINUTELY) from the year 1 to the start."""
        seconds = (
            self.start.toordinal() * _DAY_SECONDS + self.start.hour * 3600 + self.start.minute * 60
        )
        return seconds // _UNIT[self.frequency]

    @cached_property
    def _seconds_by_phase(self) -> dict[int, list[int]]:
        """The times of a day, by the phase of the interval in which the day begins."""
        found: dict[int, list[int]] = {}
        for second in self.seconds:
            found.setdefault(-(second // _UNIT[self.frequency]) % self.interval, []).append(second)
        return found

    def _chosen(self, start: datetime) -> Iterator[datetime]:
        """The times from `start` on that BYSETPOS selects in each period."""
        for first, last in self._periods(start.date()):
            days = list(self._days_between(first, last))
            total = len(days) * len(self.seconds)
            places = {at - 1 if at > 0 else total + at for at in self.positions}
            for place in sorted(place for place in places if 0 <= place < total):
                day = days[place // len(self.seconds)]
                midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time
                wall = midnight + timedelta(seconds=self.seconds[place % len(self.seconds)])
                if wall >= start:
                    yield wall

    def _days_between(self, first: date, last: date) -> Iterator[date]:
        """The matching days from `first` to `last`, both included."""
        return (day for day in self._days(first, last) if day <= last)

    def _periods(self, start: date) -> Iterator[tuple[date, date]]:
        """The first and last days of each period, from the period of `start` on."""
        last_year = min(start.year + HORIZON_YEARS, LAST_YEAR)
        day = start
        while day.year <= last_year:
            first, last = self._period(day)
            yield first, last
            day = last + _DAY

    def _period(self, day: date) -> tuple[date, date]:
        """The first and last day of the year, month, week or day that contains `day`."""
        if self.frequency == "YEARLY":
            return date(day.year, 1, 1), date(day.year, 12, 31)
        if self.frequency == "MONTHLY":
            return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
        if self.frequency == "WEEKLY":
            first = day - _DAY * ((day.weekday() - self.week_start) % 7)
            return first, first + 6 * _DAY
        return day, day


@lru_cache(maxsize=20_000)
def _month_mask(rule: Recurrence, first: int, length: int) -> int:
    """The days of a month of this shape that match the rule's parts about months and weekdays."""
    mask = (2 << length) - 2
    if rule.month_days:
        days = {day if day > 0 else length + 1 + day for day in rule.month_days}
        mask &= sum(1 << day for day in days if 1 <= day <= length)
    if rule.weekdays or (rule.nth_weekdays and not rule.nth_of_year):
        by_weekday = sum(
            1 << day for day in range(1, length + 1) if (first + day - 1) % 7 in rule.weekdays
        )
        for weekday, which in rule.nth_weekdays if not rule.nth_of_year else ():
            same = range(1 + (weekday - first) % 7, length + 1, 7)
            place = which - 1 if which > 0 else len(same) + which
            by_weekday |= 1 << same[place] if 0 <= place < len(same) else 0
        mask &= by_weekday
    return mask


@lru_cache(maxsize=4096)
def _year_masks(rule: Recurrence, year: int) -> tuple[int, ...]:
    """For each month, the days matching the rule's parts about the year, such as BYWEEKNO."""
    january = date(year, 1, 1).toordinal()
    length = 366 if isleap(year) else 365
    days = set(range(january, january + length))
    if rule.year_days:
        days &= {january + (day - 1 if day > 0 else length + day) for day in rule.year_days}
    if rule.weeks:
        days &= {day for other in (year - 1, year, year + 1) for day in _days_of_weeks(rule, other)}
    if rule.nth_weekdays and rule.nth_of_year:
        days &= _nth_of_year(rule, january, length)
    masks = [0] * 13
    for ordinal in days:
        day = date.fromordinal(ordinal)
        masks[day.month] |= 1 << day.day
    return tuple(masks)


def _days_of_weeks(rule: Recurrence, year: int) -> Iterator[int]:
    """The ordinals of the days in the weeks of BYWEEKNO.

    A week belongs to the year with at least four of its days (ISO 8601).
    """
    first = _first_week(rule, year)
    following = _first_week(rule, year + 1)
    count = (following - first) // 7
    for week in rule.weeks:
        number = week if week > 0 else count + 1 + week
        if 1 <= number <= count:
            yield from range(first + 7 * (number - 1), first + 7 * number)


def _first_week(rule: Recurrence, year: int) -> int:
    """The ordinal of the first day of a year's first week."""
    fourth = date(year, 1, 4)
    return fourth.toordinal() - (fourth.weekday() - rule.week_start) % 7


def _nth_of_year(rule: Recurrence, january: int, length: int) -> set[int]:
    """The ordinals of the nth weekdays of a year, and of the plain weekdays in BYDAY."""
    first = (january - 1) % 7
    found = {january + day for day in range(length) if (first + day) % 7 in rule.weekdays}
    for weekday, which in rule.nth_weekdays:
        same = range((weekday - first) % 7, length, 7)
        place = which - 1 if which > 0 else len(same) + which
        if 0 <= place < len(same):
            found.add(january + same[place])
    return found


def meets_its_start(rule: Recurrence) -> bool:
    """Whether an hourly or minutely rule ever reaches a time that BYHOUR and BYMINUTE allow."""
    unit = _UNIT.get(rule.frequency)
    if unit is None:
        return True
    common = gcd(rule.interval, _DAY_SECONDS // unit)
    begun = (rule.start.hour * 3600 + rule.start.minute * 60) // unit
    return any((second // unit - begun) % common == 0 for second in rule.seconds)
