"""An exclusion calendar for readers: its published JSON, and its excluded days. Pure."""

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
    """A day in the calendar's zone, excluded wholly or in part."""

    day: date
    is_whole: bool
    hours: str
    """The excluded hours of a partly excluded day: `22:00–24:00`."""

    titles: str


def calendar_json(saved: SavedCalendar, used_by: Sequence[str]) -> dict[str, Any]:
    """The published form of a calendar; `used_by` names its schedules."""
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
    """The published form of an unreadable calendar, with all keys."""
    keys = ("timezone", "description", "excluded", "uid", "revision", "updated_at", "updated_by")
    return {"name": name, **dict.fromkeys(keys), "used_by": list(used_by), "problem": problem}


def days_ahead(calendar: Calendar, now: datetime, count: int = DAYS_AHEAD) -> list[ExcludedDay]:
    """The excluded days from today on, `count` days ahead, in the calendar's zone."""
    zone = zones.zone(calendar.timezone)
    today = now.astimezone(zone).date()
    found: list[ExcludedDay] = []
    for ahead in range(count):
        day = today + timedelta(days=ahead)
        begins, ends = (
            datetime.combine(one, time(), zone).astimezone(UTC) - timedelta(microseconds=1)
            for one in (day, day + timedelta(days=1))
        )
        excluded = [stretch for stretch in split(calendar, begins, ends) if stretch.is_excluded]
        if excluded:
            is_whole = (excluded[0].after, excluded[-1].until, len(excluded)) == (begins, ends, 1)
            clocks = [
                f"{_clock(one.after, calendar, day)}–{_clock(one.until, calendar, day, end=True)}"
                for one in excluded
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
    """The reasons of an excluded day."""
    zone = zones.zone(calendar.timezone)
    named = [days.title for days in calendar.days if days.first <= day <= days.last]
    named += [
        span.title
        for span in calendar.spans
        if span.begins.astimezone(zone).date() <= day <= span.ends.astimezone(zone).date()
    ]
    named += [hours.title for hours in calendar.weekly if WEEKDAYS[day.weekday()] in hours.days]
    return ", ".join(dict.fromkeys(title for title in named if title))
