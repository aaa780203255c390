"""Exclusion calendars: the days and hours on which a schedule that names one does not run. Pure.

A calendar is read in its own zone, so that a day begins at its midnight, whatever the zone of the
schedule. A moment is excluded when it falls on one of its days (ranges of whole days, both ends
included), in one of its spans (from one moment to another), or in one of its weekly hours. Weekly
hours that begin or end at a time that the clock skips do so right after the gap; at a time that
comes twice they begin the first and end the second time.

Must not know of schedules. `icalendar` makes one of an iCalendar file, `calendar_text` reads and
writes its lines.
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
            raise ValueError(
                f"{self.ends.isoformat()} is not later than {self.begins.isoformat()}; exchange "
                "them"
            )
        return self


class Hours(Frozen):
    """Each week, on some days, from `begins` until `ends`; where `ends` is not later, until then on
    the next day.
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
        """The same text in every process: what is stored is compared byte for byte."""
        return [day for day in WEEKDAYS if day in days]

    @property
    def length(self) -> timedelta:
        """From beginning to end by the clock on the wall."""
        begins, ends = (
            timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
            for at in (self.begins, self.ends)
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

    @cached_property
    def _merged_spans(self) -> tuple[list[datetime], list[datetime]]:
        """The spans without overlaps: where each begins and ends."""
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
    """A calendar as it is stored: with its identity and its revision."""

    uid: str
    revision: int
    updated_at: AwareDatetime
    updated_by: str

    def calendar(self) -> Calendar:
        """The part that an operator edits."""
        return Calendar(**{name: getattr(self, name) for name in Calendar.model_fields})

    def to_json(self) -> dict[str, Any]:
        """As it is stored, in events and in the history."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Stretch(NamedTuple):
    """The time in (after, until], which is excluded as a whole, or free."""

    is_excluded: bool
    after: datetime
    until: datetime


def excludes(calendar: Calendar, moment: datetime) -> bool:
    """Whether nothing runs at `moment`."""
    return _excluded_until(calendar, moment) is not None


def free_after(calendar: Calendar, moment: datetime) -> datetime | None:
    """`moment` itself where it is free, or the first one after it that is; none within fifty
    years.
    """
    limit = moment + _HORIZON
    while (until := _excluded_until(calendar, moment)) is not None:
        moment = until
        if moment > limit:
            return None
    return moment.astimezone(UTC)


def split(calendar: Calendar, after: datetime, until: datetime) -> Iterator[Stretch]:
    """(after, until] as stretches, in order, without gaps."""
    while after < until:
        first = after + _MICROSECOND
        free = free_after(calendar, first)
        is_excluded = free is None or free > first
        change = free if is_excluded else _excluded_from(calendar, first)
        last = until if change is None else min(change - _MICROSECOND, until)
        yield Stretch(is_excluded, after, last)
        after = last


def _excluded_until(calendar: Calendar, moment: datetime) -> datetime | None:
    """The end of what excludes `moment`; none where nothing does."""
    zone = zones.zone(calendar.timezone)
    today = moment.astimezone(zone).date()
    begins, ends = calendar._merged
    place = bisect_right(begins, today) - 1
    if place >= 0 and today < ends[place]:
        return _midnight(ends[place], zone)
    since, till = calendar._merged_spans
    place = bisect_right(since, moment) - 1
    found = [till[place]] if place >= 0 and moment < till[place] else []
    for hours in calendar.weekly:
        for day in (today, today - _DAY):
            if WEEKDAYS[day.weekday()] in hours.days and _begin(hours, day, zone) <= moment < (
                end := _end(hours, day, zone)
            ):
                found.append(end)
    return max(found, default=None)


def _excluded_from(calendar: Calendar, moment: datetime) -> datetime | None:
    """The first moment after `moment`, which is free, that is excluded."""
    zone = zones.zone(calendar.timezone)
    today = moment.astimezone(zone).date()
    begins, since = calendar._merged[0], calendar._merged_spans[0]
    place, found = bisect_right(begins, today), list[datetime]()
    if place < len(begins):
        found.append(_midnight(begins[place], zone))
    place = bisect_right(since, moment)
    found += since[place : place + 1]
    for hours in calendar.weekly:
        found += islice(_starts_after(hours, moment, today, zone), 1)
    return min(found, default=None)


def _starts_after(
    hours: Hours, moment: datetime, today: date, zone: ZoneInfo
) -> Iterator[datetime]:
    """The beginnings after `moment` of the next two weeks. Hours that lie whole in a clock's gap
    have no length on that day, and do not begin.
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
    """The instant of a wall time; right after the gap where the clock skips it."""
    there = wall.replace(tzinfo=zone, fold=fold)
    at = there.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    before, after = sorted(wall.replace(tzinfo=zone, fold=side).astimezone(UTC) for side in (0, 1))
    return offset_change(zone, before - timedelta(seconds=1), after)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day."""
    return _instant(datetime.combine(day, time()), zone, 0)
