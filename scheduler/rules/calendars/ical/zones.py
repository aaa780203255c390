"""The zones named in an iCalendar file: IANA's, Microsoft's, and the file's own. Pure.

RFC 5545, 3.2.19 (TZID) and 3.6.5 (VTIMEZONE). A TZID is looked up in this order:
1. an IANA name with a place (`Europe/Berlin`), or UTC;
2. a Microsoft name (`W. Europe Standard Time`), by Unicode's table;
3. the file's own VTIMEZONE;
4. an IANA name behind a vendor's prefix (`/example.org/20260101/Europe/Berlin`);
5. an IANA name without a place (`EST`), last, because a definition in the file is better.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from scheduler.errors import UnknownZone
from scheduler.rules.calendars.ical import library
from scheduler.rules.calendars.ical.lines import Component, ContentLine
from scheduler.rules.calendars.ical.rules import BadEvent, rule_starts
from scheduler.rules.time import zones

MAX_CHANGES = 20_000
"""Most clock changes in all VTIMEZONEs of one file; one zone has about 500."""

_HINTS = 20
"""Most unknown names per file for which the nearest IANA name is searched, a slow search."""

_LONGEST_PLACE = 3
"""Parts of the longest IANA names, such as America/Argentina/Buenos_Aires."""

_LAST_CHANGE = datetime(2200, 1, 1)  # noqa: DTZ001 - a wall time
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})?", re.ASCII)
_MOMENT = re.compile(r"\d{8}T\d{6}", re.ASCII)

Change = tuple[datetime, timedelta, timedelta]
"""A clock change: the wall time by the old offset, the old offset, the new offset."""


class FileZones:
    """The zones of one file, each built on first use."""

    def __init__(self, components: Iterable[Component], default: ZoneInfo) -> None:
        """`default` is the calendar's zone, for days and times without a zone (3.3.5, form 1)."""
        self.default = default
        self._definitions: dict[tuple[int, str], Component] = {}
        for component in components:
            name = component.one("TZID")
            if name is not None:
                self._definitions.setdefault((component.calendar, name.value.strip()), component)
        self._found: dict[tuple[int, str], tzinfo] = {}
        self._unknown: dict[tuple[int, str], str] = {}
        self._changes_left = MAX_CHANGES

    def zone(self, tzid: str, calendar: int) -> tzinfo:
        """Return the zone `tzid` of a VCALENDAR. Raises BadEvent, with a suggested name."""
        key = (calendar, tzid.strip())
        if key in self._unknown:
            raise BadEvent(self._unknown[key])
        if key not in self._found:
            try:
                self._found[key] = self._look_up(key)
            except BadEvent as error:
                self._unknown[key] = str(error)
                raise
        return self._found[key]

    def _look_up(self, key: tuple[int, str]) -> tzinfo:
        """Return the zone, searched in the order of the module's docstring."""
        name = key[1]
        definition = self._definitions.get(key)
        iana = _iana(name)
        if iana is not None and ("/" in name or name in ("UTC", "GMT")):
            return iana
        by_microsoft = _iana(library.windows_zone(name) or "")
        if by_microsoft is not None:
            return by_microsoft
        if definition is not None:
            return self._defined(name, definition)
        tail = name.split("/")[1:][-_LONGEST_PLACE:] if name.startswith("/") else []
        behind_prefix = (_iana("/".join(tail[place:])) for place in range(len(tail)))
        found = next((one for one in (*behind_prefix, iana) if one is not None), None)
        if found is None:
            raise BadEvent(self._refusal(name))
        return found

    def _defined(self, name: str, definition: Component) -> tzinfo:
        """Return the zone of a VTIMEZONE: by the IANA name a program wrote, else by the rules."""
        place = definition.one("X-LIC-LOCATION")
        iana = _iana(place.value.strip()) if place is not None else None
        if iana is not None:
            return iana
        shown = f"the time zone {name[:100]!r}, line {definition.line},"
        try:
            changes = list(self._changes(definition))
        except BadEvent as error:
            raise BadEvent(f"{shown} cannot be read: {error}") from None
        if not changes:
            raise BadEvent(f"{shown} has no STANDARD or DAYLIGHT part")
        return RuleZone(name, changes)

    def _changes(self, definition: Component) -> Iterator[Change]:
        """Yield the clock changes of a VTIMEZONE. Raises BadEvent for a file with too many."""
        if definition.problem is not None:
            raise BadEvent(definition.problem)
        for part in definition.parts:
            for change in _changes(part):
                self._changes_left -= 1
                if self._changes_left < 0:
                    raise BadEvent(f"the file's zones have more than {MAX_CHANGES} clock changes")
                yield change

    def _refusal(self, name: str) -> str:
        """Return a message with a replacement for an unknown name."""
        if len(self._unknown) < _HINTS:
            try:
                zones.zone(name)
            except UnknownZone as error:
                return str(error)
        return f"there is no time zone {name[:100]!r}; use an IANA name such as 'Europe/Berlin'"


