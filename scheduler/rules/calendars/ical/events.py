"""A VEVENT as a value: start, length, recurrence (RFC 5545, 3.6.1). Pure.

Every moment is a `date`, for whole days, or a `datetime` with a zone. A local time skipped by the
clock is read with the offset before the gap; of a repeated local time the first counts (3.3.5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from scheduler.rules.calendars.ical import library
from scheduler.rules.calendars.ical.lines import Component, ContentLine
from scheduler.rules.calendars.ical.rules import BadEvent, Budget
from scheduler.rules.calendars.ical.zones import FileZones

LONGEST_TITLE = 200
DAY = timedelta(days=1)

_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,5})S)?)?",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 2, 9998
"""Bounds for the years of times, so that each time exists in every zone."""

_OTHER_KIND = "DTSTART and DTEND are not of the same kind; write both as dates or both as times"
_MOMENT = re.compile(r"(?P<date>\d{8})(?:T(?P<time>\d{6})(?P<utc>Z?))?", re.ASCII)
_SEQUENCE = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Length:
    """Length of an event: first `days` by the wall clock, then `exact` time (3.3.6)."""

    days: timedelta = timedelta()
    exact: timedelta = timedelta()


@dataclass(frozen=True)
class Event:
    """One VEVENT."""

    line: int
    uid: str | None
    title: str
    start: date
    """DTSTART: a day, or a moment in the zone as written."""

    length: Length = Length()
    rules: tuple[str, ...] = ()
    rules_out: tuple[str, ...] = ()
    """EXRULE, from RFC 2445 (4.8.5.2), which some programs still write."""

    dates: tuple[date, ...] = ()
    """RDATE."""

    lengths: dict[date, Length] = field(default_factory=dict)
    """Lengths of the RDATE values that are periods."""

    dates_out: tuple[date, ...] = ()
    """EXDATE."""

    recurrence_id: date | None = None
    """The changed instance of the series; None for the series itself."""

    this_and_future: bool = False
    sequence: int = 0
    is_cancelled: bool = False


def event_of(component: Component, zones: FileZones, budget: Budget) -> Event:
    """Return the event of a VEVENT. Raises BadEvent with the property, the value and the remedy."""
    if component.problem is not None:
        raise BadEvent(component.problem)
    return _Reader(component, zones, budget).event()


def title_of(component: Component) -> str:
    """Return the SUMMARY of a VEVENT as one line of printable characters (3.8.1.12)."""
    found = component.one("SUMMARY")
    text = library.plain_text(found.value[: 2 * LONGEST_TITLE]) if found is not None else ""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:LONGEST_TITLE]


class _Reader:
    """Reader of one VEVENT."""

    def __init__(self, component: Component, zones: FileZones, budget: Budget) -> None:
        self._component = component
        self._zones = zones
        self._budget = budget

    def event(self) -> Event:
        """Return the event; of a cancelled event only the cancelled instances."""
        uid = self._component.one("UID")
        status = self._component.one("STATUS")
        identifier = self._component.one("RECURRENCE-ID")
        event = Event(
            line=self._component.line,
            uid=uid.value.strip() if uid is not None and uid.value.strip() else None,
            title=title_of(self._component),
            start=date.min,
            recurrence_id=self._moment(identifier, identifier.value) if identifier else None,
            this_and_future=identifier is not None and self._is_range(identifier),
            sequence=self._sequence(),
        )
        if status is not None and status.value.strip().upper() == "CANCELLED":
            return replace(event, start=event.recurrence_id or date.min, is_cancelled=True)
        begins = self._component.one("DTSTART")
        if begins is None:
            raise BadEvent("the event has no DTSTART")
        start = self._moment(begins, begins.value)
        dates, lengths = self._dates(start)
        return replace(
            event,
            start=start,
            length=self._length(start),
            rules=self._rules("RRULE"),
            rules_out=self._rules("EXRULE"),
            dates=dates,
            lengths=lengths,
            dates_out=tuple(self._moment(found, value) for found, value in self._values("EXDATE")),
        )

    def _sequence(self) -> int:
        """Return the revision number (3.8.7.4); 0 where SEQUENCE is missing or unreadable."""
        found = self._component.one("SEQUENCE")
        text = found.value.strip() if found is not None else ""
        return int(text) if _SEQUENCE.fullmatch(text) else 0

    def _is_range(self, identifier: ContentLine) -> bool:
        """Whether later instances change too (3.2.13); not for RFC 2445's THISANDPRIOR."""
        value = identifier.parameters.get("RANGE", "").upper()
        if value not in ("", "THISANDFUTURE"):
            raise BadEvent(f"RANGE={value[:40]} of RECURRENCE-ID cannot be read; THISANDFUTURE can")
        return bool(value)

    def _rules(self, name: str) -> tuple[str, ...]:
        """Return the rules of this name.

        Some programs write an empty rule for an event without recurrence.
        """
        values = (found.value.strip() for found in self._component.all(name))
        return tuple(value for value in values if value)

    def _values(self, name: str) -> Iterator[tuple[ContentLine, str]]:
        """Yield the non-empty values of all properties of this name, each with the property."""
        for found in self._component.all(name):
            for value in found.value.split(","):
                if value.strip():
                    self._budget.spend(self._component.line)
                    yield found, value

    def _dates(self, start: date) -> tuple[tuple[date, ...], dict[date, Length]]:
        """Return RDATE (3.8.5.2): days, moments, or periods with lengths."""
        dates: list[date] = []
        lengths: dict[date, Length] = {}
        for found, value in self._values("RDATE"):
            first, slash, last = value.partition("/")
            moment = self._moment(found, first)
            dates.append(moment)
            if not slash or not isinstance(start, datetime):
                continue
            if last.strip().upper().startswith(("P", "+P")):
                lengths[moment] = self._duration(found, last, moment)
            else:
                lengths[moment] = self._between(moment, self._moment(found, last))
        return tuple(dates), lengths

    def _length(self, start: date) -> Length:
        """Return the length by DTEND or DURATION; by default the day, or a minute for a time."""
        end = self._component.one("DTEND")
        duration = self._component.one("DURATION")
        if end is not None:
            return self._between(start, self._moment(end, end.value))
        if duration is not None:
            return self._duration(duration, duration.value, start)
        if isinstance(start, datetime):
            return Length(exact=timedelta(minutes=1))
        return Length(days=DAY)

    def _between(self, start: date, end: date) -> Length:
        """Return the length from DTSTART to DTEND: days (one at least), or exact time (3.8.5.3)."""
        if isinstance(start, datetime) and isinstance(end, datetime):
            exact = end.astimezone(UTC) - start.astimezone(UTC)
            if exact < timedelta():
                raise BadEvent("the event ends before it begins")
            if not exact:
                raise BadEvent("the event has no length: it ends as it begins")
            return Length(exact=exact)
        if isinstance(start, datetime) or isinstance(end, datetime):
            raise BadEvent(_OTHER_KIND)
        if end < start:
            raise BadEvent("the event ends before it begins")
        return Length(days=max(end - start, DAY))

    def _duration(self, found: ContentLine, value: str, start: date) -> Length:
        """Return a DURATION (3.3.6): weeks and days by the wall clock, the rest as exact time."""
        matched = _DURATION.fullmatch(value.strip().upper())
        if matched is None or not any(matched.groupdict().values()):
            raise BadEvent(
                f"{found.name} {value[:40]!r} is not a length of time; write P1D or PT1H30M"
            )
        size = {unit: int(number) for unit, number in matched.groupdict().items() if number}
        days = timedelta(weeks=size.pop("weeks", 0), days=size.pop("days", 0))
        exact = timedelta(**size)
        if not isinstance(start, datetime):
            days, exact = timedelta(days=(days + exact).days), timedelta()
        if days + exact <= timedelta():
            raise BadEvent("the event ends before it begins")
        return Length(days, exact)

    def _moment(self, found: ContentLine, value: str) -> date:
        """Return a day, or a moment in UTC, the zone of TZID, or the calendar's (3.3.4, 3.3.5)."""
        matched = _MOMENT.fullmatch(value.strip().upper())
        try:
            if matched is None:
                raise ValueError(value)
            day = datetime.strptime(matched["date"], "%Y%m%d").date()  # noqa: DTZ007 - a day
            if matched["time"] is None:
                is_own = found.name in ("DTSTART", "DTEND")
                if not is_own and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                    raise ValueError(value)
                return day
            clock = time.fromisoformat(matched["time"])
            moment = datetime.combine(day, clock, self._zone(found, matched["utc"]))
            if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
                raise ValueError(value)
        except (ValueError, OverflowError):
            shown = f"{found.name} {value[:40]!r}"
            remedy = "as 20271224 or 20271224T180000Z"
            raise BadEvent(f"{shown} is not a day or a moment, {remedy}") from None
        return moment

    def _zone(self, found: ContentLine, utc: str) -> tzinfo:
        """Return the zone of a time."""
        if utc:
            return UTC
        tzid = found.parameters.get("TZID")
        return self._zones.zone(tzid, self._component.calendar) if tzid else self._zones.default
