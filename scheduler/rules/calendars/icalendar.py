"""The reader of iCalendar files (RFC 5545): the text of a file becomes an exclusion calendar. Pure.

All-day events become days, events with a time of day become spans; recurring events are expanded up
to a date given by the caller. Cancelled events and other components are ignored. An unreadable
event is left out and reported with its line; the other events count. Which moments a calendar
excludes is decided in `exclusions`. The parts of the reader are in `ical`.
"""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from scheduler.rules.calendars.exclusions import Calendar, Days, Span
from scheduler.rules.calendars.ical.events import Event, event_of, title_of
from scheduler.rules.calendars.ical.lines import components, refuse
from scheduler.rules.calendars.ical.rules import BadEvent, Budget
from scheduler.rules.calendars.ical.series import Expansion, LeftOut, by_uid
from scheduler.rules.calendars.ical.zones import FileZones
from scheduler.rules.time import zones

__all__ = ["MAX_BYTES", "MAX_EVENTS", "IcalendarImport", "LeftOut", "read"]

MAX_BYTES = 4_000_000
MAX_EVENTS = 10_000
"""Most events of a file; a recurring event counts once for each occurrence."""


@dataclass(frozen=True)
class IcalendarImport:
    """The calendar of a file, and the unreadable events with their lines."""

    calendar: Calendar
    left_out: tuple[LeftOut, ...]


def read(text: str, *, name: str, timezone: str = "UTC", until: date) -> IcalendarImport:
    """Return the calendar `name` with the events in `text`, recurring events from 1970 to `until`.

    Days, and times without a zone, are read in `timezone`. Raises Refused, which names the line,
    for a text that is not an iCalendar file, has too many events, or has no readable event;
    UnknownZone for `timezone`.
    """
    zone = zones.zone(timezone)
    if len(text) > MAX_BYTES:
        refuse(1, f"the file has {len(text)} characters, {MAX_BYTES} are read; export fewer years")
    budget = Budget(MAX_EVENTS)
    expansion = Expansion(zone, until, budget)
    events = _events(text, zone, budget, expansion)
    days: list[Days] = []
    spans: list[Span] = []
    for series in by_uid(events):
        for event, excluded in expansion.instances(series):
            if isinstance(excluded, Days):
                days.append(excluded)
            else:
                spans.append(excluded)
            if len(days) + len(spans) > MAX_EVENTS:
                budget.refuse(event.line)
    left_out = tuple(sorted(expansion.left_out, key=lambda event: event.line))
    if not days and not spans:
        _refuse_empty(left_out)
    calendar = Calendar(name=name, timezone=timezone, days=tuple(days), spans=tuple(spans))
    return IcalendarImport(calendar, left_out)


def _events(text: str, zone: ZoneInfo, budget: Budget, expansion: Expansion) -> list[Event]:
    """The readable events of a file; the others are reported to `expansion`."""
    parts = components(text)
    file_zones = FileZones((part for part in parts if part.kind == "VTIMEZONE"), zone)
    events: list[Event] = []
    cancelled = 0
    for component in (part for part in parts if part.kind == "VEVENT"):
        try:
            event = event_of(component, file_zones, budget)
            cancelled += event.is_cancelled
            events.append(event)
        except BadEvent as error:
            expansion.leave_out(component.line, title_of(component), str(error))
        if len(events) - cancelled + len(expansion.left_out) > MAX_EVENTS:
            budget.refuse(component.line)
    return events


def _refuse_empty(left_out: tuple[LeftOut, ...]) -> None:
    """Raise Refused for a file without a readable event."""
    if not left_out:
        refuse(1, "the file has no event; export a calendar with events")
    first = left_out[0]
    others = f"; none of its {len(left_out)} events can be read" if len(left_out) > 1 else ""
    refuse(first.line, f"{first.reason}{others}")
