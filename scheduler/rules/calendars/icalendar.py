"""iCalendar text (RFC 5545, as calendar programs export it) -> an exclusion calendar. Pure.

Read are events: whole days become days, events with a time of day become spans; recurring ones are
expanded up to a date that the caller names. Cancelled events and everything that is not an event
are passed over. Must not decide what a calendar excludes: that is `calendars`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scheduler.errors import BadExpression, Refused, UnknownZone
from scheduler.rules.calendars.exclusions import Calendar, Days, Span
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.time import zones
from scheduler.rules.time.instants import Rule, next_instant

MAX_BYTES = 4_000_000
MAX_EVENTS = 10_000
"""Events, with recurring ones counted as often as they occur."""

_DAY = timedelta(days=1)
_DURATION = re.compile(
    r"\+?P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,5})S)?)?",
    re.ASCII,
)
_UNESCAPED = re.compile(r"\\([\\;,])")
_MOMENT = re.compile(r"(?P<date>\d{8})(?:T(?P<time>\d{6})(?P<utc>Z?))?", re.ASCII)


@dataclass
class _Property:
    """One line: its name, its parameters, its value."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass
class _Event:
    """The properties of one VEVENT, and the line it begins on."""

    line: int
    properties: list[_Property] = field(default_factory=list)

    def one(self, name: str) -> _Property | None:
        """The first property of that name."""
        return next((found for found in self.properties if found.name == name), None)

    def all(self, name: str) -> list[_Property]:
        """Every property of that name."""
        return [found for found in self.properties if found.name == name]


def read(text: str, *, name: str, timezone: str = "UTC", until: date) -> Calendar:
    """Make the calendar `name` of the events in `text`; recurring ones up to `until`.

    Times without a zone, and days, are read in `timezone`. Raises Refused, which names the line.
    """
    zone = zones.zone(timezone)
    if len(text) > MAX_BYTES:
        _refuse(1, f"the file has {len(text)} characters, {MAX_BYTES} are read; export fewer years")
    days: list[Days] = []
    spans: list[Span] = []
    for event in _events(text):
        status = event.one("STATUS")
        if status is not None and status.value.upper() == "CANCELLED":
            continue
        for found in _occurrences(event, zone, until):
            if isinstance(found, Days):
                days.append(found)
            else:
                spans.append(found)
            if len(days) + len(spans) > MAX_EVENTS:
                _refuse(
                    event.line,
                    f"there are more than {MAX_EVENTS} events; export fewer, or end the recurring "
                    "ones",
                )
    if not days and not spans:
        _refuse(1, "there is no event in it; export a calendar with events")
    return Calendar(name=name, timezone=timezone, days=tuple(days), spans=tuple(spans))


