"""The exclusion calendars of a set <-> plain data. Pure.

A calendar has the form of the console and of `beatdesk calendars`: a name, a time zone (by default
UTC), excluded times as lines of text, a description. Two calendars of equal form are equal.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ConfigDict, ValidationError

from scheduler.errors import Refused
from scheduler.rules.calendars import text
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.check import check_calendar
from scheduler.rules.model.spec import Frozen
from scheduler.rules.time import zones
from scheduler.sets.faults import SetFault, fault_in, shape_message
from scheduler.sets.yaml_text import Document, Path

PART = "calendars"
MAX_CALENDARS = 1_000


class CalendarEntry(Frozen):
    """A calendar in a set's form."""

    model_config = ConfigDict(strict=True)

    name: str
    timezone: str = "UTC"
    description: str = ""
    excluded: list[str] = []


def entry_of(calendar: Calendar) -> CalendarEntry:
    """The calendar in the form of a set."""
    return CalendarEntry(
        name=calendar.name,
        timezone=calendar.timezone,
        description=calendar.description,
        excluded=text.lines_of(calendar),
    )


def plain(calendar: Calendar) -> dict[str, Any]:
    """The YAML data of a calendar, without defaults."""
    return entry_of(calendar).model_dump(exclude_defaults=True)


def faults_of_frame(document: Document) -> Iterator[SetFault]:
    """The faults of the list itself."""
    given, line = document.value.get(PART), document.lines.get((PART,))
    if given is not None and not isinstance(given, list):
        yield SetFault(PART, line, "a list is wanted; write [] for none, or leave it out")
    elif given is not None and len(given) > MAX_CALENDARS:
        yield SetFault(
            PART,
            line,
            f"{len(given)} calendars are too many for one set; {MAX_CALENDARS} are allowed",
        )


def read(document: Document) -> tuple[list[Calendar], list[SetFault]]:
    """The calendars of a set whose frame has no fault, and all faults of the calendars."""
    found: list[Calendar] = []
    faults: list[SetFault] = []
    first: dict[str, int] = {}
    for at, item in enumerate(document.value.get(PART) or []):
        try:
            given = CalendarEntry.model_validate(item)
        except ValidationError as error:
            faults += [_shape_fault(document, at, one) for one in error.errors(include_url=False)]
            continue
        if given.name in first:
            again = f"{given.name!r} stands in {PART}[{first[given.name]}] already; leave one out"
            faults.append(fault_in(document, PART, at, ("name",), again))
        first.setdefault(given.name, at)
        calendar, wrong = _calendar(document, at, given)
        faults += wrong
        if calendar is not None:
            found.append(calendar)
    return found, faults


def _calendar(
    document: Document, at: int, given: CalendarEntry
) -> tuple[Calendar | None, list[SetFault]]:
    """The calendar, or all its faults."""
    try:
        zone = zones.zone(given.timezone)
    except Refused as error:
        return None, [fault_in(document, PART, at, ("timezone",), str(error))]
    parts, faults = list[text.Line](), list[SetFault]()
    for number, line in enumerate(given.excluded):
        try:
            parts.append(text.read(line, zone))
        except Refused as error:
            faults.append(fault_in(document, PART, at, ("excluded", number), str(error)))
    calendar = text.of_parts(
        given.name, parts, timezone=given.timezone, description=given.description
    )
    try:
        check_calendar(calendar)
    except Refused as error:
        where: Path = (error.field,) if error.field in CalendarEntry.model_fields else ()
        faults.append(fault_in(document, PART, at, where, str(error)))
    return None if faults else calendar, faults


def _shape_fault(document: Document, at: int, found: Any) -> SetFault:
    keys: Sequence[str] = list(CalendarEntry.model_fields)
    return fault_in(document, PART, at, tuple(found["loc"]), shape_message(found, keys))
