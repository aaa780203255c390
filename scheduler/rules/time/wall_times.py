"""The wall-clock times of a rule, before any zone: which days, which times of day, and the next of
both.

A rule of this kind (a crontab, an rrule) is a `Walls`; `instants` maps what it says to moments in
UTC. Days are found by one table of bits per shape of month, never by going through them. Must not
know of zones, and not how a rule is written.
"""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Protocol

HORIZON_YEARS = 50
"""How far a search goes. The rarest date, 29 February on a given weekday, returns after at most 40
years.
"""

LAST_YEAR = 9990
SHORTEST_MONTH = 28
_LONGER = (0, 3, 0, 3, 2, 3, 2, 3, 3, 2, 3, 2, 3)
"""By how many days each month is longer than the shortest, February in a leap year apart."""

HOURS = 24


class Walls(Protocol):
    """What `instants` needs of a rule."""

    @property
    def step(self) -> timedelta:
        """The distance below which no two of its times lie."""

    @property
    def is_sub_daily(self) -> bool:
        """Whether it counts elapsed time, so that a clock change neither loses nor doubles a
        run.
        """

    @property
    def runs_every_hour(self) -> bool:
        """Whether no hour of a day that counts is without a time."""

    def next_wall(self, start: datetime) -> datetime | None:
        """The first wall time from `start` on, a full step; none within the horizon."""

    def times_on(self, day: date) -> Sequence[timedelta]:
        """The times of a day, counted from its midnight, ascending; none where the day does not
        count.
        """


@dataclass(frozen=True)
class Days:
    """The days of a month that two crontab fields stand for. Sunday is 0; a month's days count from
    1.
    """

    dates: frozenset[int]
    weekdays: frozenset[int]
    last_date: bool = False
    last_weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    """(weekday, which one of the month)."""

    either: bool = False
    """Whether one of the two fields is enough, as in Vixie cron."""

    def mask(self, first: int, length: int) -> int:
        """Bit d is set when day d counts, in a month of `length` days whose first falls on the
        weekday `first`.
        """
        by_date = sum(1 << day for day in self.dates if day <= length)
        if self.last_date:
            by_date |= 1 << length
        by_weekday = sum(
            1 << day for day in range(1, length + 1) if (first + day - 1) % 7 in self.weekdays
        )
        for weekday in self.last_weekdays:
            by_weekday |= 1 << (length - (first + length - 1 - weekday) % 7)
        for weekday, which in self.nth_weekdays:
            day = 1 + (weekday - first) % 7 + 7 * (which - 1)
            by_weekday |= 1 << day if day <= length else 0
        return by_date | by_weekday if self.either else by_date & by_weekday

    def masks(self) -> tuple[int, ...]:
        """All 28 shapes of a month, at `(length - 28) * 7 + first`."""
        return _masks(self)


@lru_cache(maxsize=4_000)
def _masks(on: Days) -> tuple[int, ...]:
    """Found once for days that many schedules have in common."""
    return tuple(
        on.mask(first, length) for length in range(SHORTEST_MONTH, 32) for first in range(7)
    )


def shape(year: int, month: int) -> int:
    """The place of a month in `Days.masks`: by its length, and by the weekday of its first."""
    longer = _LONGER[month] + (month == 2 and isleap(year))
    return (
        longer * 7 + date(year, month, 1).toordinal() % 7
    )  # 1 January of the year 1, the ordinal 1, is a Monday


@dataclass(frozen=True)
class Crontab:
    """A parsed expression. All values are ascending; Sunday is 0."""

    texts: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    on: Days
    day_masks: tuple[int, ...] = field(repr=False)
    """By the shape of a month, `Days.masks`: bit d is set when the schedule runs on day d."""

    ignored: tuple[str, ...] = ()
    """What Celery's parser overlooks without a word, such as the `-7` of `1-5-7`."""

    step = timedelta(minutes=1)

    @property
    def days(self) -> frozenset[int]:
        """The days of the month that are written as numbers."""
        return self.on.dates

    @property
    def weekdays(self) -> frozenset[int]:
        """The days of the week that count in every week."""
        return self.on.weekdays

    @property
    def is_sub_daily(self) -> bool:
        """Whether Debian cron takes it for a job by elapsed time: the minute or the hour field
        starts with `*`.
        """
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def restricts_both_days(self) -> bool:
        """Whether day of month and day of week are both restricted, so that Celery and Vixie cron
        differ.
        """
        return len(self.days) < 31 and len(self.weekdays) < 7

    @property
    def runs_every_hour(self) -> bool:
        """Whether each hour has a time."""
        return len(self.hours) == HOURS

    @cached_property
    def times(self) -> tuple[timedelta, ...]:
        """The times of each day that counts."""
        return tuple(
            timedelta(hours=hour, minutes=minute) for hour in self.hours for minute in self.minutes
        )

    def times_on(self, day: date) -> Sequence[timedelta]:
        """The times of `day`; none where the day does not count."""
        counts = (
            day.month in self.months and self.day_masks[shape(day.year, day.month)] >> day.day & 1
        )
        return self.times if counts else ()

    def next_wall(self, start: datetime) -> datetime | None:
        """The first matching wall time from `start` on. Jumps to the next month, day, hour, minute
        that match.
        """
        time = self._next_time(start.hour, start.minute)
        year, month, day = start.year, start.month, start.day
        if time is None:
            time = (self.hours[0], self.minutes[0])
            day += 1
        last_year = min(year + HORIZON_YEARS, LAST_YEAR)
        while year <= last_year:
            if month in self.months:
                rest = self.day_masks[shape(year, month)] >> day << day
                if rest:
                    found = (rest & -rest).bit_length() - 1
                    hour, minute = time if found == day else (self.hours[0], self.minutes[0])
                    return datetime(year, month, found, hour, minute)  # noqa: DTZ001 - a wall time
            day = 1
            time = (self.hours[0], self.minutes[0])
            years, month = self._month_after[month]
            year += years
        return None

    @cached_property
    def _month_after(self) -> tuple[tuple[int, int], ...]:
        """For each month, the next one that counts: (years on, month). A rule of one month skips
        eleven at a time.
        """
        ascending = sorted(self.months)
        later = [next((other for other in ascending if other > month), None) for month in range(13)]
        return tuple((1, ascending[0]) if month is None else (0, month) for month in later)

    def _next_time(self, hour: int, minute: int) -> tuple[int, int] | None:
        """The first matching time of a day from hour:minute on."""
        if hour in self.hours:
            for candidate in self.minutes:
                if candidate >= minute:
                    return hour, candidate
        for candidate in self.hours:
            if candidate > hour:
                return candidate, self.minutes[0]
        return None