def _events(text: str) -> Iterator[_Event]:
    """The VEVENTs of a file, without what is nested in them."""
    inside: list[str] = []
    event: _Event | None = None
    for number, line in _unfolded(text):
        found = _property(number, line)
        value = found.value.strip().upper()
        if found.name == "BEGIN":
            inside.append(value)
            if value == "VEVENT":
                event = _Event(number)
        elif found.name == "END":
            if not inside or inside.pop() != value:
                _refuse(number, f"END:{value[:40]} ends what did not begin")
            if value == "VEVENT" and event is not None:
                yield event
                event = None
        elif event is not None and inside[-1] == "VEVENT":
            event.properties.append(found)
    if inside:
        _refuse(number, f"{inside[-1][:40]} has no end; the file is cut off")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines with their numbers: one that begins with a blank continues the one before."""
    whole, begun = "", 0
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if line[:1] in (" ", "\t"):
            whole += line[1:]
            continue
        if whole.strip():
            yield begun, whole
        whole, begun = line, number
    if whole.strip():
        yield begun, whole


def _property(number: int, line: str) -> _Property:
    """`NAME;PARAMETER=x:value`; a colon in quotes does not end the parameters."""
    quoted, end = False, -1
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            end = place
            break
    if end < 0:
        _refuse(number, f"{line[:40]!r} is not NAME:VALUE; is this an iCalendar file?")
    head, *parameters = line[:end].split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return _Property(
        head.strip().upper(),
        {key.strip().upper(): v.strip('"') for key, _, v in pairs},
        line[end + 1 :],
    )


def _occurrences(event: _Event, zone: ZoneInfo, until: date) -> Iterator[Days | Span]:
    """The event, as often as it occurs."""
    begins = event.one("DTSTART")
    if begins is None:
        _refuse(event.line, "the event has no DTSTART")
    title = event.one("SUMMARY")
    words = _UNESCAPED.sub(r"\1", title.value)[:200] if title is not None else ""
    start, start_zone = _moment(event, begins, zone)
    length = _length(event, start, zone)
    left_out = {
        _moment(event, found, zone)[0]
        for entry in event.all("EXDATE")
        for found in (
            _Property(entry.name, entry.parameters, value) for value in entry.value.split(",")
        )
    }
    for first in _starts(event, start, start_zone, until):
        if first in left_out:
            continue
        try:
            if isinstance(first, datetime):
                yield Span(begins=first, ends=first + length, title=words)
            else:
                yield Days(first=first, last=first + length - _DAY, title=words)
        except (ValidationError, OverflowError):
            _refuse(event.line, "the event ends before it begins")


def _starts(event: _Event, start: date, zone: ZoneInfo, until: date) -> Iterator[date]:
    """When the event begins: once, or by its RRULE."""
    rule = event.one("RRULE")
    if rule is None:
        yield start
        return
    whole_day = not isinstance(start, datetime)
    wall = start if isinstance(start, datetime) else datetime.combine(start, time(), zone)
    try:
        when = RruleWhen(rrule=rule.value, dtstart=wall, timezone=str(zone))
        walls = recurrence_text.parse(when)
    except BadExpression as error:
        _refuse(event.line, str(error))
    computed = Rule(walls, zone, shift=True, both=False)
    moment: datetime | None = next_instant(computed, wall.astimezone(UTC) - timedelta(seconds=1))
    for _ in range(MAX_EVENTS + 1):
        if moment is None or moment.astimezone(zone).date() > until:
            return
        yield moment.astimezone(zone).date() if whole_day else moment
        moment = next_instant(computed, moment)


def _length(event: _Event, start: date, zone: ZoneInfo) -> timedelta:
    """How long the event lasts: until DTEND, for DURATION, or the day."""
    end, duration = event.one("DTEND"), event.one("DURATION")
    if end is not None:
        moment, _ = _moment(event, end, zone)
        if isinstance(moment, datetime) != isinstance(start, datetime):
            _refuse(
                event.line,
                "DTSTART and DTEND are not of the same kind; write both as dates or both as times",
            )
        return (
            max(moment - start, _DAY)
            if not isinstance(start, datetime) and moment >= start
            else moment - start
        )
    if duration is not None:
        found = _DURATION.fullmatch(duration.value.strip().upper())
        if found is None or not any(found.groupdict().values()):
            _refuse(
                event.line, f"DURATION {duration.value[:40]!r} is not one; write P1D or PT1H30M"
            )
        return timedelta(
            **{unit: int(number) for unit, number in found.groupdict().items() if number}
        )
    return _DAY if not isinstance(start, datetime) else timedelta(minutes=1)


def _moment(event: _Event, found: _Property, zone: ZoneInfo) -> tuple[date, ZoneInfo]:
    """A day, or a moment in UTC, and the zone it was meant in."""
    match = _MOMENT.fullmatch(found.value.strip().upper())
    try:
        if match is None:
            raise ValueError(found.value)
        day = datetime.strptime(match["date"], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        if match["time"] is None:
            return day, zone
        meant = (
            ZoneInfo("UTC") if match["utc"] else zones.zone(found.parameters.get("TZID", str(zone)))
        )
        wall = datetime.combine(day, time.fromisoformat(match["time"]), meant)
        return wall.astimezone(UTC), meant
    except UnknownZone as error:
        _refuse(event.line, str(error))
    except (ValueError, OverflowError):
        _refuse(
            event.line,
            f"{found.name} {found.value[:40]!r} is not a day or a moment, as 20271224 or "
            "20271224T180000Z",
        )


def _refuse(line: int, why: str) -> NoReturn:
    raise Refused(f"line {line} of the iCalendar file: {why}", field="calendar")
