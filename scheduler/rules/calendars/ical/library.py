"""The door to icalendar and recurring-ical-events; no other module of Beatdesk imports either.

Read at icalendar 7.3 and recurring-ical-events 3.8; `tests/unit/rules/ical/test_library.py` tests
the behaviour relied on. Imported when a file is read, not when Beatdesk starts: only an import of a
calendar pays the 0.15 s.

The libraries get wall times without zones, and dates in place of rules. Zones, because icalendar
stores the zones of every file for the whole process: one file would decide for the next. Rules,
because python-dateutil inside the libraries takes seconds for rules answered at once by
`scheduler.rules.rrule.recurrence`, and never ends for some. The libraries decide on the existing
instances, and on the event of a series behind each instance. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import icalendar

_FIRST = datetime(1900, 1, 1)  # noqa: DTZ001 - a wall time
_LAST = datetime(9000, 1, 1)  # noqa: DTZ001 - a wall time
_INDEX = "X-BEATDESK-EVENT"
"""The property that carries an event's index in the series through the library."""


@dataclass(frozen=True)
class SeriesEvent:
    """One event of a series. All times are dates, or all are wall times of one zone."""

    start: date
    sequence: int = 0
    starts: Sequence[date] = ()
    """Further instances: from RRULE and RDATE."""

    excluded: Sequence[date] = ()
    """EXDATE. A date excludes every instance of the day."""

    recurrence_id: date | None = None
    """The changed instance; None for the event of the series itself."""

    this_and_future: bool = False
    """Whether the event describes the later instances too."""


@dataclass(frozen=True)
class Instance:
    """One instance of a series: the index of the describing event, and the start."""

    event: int
    start: date


def instances(events: Sequence[SeriesEvent]) -> list[Instance]:
    """Return the instances of a series, ordered by start.

    RFC 5545: RDATE (3.8.5.2), EXDATE (3.8.5.1), RECURRENCE-ID (3.8.4.4) with RANGE=THISANDFUTURE
    (3.2.13), and SEQUENCE (3.8.7.4): of several events for one instance the newest counts. DTSTART
    is the first instance (3.8.5.3). Raises OverflowError for an instance moved by thousands of
    years.
    """
    import icalendar
    from recurring_ical_events import CalendarQuery

    calendar = icalendar.Calendar()
    for index, event in enumerate(events):
        calendar.add_component(_component(index, event))
    found = [
        Instance(int(component[_INDEX]), component["DTSTART"].dt)
        for component in CalendarQuery(calendar).between(_FIRST, _LAST)
    ]
    return sorted(found, key=lambda one: (one.start.timetuple()[:6], one.event))


def windows_zone(name: str) -> str | None:
    """Return the IANA name of a Microsoft zone, by Unicode's CLDR, or None.

    Example: 'W. Europe Standard Time'.
    """
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return WINDOWS_TO_OLSON.get(name)


def plain_text(value: str) -> str:
    """Return a value of the type TEXT without escapes (RFC 5545, 3.3.11)."""
    from icalendar.parser import unescape_backslash

    return str(unescape_backslash(value))


def _component(index: int, event: SeriesEvent) -> "icalendar.Event":
    """Return the event as the library's component."""
    import icalendar

    is_timed = isinstance(event.start, datetime)
    component = icalendar.Event()
    component.add("UID", "series")
    component.add("DTSTART", event.start)
    component.add("DTEND", event.start + (timedelta(seconds=1) if is_timed else timedelta(days=1)))
    component.add("SEQUENCE", event.sequence)
    component.add(_INDEX, str(index))
    if event.starts:
        component.add("RDATE", list(event.starts))
    if event.excluded:
        component.add("EXDATE", list(event.excluded))
    if event.recurrence_id is not None:
        parameters = {"RANGE": "THISANDFUTURE"} if event.this_and_future else {}
        component.add("RECURRENCE-ID", event.recurrence_id, parameters=parameters)
    return component
