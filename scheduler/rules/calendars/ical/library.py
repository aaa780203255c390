"""The door to icalendar and recurring-ical-events: nothing else of Beatdesk imports them.

Read at icalendar 7.3 and recurring-ical-events 3.8; `tests/unit/rules/ical/test_library.py` holds
what is relied on. They are imported when a file is read, not when Beatdesk starts: 0.15 s that only
an import of a calendar pays.

The libraries get wall times without zones, and dates in place of rules. Zones, because icalendar
stores the zones of every file it reads for the whole process, so that one file would decide for the
next. Rules, because python-dateutil, which expands them there, takes seconds for a rule that
`scheduler.rules.rrule.recurrence` answers at once, and never ends for some. They decide which
instances there are, and which of a series' events describes each. Pure.
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
"""The property in which an event's place in the series travels through the library."""


@dataclass(frozen=True)
class SeriesEvent:
    """One event of a series. All its times are dates, or all are wall times of one zone."""

    start: date
    sequence: int = 0
    starts: Sequence[date] = ()
    """Further instances: those of its rules, and its RDATE."""

    excluded: Sequence[date] = ()
    """Its EXDATE. A date excludes every instance of that day."""

    recurrence_id: date | None = None
    """The instance that it describes; none for the event that the series is made of."""

    this_and_future: bool = False
    """Whether it describes the instances after that one too."""


@dataclass(frozen=True)
class Instance:
    """One instance of a series: which of its events describes it, and when it begins."""

    event: int
    start: date


def instances(events: Sequence[SeriesEvent]) -> list[Instance]:
    """The instances of a series, by their beginning.

    RFC 5545: RDATE (3.8.5.2), EXDATE (3.8.5.1), RECURRENCE-ID (3.8.4.4) with RANGE=THISANDFUTURE
    (3.2.13), and SEQUENCE (3.8.7.4), by which the newest of several events for one instance counts.
    DTSTART is the first instance (3.8.5.3).
    Raises OverflowError where a moved instance lies thousands of years from its place.
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
    """The IANA name of a Microsoft zone, 'W. Europe Standard Time', by Unicode's CLDR; or none."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return WINDOWS_TO_OLSON.get(name)


def plain_text(value: str) -> str:
    """A value of the type TEXT without its escapes (RFC 5545, 3.3.11)."""
    from icalendar.parser import unescape_backslash

    return str(unescape_backslash(value))


def _component(index: int, event: SeriesEvent) -> "icalendar.Event":
    """The event as the library's component."""
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
