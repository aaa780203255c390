"""Exclusion calendars: days and hours without runs. Pure; must not know of schedules.

Days and weekly hours are wall times in the calendar's zone, whatever the zone of the schedule. A
moment is excluded on a listed day (ranges of whole days, both ends included), in a span (from a
moment to another) or in weekly hours. Weekly hours that begin or end in the gap of a clock change
do so right after the gap; at a repeated time, they begin the first and end the second time.

`icalendar` reads a calendar from an iCalendar file; `text` reads and writes the lines that an
operator edits.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, field_serializer, model_validator

from scheduler.rules.model.spec import Frozen
from scheduler.rules.time import zones
from scheduler.rules.time.instants import offset_change

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_HORIZON = timedelta(days=366 * 50)


class Days(Frozen):
    """Whole days in the calendar's zone, from `first` to `last`, both included."""

    first: date
    last: date
    title: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.last} lies before {self.first}; exchange them")
        return self


class Span(Frozen):
    """From the moment `begins` (included) until the moment `ends` (excluded)."""

    begins: AwareDatetime
    ends: AwareDatetime
    title: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError(
                f"{self.ends.isoformat()} is not later than {self.begins.isoformat()}; exchange "
                "them"
            )
        return self


class Hours(Frozen):
    """Weekly hours: on each of `days` from `begins` until `ends`.

    Hours whose `ends` is not later than `begins` last until the next day.
    """

    days: Annotated[frozenset[Weekday], Field(min_length=1)]
    begins: time = time()
    ends: time = time()
    title: str = ""

    @model_validator(mode="after")
    def _by_the_wall(self) -> Self:
        if self.begins.tzinfo or self.ends.tzinfo:
            raise ValueError(
                "weekly hours are read in the calendar's zone; write them without one, as in 22:00"
            )
        return self

    @field_serializer("days")
    def _in_order(self, days: frozenset[Weekday]) -> list[Weekday]:
        """The days in the order of the week: stored texts are compared byte for byte."""
        return [day for day in WEEKDAYS if day in days]

    @property
    def length(self) -> timedelta:
        """The length by wall time, at most a day."""
        begins, ends = (
            timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
            for at in (self.begins, self.ends)
        )
        return ends - begins if ends > begins else ends - begins + _DAY


class Calendar(Frozen):
    """A named set of excluded times."""

    name: str
    timezone: str = "UTC"
    days: tuple[Days, ...] = ()
    spans: tuple[Span, ...] = ()
    weekly: tuple[Hours, ...] = ()
    description: str = ""

    @cached_property
    def _merged(self) -> tuple[list[date], list[date]]:
        """Merged ranges of days, as two lists: first days, and days after the last ones."""
        begins: list[date] = []
        ends: list[date] = []
        for days in sorted(self.days, key=lambda days: days.first):
            if ends and days.first <= ends[-1]:
                ends[-1] = max(ends[-1], days.last + _DAY if days.last < date.max else date.max)
            else:
                begins.append(days.first)
                ends.append(days.last + _DAY if days.last < date.max else date.max)
        return begins, ends

    @cached_property
    def _merged_spans(self) -> tuple[list[datetime], list[datetime]]:
        """Merged spans, as two lists: begins and ends, in UTC."""
        begins: list[datetime] = []
        ends: list[datetime] = []
        for span in sorted(self.spans, key=lambda span: span.begins):
            if ends and span.begins <= ends[-1]:
                ends[-1] = max(ends[-1], span.ends.astimezone(UTC))
            else:
                begins.append(span.begins.astimezone(UTC))
                ends.append(span.ends.astimezone(UTC))
        return begins, ends


class SavedCalendar(Calendar):
    """A stored calendar, with identity and revision."""

    uid: str
    revision: int
    updated_at: AwareDatetime
    updated_by: str

    def calendar(self) -> Calendar:
        """Return the fields that an operator edits."""
        return Calendar(**{name: getattr(self, name) for name in Calendar.model_fields})

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form in Redis, in events and in the history."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Stretch(NamedTuple):
    """A time (after, until] that is either excluded or free as a whole."""

    is_excluded: bool
    after: datetime
    until: datetime


