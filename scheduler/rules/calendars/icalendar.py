"""iCalendar text, as calendar programs export it (RFC 5545) -> an exclusion calendar. Pure.

Whole days become days, events with a time of day become spans; recurring ones are expanded up to a
date that the caller names. Cancelled events and everything that is not an event are passed over. An
event that cannot be read is left out and reported with its line, and the others count. Must not
decide what a calendar excludes: that is `calendars`. The parts are in `ical`.
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
"""Events, with recurring ones counted as often as they occur."""


@dataclass(frozen=True)
class IcalendarImport:
    """The calendar of a file, and the events of it that could not be read, by their lines."""

    calendar: Calendar
    left_out: tuple[LeftOut, ...]


def read(text: str, *, name: str, timezone: str = "UTC", until: date) -> IcalendarImport:
    """Make the calendar `name` of the events in `text`; recurring ones from 1970 up to `until`.

    Times without a zone, and days, are read in `timezone`. Raises Refused, which names the line,
    where the text is no iCalendar file, has too many events, or none that can be read.
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
    left_out = tuple(sorted(expansion.left_out, key=lambda one: one.line))
    if not days and not spans:
        _refuse_empty(left_out)
    calendar = Calendar(name=name, timezone=timezone, days=tuple(days), spans=tuple(spans))
    return IcalendarImport(calendar, left_out)


def _events(text: str, zone: ZoneInfo, budget: Budget, expansion: Expansion) -> list[Event]:
    """The events of a file, without those that cannot be read."""
    found = components(text)
    file_zones = FileZones((one for one in found if one.kind == "VTIMEZONE"), zone)
    events: list[Event] = []
    cancelled = 0
    for component in (one for one in found if one.kind == "VEVENT"):
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
    """Say why a file gives no calendar."""
    if not left_out:
        refuse(1, "there is no event in it; export a calendar with events")
    first = left_out[0]
    others = f"; none of its {len(left_out)} events can be read" if len(left_out) > 1 else ""
    refuse(first.line, f"{first.reason}{others}")
