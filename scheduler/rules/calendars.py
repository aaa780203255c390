"""Exclusion calendars: the days and hours on which a schedule that names one does not run. Pure.

A calendar is read in its own zone. A moment is excluded when it falls on one of its days (ranges of whole days, both
ends included), in one of its spans (from one moment to another), or in one of its weekly hours. Must not know of
schedules. `icalendar` makes one of an iCalendar file.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, model_validator

from scheduler.rules import zones
from scheduler.rules.spec import Frozen

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_HORIZON = timedelta(days=366 * 50)


class Days(Frozen):
    """Whole days from `first` to `last`, both included."""

    first: date
    last: date
    title: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.last} lies before {self.first}; exchange them")
        return self


class Span(Frozen):
    """From one moment until another, which is not part of it."""

    begins: AwareDatetime
    ends: AwareDatetime
    title: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError(f"{self.ends.isoformat()} is not later than {self.begins.isoformat()}; exchange them")
        return self


class Hours(Frozen):
    """Each week, on some days, from `begins` until `ends`; where `ends` is not later, until then on the next day."""

    days: Annotated[frozenset[Weekday], Field(min_length=1)]
    begins: time = time()
    ends: time = time()
    title: str = ""

    @model_validator(mode="after")
    def _by_the_wall(self) -> Self:
        if self.begins.tzinfo or self.ends.tzinfo:
            raise ValueError("weekly hours are read in the calendar's zone; write them without one, as in 22:00")
        return self

    @property
    def length(self) -> timedelta:
        """From beginning to end by the clock on the wall."""
        begins, ends = (
            timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (self.begins, self.ends)
        )
        return ends - begins if ends > begins else ends - begins + _DAY


class Calendar(Frozen):
    """A named set of times at which schedules do not run."""

    name: str
    timezone: str = "UTC"
    days: tuple[Days, ...] = ()
    spans: tuple[Span, ...] = ()
    weekly: tuple[Hours, ...] = ()
    description: str = ""

    @cached_property
    def _merged(self) -> tuple[list[date], list[date]]:
        """The ranges of days without overlaps: where each begins, and the day after its last."""
        begins: list[date] = []
        ends: list[date] = []
        for days in sorted(self.days, key=lambda days: days.first):
            if ends and days.first <= ends[-1]:
                ends[-1] = max(ends[-1], days.last + _DAY if days.last < date.max else date.max)
            else:
                begins.append(days.first)
                ends.append(days.last + _DAY if days.last < date.max else date.max)
        return begins, ends


def excludes(calendar: Calendar, moment: datetime) -> bool:
    """Whether nothing runs at `moment`."""
    return _excluded_until(calendar, moment) is not None


def free_after(calendar: Calendar, moment: datetime) -> datetime | None:
    """`moment` itself where it is free, or the first one after it that is; none within fifty years."""
    limit = moment + _HORIZON
    while (until := _excluded_until(calendar, moment)) is not None:
        moment = until
        if moment > limit:
            return None
    return moment.astimezone(UTC)


def _excluded_until(calendar: Calendar, moment: datetime) -> datetime | None:
    """The end of what excludes `moment`; none where nothing does."""
    zone = zones.zone(calendar.timezone)
    local = moment.astimezone(zone)
    begins, ends = calendar._merged
    place = bisect_right(begins, local.date()) - 1
    if place >= 0 and local.date() < ends[place]:
        return _midnight(ends[place], zone)
    found = [span.ends for span in calendar.spans if span.begins <= moment < span.ends]
    found += [until for hours in calendar.weekly if (until := _hours_until(hours, local, zone)) is not None]
    return max(found, default=None)


def _hours_until(hours: Hours, local: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the weekly hours that `local` lies in."""
    wall = local.replace(tzinfo=None)
    for day in (local.date(), local.date() - _DAY):
        begins = datetime.combine(day, hours.begins)
        if WEEKDAYS[day.weekday()] in hours.days and begins <= wall < begins + hours.length:
            end = (begins + hours.length).replace(tzinfo=zone, fold=1)
            later = end.astimezone(UTC)
            return later if later > local else local.astimezone(UTC) + timedelta(hours=1)
    return None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