def excludes(calendar: Calendar, moment: datetime) -> bool:
    """Whether `calendar` excludes `moment`. Raises UnknownZone."""
    return _excluded_until(calendar, moment) is not None


def free_after(calendar: Calendar, moment: datetime) -> datetime | None:
    """Return the first free moment from `moment` (included) on, in UTC; None within 50 years.

    Raises UnknownZone.
    """
    limit = moment + _HORIZON
    while (until := _excluded_until(calendar, moment)) is not None:
        moment = until
        if moment > limit:
            return None
    return moment.astimezone(UTC)


def split(calendar: Calendar, after: datetime, until: datetime) -> Iterator[Stretch]:
    """Yield (after, until] as stretches, in order, without gaps. Raises UnknownZone."""
    while after < until:
        first = after + _MICROSECOND
        free = free_after(calendar, first)
        is_excluded = free is None or free > first
        change = free if is_excluded else _excluded_from(calendar, first)
        last = until if change is None else min(change - _MICROSECOND, until)
        yield Stretch(is_excluded, after, last)
        after = last


def _excluded_until(calendar: Calendar, moment: datetime) -> datetime | None:
    """The end of the exclusion that covers `moment`; None for a free moment."""
    zone = zones.zone(calendar.timezone)
    today = moment.astimezone(zone).date()
    begins, ends = calendar._merged
    place = bisect_right(begins, today) - 1
    if place >= 0 and today < ends[place]:
        return _midnight(ends[place], zone)
    span_begins, span_ends = calendar._merged_spans
    place = bisect_right(span_begins, moment) - 1
    found = [span_ends[place]] if place >= 0 and moment < span_ends[place] else []
    for hours in calendar.weekly:
        # Yesterday's hours may last until today.
        for day in (today, today - _DAY):
            if WEEKDAYS[day.weekday()] in hours.days and _begin(hours, day, zone) <= moment < (
                end := _end(hours, day, zone)
            ):
                found.append(end)
    return max(found, default=None)


def _excluded_from(calendar: Calendar, moment: datetime) -> datetime | None:
    """The first excluded moment after the free `moment`; None without one."""
    zone = zones.zone(calendar.timezone)
    today = moment.astimezone(zone).date()
    found: list[datetime] = []
    day_begins, _ = calendar._merged
    place = bisect_right(day_begins, today)
    if place < len(day_begins):
        found.append(_midnight(day_begins[place], zone))
    span_begins, _ = calendar._merged_spans
    place = bisect_right(span_begins, moment)
    found += span_begins[place : place + 1]
    for hours in calendar.weekly:
        found += islice(_starts_after(hours, moment, today, zone), 1)
    return min(found, default=None)


def _starts_after(
    hours: Hours, moment: datetime, today: date, zone: ZoneInfo
) -> Iterator[datetime]:
    """The beginnings of weekly hours in the two weeks after `moment`.

    Hours entirely in the gap of a clock change have no length on the day, and are left out.
    """
    for ahead in range(16):
        day = today + _DAY * ahead
        if WEEKDAYS[day.weekday()] in hours.days:
            begin = _begin(hours, day, zone)
            if moment < begin < _end(hours, day, zone):
                yield begin


def _begin(hours: Hours, day: date, zone: ZoneInfo) -> datetime:
    """When the weekly hours of a day begin."""
    return _instant(datetime.combine(day, hours.begins), zone, 0)


def _end(hours: Hours, day: date, zone: ZoneInfo) -> datetime:
    """When the weekly hours of a day end."""
    return _instant(datetime.combine(day, hours.begins) + hours.length, zone, 1)


def _instant(wall: datetime, zone: ZoneInfo, fold: int) -> datetime:
    """The instant of a wall time in UTC; for a time in a gap, the first instant after the gap."""
    at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    before, after = sorted(wall.replace(tzinfo=zone, fold=side).astimezone(UTC) for side in (0, 1))
    return offset_change(zone, before - timedelta(seconds=1), after)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in `zone`."""
    return _instant(datetime.combine(day, time()), zone, 0)
