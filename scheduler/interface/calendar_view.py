"""What is shown of an exclusion calendar: its published JSON, and the days that it excludes.
Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from scheduler.interface.published import rfc3339
from scheduler.rules.calendars.exclusions import (
    WEEKDAYS,
    Calendar,
    SavedCalendar,
    split,
)
from scheduler.rules.calendars.text import lines_of
from scheduler.rules.time import zones

DAYS_AHEAD = 90


@dataclass(frozen=True)
class ExcludedDay:
    """A day of the calendar's zone of which something is excluded."""

    day: date
    is_whole: bool
    hours: str
    """What is excluded of a day that is not excluded as a whole: `22:00–24:00`."""

    titles: str


def calendar_json(saved: SavedCalendar, used_by: Sequence[str]) -> dict[str, Any]:
    """The published form of a calendar, with the schedules that name it."""
    return {
        "name": saved.name,
        "timezone": saved.timezone,
        "description": saved.description,
        "excluded": lines_of(saved),
        "used_by": list(used_by),
        "uid": saved.uid,
        "revision": saved.revision,
        "updated_at": rfc3339(saved.updated_at),
        "updated_by": saved.updated_by,
        "problem": None,
    }


def damaged_json(name: str, problem: str, used_by: Sequence[str]) -> dict[str, Any]:
    """The same keys for a calendar that cannot be read."""
    keys = ("timezone", "description", "excluded", "uid", "revision", "updated_at", "updated_by")
    return {"name": name, **dict.fromkeys(keys), "used_by": list(used_by), "problem": problem}


def days_ahead(calendar: Calendar, now: datetime, count: int = DAYS_AHEAD) -> list[ExcludedDay]:
    """The days from today on, in the calendar's zone, of which something is excluded."""
    zone = zones.zone(calendar.timezone)
    today = now.astimezone(zone).date()
    found: list[ExcludedDay] = []
    for ahead in range(count):
        day = today + timedelta(days=ahead)
        begins, ends = (
            datetime.combine(one, time(), zone).astimezone(UTC) - timedelta(microseconds=1)
            for one in (day, day + timedelta(days=1))
        )
        out = [stretch for stretch in split(calendar, begins, ends) if stretch.is_excluded]
        if out:
            is_whole = (out[0].after, out[-1].until, len(out)) == (begins, ends, 1)
            clocks = [
                f"{_clock(one.after, calendar, day)}–{_clock(one.until, calendar, day, end=True)}"
                for one in out
            ]
            found.append(
                ExcludedDay(
                    day, is_whole, "" if is_whole else ", ".join(clocks), _titles(calendar, day)
                )
            )
    return found


def _clock(moment: datetime, calendar: Calendar, day: date, *, end: bool = False) -> str:
    """The time of day right after `moment`; the end of the day is 24:00."""
    local = (moment + timedelta(microseconds=1)).astimezone(zones.zone(calendar.timezone))
    return "24:00" if end and local.date() > day else f"{local:%H:%M}"


def _titles(calendar: Calendar, day: date) -> str:
    """What the day is excluded for."""
    zone = zones.zone(calendar.timezone)
    named = [days.title for days in calendar.days if days.first <= day <= days.last]
    named += [
        span.title
        for span in calendar.spans
        if span.begins.astimezone(zone).date() <= day <= span.ends.astimezone(zone).date()
    ]
    named += [hours.title for hours in calendar.weekly if WEEKDAYS[day.weekday()] in hours.days]
    return ", ".join(dict.fromkeys(title for title in named if title))