class RuleZone(tzinfo):
    """A zone by clock changes, as a VTIMEZONE defines the zone (3.6.5)."""

    def __init__(self, name: str, changes: Iterable[Change]) -> None:
        """`changes` may come in any order."""
        ordered = sorted(set(changes), key=lambda change: change[0] - change[1])
        self._name = name
        self._moments = [wall - old for wall, old, _ in ordered]
        self._offsets = [ordered[0][1], *(new for _, _, new in ordered)]
        pairs = list(zip(self._moments, pairwise(self._offsets), strict=True))
        self._walls = (
            [moment + max(before, after) for moment, (before, after) in pairs],
            [moment + min(before, after) for moment, (before, after) in pairs],
        )
        """By fold: wall times from which an offset counts; in a gap the old offset counts (3.3.5).
        """

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return the offset of a wall time; for a repeated wall time `fold` decides."""
        if moment is None:
            return None
        walls = self._walls[moment.fold]
        return self._offsets[bisect_right(walls, moment.replace(tzinfo=None, fold=0))]

    def fromutc(self, moment: datetime) -> datetime:
        """Return a time in UTC, with this zone attached, as a wall time of the zone."""
        plain = moment.replace(tzinfo=None)
        place = bisect_right(self._moments, plain)
        wall = plain + self._offsets[place]
        is_second = place > 0 and wall < self._moments[place - 1] + self._offsets[place - 1]
        return wall.replace(tzinfo=self, fold=int(is_second))

    def dst(self, moment: datetime | None) -> None:
        """Return None: daylight saving is part of the offset."""

    def tzname(self, moment: datetime | None) -> str:
        """Return the TZID."""
        return self._name


def _iana(name: str) -> ZoneInfo | None:
    """Return the IANA zone of exactly this name, or None."""
    try:
        return zones.zone(name) if name in zones.zone_names() else None
    except UnknownZone:
        return None


def _changes(part: Component) -> Iterator[Change]:
    """Yield the clock changes of a STANDARD or DAYLIGHT part: DTSTART, RRULE and RDATE."""
    old = _offset(part, "TZOFFSETFROM")
    new = _offset(part, "TZOFFSETTO")
    begins = part.one("DTSTART")
    if begins is None:
        raise BadEvent(f"the {part.kind} of line {part.line} has no DTSTART")
    start = _wall(begins, begins.value)
    yield start, old, new
    for rule in part.all("RRULE"):
        for wall in rule_starts(rule.value, start, timezone(old), _LAST_CHANGE):
            yield wall, old, new
    for dates in part.all("RDATE"):
        for value in filter(None, dates.value.split(",")):
            yield _wall(dates, value), old, new


def _offset(part: Component, name: str) -> timedelta:
    """Return an offset from UTC of less than a day: +0100 or -053000 (3.3.14)."""
    found = part.one(name)
    matched = _OFFSET.fullmatch(found.value.strip()) if found is not None else None
    if found is None or matched is None:
        shown = (
            f"{name} {found.value[:40]!r} is not an offset"
            if found
            else f"{part.kind} has no {name}"
        )
        raise BadEvent(f"{shown}; write an offset as +0100")
    hours, minutes, seconds = (int(matched[unit] or 0) for unit in ("h", "m", "s"))
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if size >= timedelta(days=1):
        raise BadEvent(f"{name} {found.value[:40]!r} is not an offset; write an offset as +0100")
    return -size if matched["sign"] == "-" else size


def _wall(found: ContentLine, value: str) -> datetime:
    """Return a wall time, such as 20271031T030000."""
    text = value.strip().upper().removesuffix("Z")
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError(value)
        wall = datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time
        if wall.year in (1, 9999):
            raise ValueError(value)
    except ValueError:
        raise BadEvent(f"{found.name} {value[:40]!r} is not a time, as 20271031T030000") from None
    return wall
