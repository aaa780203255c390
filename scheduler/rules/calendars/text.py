"""Exclusion calendars as lines of text, one exclusion a line: reader and writer. Pure.

    2026-12-24                               a day, in the calendar's zone
    2026-12-24..2027-01-01                   days, both included
    2026-12-24T14:00..2026-12-27T06:00       a span, in the calendar's zone or with offsets
    sat-sun                                  whole days of each week
    mon-fri 22:00-06:00                      hours on some days of each week; these last until
                                             the next morning

The rest of a line is the title. The console, the command and sets in YAML use this form.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scheduler.errors import Refused
from scheduler.rules.calendars.exclusions import (
    WEEKDAYS,
    Calendar,
    Days,
    Hours,
    Span,
    Weekday,
)
from scheduler.rules.time import zones

Line = Days | Span | Hours
Dated = TypeVar("Dated", Days, Span)

KINDS = {
    "date": "2026-12-24",
    "range": "2026-12-24..2027-01-01",
    "weekly": "sat-sun",
    "hours": "mon-fri 22:00-06:00",
}
"""The kinds of lines, with an example of each."""

MAX_LINES = 10_000
"""Most lines of a calendar."""

LONGEST_TITLE = 200
"""Characters."""

FIRST_YEAR = 1970
LAST_YEAR = 2200

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCKS = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?)-(\d{1,2}:\d{2}(?::\d{2})?)", re.ASCII)


def calendar_of(
    name: str,
    lines: Sequence[str],
    *,
    timezone: str = "UTC",
    description: str = "",
    field: str = "excluded",
) -> Calendar:
    """Return the calendar `name` with the exclusions in `lines`; empty lines are ignored.

    Raises Refused with the line's number, or UnknownZone. `field` is the name of the lines in
    messages.
    """
    zone = zones.zone(timezone)
    wanted = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(wanted) > MAX_LINES:
        raise Refused(
            f"{field} has {len(wanted)} lines, {MAX_LINES} are allowed; leave out past years",
            field=field,
        )
    found: list[Line] = []
    for number, line in wanted:
        try:
            found.append(read(line, zone, field=field))
        except Refused as error:
            place = f"line {number} of {field}: " if len(lines) > 1 else f"{field}: "
            raise Refused(f"{place}{error}", field=field) from None
    return of_parts(name, found, timezone=timezone, description=description)


def of_parts(name: str, parts: Iterable[Line], *, timezone: str, description: str = "") -> Calendar:
    """Return the calendar `name` made of days, spans and weekly hours."""
    lines = list(parts)
    return Calendar(
        name=name,
        timezone=timezone,
        days=tuple(line for line in lines if isinstance(line, Days)),
        spans=tuple(line for line in lines if isinstance(line, Span)),
        weekly=tuple(line for line in lines if isinstance(line, Hours)),
        description=description,
    )


def read(line: str, zone: ZoneInfo, *, field: str = "excluded") -> Line:
    """Return the exclusion in a single line. Raises Refused with the fault and the allowed forms.

    Times without an offset are read in `zone`.
    """
    first, _, rest = line.strip().partition(" ")
    if first[:1].isdigit():
        return _dated(first, _title(rest, field), zone, field)
    clocks, _, title = rest.strip().partition(" ")
    matched = _CLOCKS.fullmatch(clocks)
    if matched is None and clocks[:1].isdigit() and ":" in clocks:
        _refuse(field, f"{clocks[:40]!r} is not a span of times of day; write 22:00-06:00")
    title = _title(title if matched else rest, field)
    begins, ends = (
        (_clock(text, field) for text in matched.groups()) if matched else (time(), time())
    )
    return Hours(days=_weekdays(first, field), begins=begins, ends=ends, title=title)


def kind_of(line: Line) -> str:
    """Return the kind of a line, a key of `KINDS`."""
    if isinstance(line, Hours):
        return "weekly" if (line.begins, line.ends) == (time(), time()) else "hours"
    return "date" if isinstance(line, Days) and line.first == line.last else "range"


def lines_of(calendar: Calendar) -> list[str]:
    """Return the exclusions of a calendar as lines; reading the lines gives the same exclusions."""
    zone = zones.zone(calendar.timezone)
    parts: list[Line] = [
        *calendar.weekly,
        *sorted(calendar.days, key=_first),
        *sorted(calendar.spans, key=_begins),
    ]
    return [line_of(part, zone) for part in parts]


def line_of(part: Line, zone: ZoneInfo) -> str:
    """Return a single exclusion as a line, with moments in `zone`."""
    if isinstance(part, Days):
        text = f"{part.first}" if part.first == part.last else f"{part.first}..{part.last}"
    elif isinstance(part, Span):
        begins = part.begins.astimezone(zone)
        ends = part.ends.astimezone(zone)
        text = f"{_shown_moment(begins)}..{_shown_moment(ends)}"
    else:
        text = _shown_weekdays(part.days)
        if (part.begins, part.ends) != (time(), time()):
            text += f" {_shown_clock(part.begins)}-{_shown_clock(part.ends)}"
    title = "".join(sign if sign.isprintable() else " " for sign in part.title)
    return f"{text} {title}".rstrip()


def _dated(text: str, title: str, zone: ZoneInfo, field: str) -> Days | Span:
    """The day, range of days or span in a line that begins with a date."""
    first, dots, last = text.partition("..")
    if "T" in text.upper():
        if not dots:
            _refuse(
                field,
                f"{text[:40]!r} has a time of day but no end; write "
                "2026-12-24T14:00..2026-12-24T18:00",
            )
        begins = _moment(first, zone, field)
        ends = _moment(last, zone, field)
        return _made(Span, field, begins=begins, ends=ends, title=title)
    begin = _day(first, field)
    return _made(Days, field, first=begin, last=_day(last, field) if dots else begin, title=title)


def _made(kind: type[Dated], field: str, **values: Any) -> Dated:
    try:
        return kind(**values)
    except ValidationError as error:
        _refuse(field, error.errors(include_url=False)[0]["msg"].removeprefix("Value error, "))


def _day(text: str, field: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        _refuse(field, f"{text[:40]!r} is not a day; write 2026-12-24, or 2026-12-24..2027-01-01")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        _refuse(field, f"{text} is too far away; the years {FIRST_YEAR} to {LAST_YEAR} are read")
    return day


def _moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    """The moment of an ISO 8601 text in UTC; without an offset, a wall time in `zone`."""
    try:
        at = datetime.fromisoformat(text)
        found = (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse(
            field,
            f"{text[:40]!r} is not a time; write 2026-12-24T14:00, with an offset where another "
            "clock is meant",
        )
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        _refuse(field, f"{text} is too far away; the years {FIRST_YEAR} to {LAST_YEAR} are read")
    if at.tzinfo is None and found.astimezone(zone).replace(tzinfo=None) != at:
        _refuse(
            field,
            f"{text} does not exist in {zone.key}, where the clock goes forward; choose another "
            "time",
        )
    return found


def _clock(text: str, field: str) -> time:
    """The time of day of a text; 24:00 is the next midnight."""
    hour, _, rest = text.partition(":")
    if (hour, rest) == ("24", "00"):
        return time()
    try:
        return time.fromisoformat(f"{hour:0>2}:{rest}")
    except ValueError:
        _refuse(field, f"{text!r} is not a time of day; use 0:00 to 24:00")


def _weekdays(text: str, field: str) -> frozenset[Weekday]:
    """The days of a text such as `sat-sun`, `mon,wed,fri` or `fri-mon`."""
    found: set[Weekday] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        for word in (first, last) if dash else (first,):
            if word not in WEEKDAYS:
                _refuse(
                    field,
                    f"{word[:40]!r} is neither a day of the week ({', '.join(WEEKDAYS)}) nor a "
                    "date; write sat-sun, mon-fri 22:00-06:00, 2026-12-24 or "
                    "2026-12-24..2027-01-01",
                )
        begin, end = (WEEKDAYS.index(word) for word in (first, last if dash else first))
        found.update(WEEKDAYS[(begin + step) % 7] for step in range((end - begin) % 7 + 1))
    return frozenset(found)


def _title(text: str, field: str) -> str:
    title = text.strip()
    if len(title) > LONGEST_TITLE:
        _refuse(
            field, f"the title has {len(title)} characters, {LONGEST_TITLE} are allowed; shorten it"
        )
    if any(sign < " " or "\ud800" <= sign <= "\udfff" for sign in title):
        _refuse(field, "the title has a character that cannot be stored; remove it")
    return title


def _shown_weekdays(days: frozenset[Weekday]) -> str:
    """The days as text, adjacent days as a range."""
    runs: list[list[Weekday]] = []
    for day in (day for day in WEEKDAYS if day in days):
        if runs and WEEKDAYS.index(day) == WEEKDAYS.index(runs[-1][-1]) + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _shown_clock(at: time) -> str:
    return at.isoformat(timespec="auto" if at.second else "minutes")


def _shown_moment(at: datetime) -> str:
    """A moment as text with its offset: unambiguous in a repeated hour."""
    return at.isoformat(timespec="seconds" if at.second or at.microsecond else "minutes")


def _first(days: Days) -> date:
    return days.first


def _begins(span: Span) -> datetime:
    return span.begins


def _refuse(field: str, why: str) -> NoReturn:
    raise Refused(why, field=field)
