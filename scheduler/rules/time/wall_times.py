"""The wall-clock times of a rule, before any zone: days, times of day, and the next time.

A rule with wall times (a crontab, a rrule) is a `Walls`; `instants` maps wall times to moments in
UTC. Days are found in a table of bits per shape of month, not by trying day after day. Must not
know of zones, nor of the text of a rule.
"""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Protocol

HORIZON_YEARS = 50
"""How far a search goes. The rarest date, 29 February on a given weekday, is at most 40 years away
from the next.
"""

LAST_YEAR = 9990
SHORTEST_MONTH = 28
_LONGER = (0, 3, 0, 3, 2, 3, 2, 3, 3, 2, 3, 2, 3)
"""Days of each month beyond the shortest month's; a leap year's February gets one more."""

HOURS = 24


class Walls(Protocol):
    """A rule with wall times, as `instants` needs it."""

    @property
    def step(self) -> timedelta:
        """The least distance of two times: a minute or a second."""

    @property
    def is_sub_daily(self) -> bool:
        """Whether the rule counts elapsed time: a clock change neither loses nor doubles a run."""

    @property
    def runs_every_hour(self) -> bool:
        """Whether every hour of a matching day has a time."""

    def next_wall(self, start: datetime) -> datetime | None:
        """Return the first wall time from `start` (a whole step) on; None within the horizon."""

    def times_on(self, day: date) -> Sequence[timedelta]:
        """Return the times of a day after midnight, ascending; empty on a day without ticks."""


@dataclass(frozen=True)
class Days:
    """The days that the two day fields of a crontab allow. Sunday is 0; dates begin at 1."""

    dates: frozenset[int]
    weekdays: frozenset[int]
    last_date: bool = False
    last_weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    """(weekday, n): the nth such weekday of the month."""

    either: bool = False
    """Whether a day may match either field, as in Vixie cron, and need not match both."""

    def mask(self, first: int, length: int) -> int:
        """Return the matching days of a month of `length` days: bit d is set for day d.

        `first` is the weekday of the month's first day.
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
        """Return the masks of all 28 shapes of a month, at `(length - 28) * 7 + first` (cached)."""
        return _masks(self)


@lru_cache(maxsize=4_000)
def _masks(on: Days) -> tuple[int, ...]:
    """The masks of `on`, cached, as many schedules have the same days."""
    return tuple(
        on.mask(first, length) for length in range(SHORTEST_MONTH, 32) for first in range(7)
    )


def shape(year: int, month: int) -> int:
    """Return the place of a month in `Days.masks`, by its length and its first weekday."""
    longer = _LONGER[month] + (month == 2 and isleap(year))
    # 1 January of the year 1, the ordinal 1, is a Monday.
    return longer * 7 + date(year, month, 1).toordinal() % 7


@dataclass(frozen=True)
class Crontab:
    """A parsed expression. All values are ascending; Sunday is 0."""

    texts: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    on: Days
    day_masks: tuple[int, ...] = field(repr=False)
    """The days by the shape of the month, see `Days.masks`: bit d is set for day d."""

    ignored: tuple[str, ...] = ()
    """Texts silently ignored by Celery's parser, such as the `-7` of `1-5-7`."""

    step = timedelta(minutes=1)

    @property
    def days(self) -> frozenset[int]:
        """The days of the month that are given as numbers."""
        return self.on.dates

    @property
    def weekdays(self) -> frozenset[int]:
        """The days of the week that match in every week."""
        return self.on.weekdays

    @property
    def is_sub_daily(self) -> bool:
        """Whether the minute or the hour field starts with `*`: Debian cron's rule for a job by
        elapsed time (cron(8)).
        """
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def runs_every_hour(self) -> bool:
        """Whether every hour has a time."""
        return len(self.hours) == HOURS

    @cached_property
    def times(self) -> tuple[timedelta, ...]:
        """The times of every matching day, after midnight."""
        return tuple(
            timedelta(hours=hour, minutes=minute) for hour in self.hours for minute in self.minutes
        )

    def times_on(self, day: date) -> Sequence[timedelta]:
        """Return the times of `day` after midnight, ascending; empty on a day without ticks."""
        is_matching = (
            day.month in self.months and self.day_masks[shape(day.year, day.month)] >> day.day & 1
        )
        return self.times if is_matching else ()

    def next_wall(self, start: datetime) -> datetime | None:
        """Return the first matching wall time from `start` on; None within the horizon.

        Jumps to the next matching month, day, hour and minute.
        """
        time = self._next_time(start.hour, start.minute)
        year = start.year
        month = start.month
        day = start.day
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
        """For each month, the next matching month as (years ahead, month)."""
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
