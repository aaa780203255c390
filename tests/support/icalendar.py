"""iCalendar text for tests, and the calendar read from it."""

from datetime import date

from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.calendars.icalendar import IcalendarImport

UNTIL = date(2030, 12, 31)


def event(*lines: str) -> str:
    """A VEVENT of these lines."""
    return "\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def file(*components: str) -> str:
    """A VCALENDAR of these components."""
    return "\n".join(("BEGIN:VCALENDAR", *components, "END:VCALENDAR", ""))


def imported(text: str, *, timezone: str = "UTC", until: date = UNTIL) -> IcalendarImport:
    """The calendar of a file, and the omitted parts."""
    return icalendar.read(text, name="c", timezone=timezone, until=until)


def complete(text: str, *, timezone: str = "UTC", until: date = UNTIL) -> Calendar:
    """The calendar of a file without omitted parts."""
    found = imported(text, timezone=timezone, until=until)
    assert found.left_out == ()
    return found.calendar


def days(calendar: Calendar) -> list[str]:
    """The days of a calendar as text, in order."""
    assert calendar.spans == ()
    ranges = sorted((f"{one.first}", f"{one.last}") for one in calendar.days)
    return [first if first == last else f"{first}..{last}" for first, last in ranges]


def spans(calendar: Calendar) -> list[str]:
    """The spans of a calendar in UTC, in order."""
    assert calendar.days == ()
    form = "%Y-%m-%dT%H:%M"
    return sorted(f"{one.begins:{form}}..{one.ends:{form}}" for one in calendar.spans)
