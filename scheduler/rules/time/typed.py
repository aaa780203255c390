"""Times and lengths of time as typed by people, for commands and forms alike. Pure.

`now` is an argument.

| typed | a time to come | a time that has passed |
| --- | --- | --- |
| `3 days`, `3d`, `90s`, `15 min`, `24h` | so long from now | so long ago |
| `08:00`, `08:00:30` | the next one | the last one |
| `monday 8:00`, `mon 8:00` | the next Monday's | the last Monday's |
| `today 8:00`, `tomorrow 7:00`, `yesterday 7:00` | that day's | that day's |
| `2026-11-23T05:00:00Z`, `2026-11-23 06:00:00+01:00` | that instant | that instant |
| `2026-11-23 06:00`, `2026-11-23` | the clock of `plain_zone`, or refused | the same |

Clocks are read in `zone`: the schedule's zone, or else the setting `default_timezone`. A last word
names another: `08:00 UTC`, `monday 8:00 Asia/Tokyo`.

Clock changes follow the rule for fixed times in `rules.time.instants`. A repeated time is the first
of the two. A time of day skipped by the clock is the first instant after the gap; a date with a
skipped time is refused, because somebody had one moment in mind, and the moment does not exist.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.errors import Refused, UnknownZone
from scheduler.rules.model.spec import CrontabWhen, RruleWhen, When
from scheduler.rules.time import zones
from scheduler.rules.time.instants import offset_change

UTC_ZONE = ZoneInfo("UTC")
YEARS = 1970, 2200
"""The years that schedules and histories can be about."""

COMPUTABLE = 2, 9998
"""The years whose instants have a wall time in every zone: Python knows the years 1 to 9999."""

MOST_SHOWN = 60
"""Characters of a typed text that a refusal repeats."""

_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_SHORT_UNITS = {"d": 86_400, "h": 3600, "m": 60}
_DISTANCE = re.compile(rf"(\d{{1,9}})\s*({'|'.join(_UNITS)})", re.IGNORECASE)
_LENGTH = re.compile(rf"([0-9]++(?:\.[0-9]++)?|\.[0-9]++)\s*+({'|'.join(_UNITS)})", re.IGNORECASE)
"""Possessive: with two ways to divide the digits, 20,000 of them took half a minute."""

_CLOCK = re.compile(
    r"(?:(?P<day>[a-z]+)\s+)?(?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2})?)", re.IGNORECASE | re.ASCII
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_ZONE_WORD = re.compile(r"(?P<time>.+\d)\s+(?P<zone>UTC|[A-Za-z]\w*(?:/[\w+-]+)+)", re.ASCII)
_WITH_OFFSET = "2026-11-23T05:00:00Z"

Zone = ZoneInfo | Callable[[], ZoneInfo]
"""A zone, or a function returning one: a schedule's zone costs a round trip, and most times need
none.
"""


class Direction(Enum):
    """Where a time without a date lies, with the remedy that a refusal names."""

    AHEAD = "write 2h or 3 days from now, 08:00, monday 8:00, tomorrow 7:00"
    PAST = "write 24h or 7d for how long ago, 08:00, monday 8:00, yesterday 7:00"


class BadTime(Refused):
    """A text that is no time, or no length. `fault` and `remedy` are without the field's name."""

    def __init__(self, field: str, fault: str, remedy: str) -> None:
        super().__init__(f"{field}: {fault}; {remedy}", field=field)
        self.fault = fault
        self.remedy = remedy

    @property
    def beside_field(self) -> str:
        """The refusal for a form, shown beside the field."""
        return f"{self.fault}. {self.remedy[:1].upper()}{self.remedy[1:]}."


class Typed(NamedTuple):
    """A typed text with the name of its field."""

    text: str
    field: str
    years: tuple[int, int] | None
    remedy: str

    def refusal(self, fault: str, remedy: str | None = None) -> BadTime:
        """The refusal of this text, shortened if long."""
        shown = self.text if len(self.text) <= MOST_SHOWN else self.text[:MOST_SHOWN] + "…"
        return BadTime(self.field, f"{shown!r} {fault}", remedy or self.remedy)


def read_time(
    text: str,
    field: str,
    *,
    now: datetime,
    direction: Direction,
    zone: Zone = UTC_ZONE,
    plain_zone: Zone | None = None,
    plain_hint: str = "",
    years: tuple[int, int] | None = YEARS,
) -> datetime:
    """The instant in UTC of `text`, see the table above.

    `plain_zone` is the clock of a date without an offset; without one, such dates are refused.
    `plain_hint` is an example of a date with its clock, for refusals. A time outside `years` is
    refused; None accepts every computable time. Raises BadTime, and UnknownZone for an invalid
    zone.
    """
    remedy = f"{direction.value}, or {plain_hint or _WITH_OFFSET}"
    typed = Typed(text.strip(), field, years, remedy)
    distance = _DISTANCE.fullmatch(typed.text)
    if distance is not None:
        length = int(distance[1]) * _UNITS[distance[2].lower()]
        return _within(
            typed,
            lambda: now + timedelta(seconds=length if direction is Direction.AHEAD else -length),
        )
    words, named = _without_zone(typed)
    clock = _CLOCK.fullmatch(words)
    if clock is not None:
        return _within(
            typed, lambda: _on_clock(typed, clock, now, direction, named or _found(zone))
        )
    return _dated(typed, words, named or plain_zone)


def read_instant(
    text: str,
    field: str,
    *,
    plain_zone: Zone | None = None,
    remedy: str = f"write it as {_WITH_OFFSET} or with an offset, 2026-11-23T06:00:00+01:00",
    years: tuple[int, int] | None = YEARS,
) -> datetime:
    """The instant in UTC of a whole date and time. Raises as `read_time` does."""
    typed = Typed(text.strip(), field, years, remedy)
    words, named = _without_zone(typed)
    return _dated(typed, words, named or plain_zone)


def read_length(text: str, field: str) -> float:
    """A length of time in seconds: a number, or `90s`, `15m`, `1.5 h`, `3 days`. Raises BadTime.

    Negative and infinite numbers pass here, and are judged by the rule of the field.
    """
    typed = Typed(text.strip(), field, None, "write seconds, or 15m, 2h, 1d")
    length = _LENGTH.fullmatch(typed.text)
    try:
        seconds = (
            float(length[1]) * _UNITS[length[2].lower()]
            if length is not None
            else float(typed.text)
        )
    except ValueError:
        raise typed.refusal("is not a length of time") from None
    return seconds


def written_time(at: datetime, zone: ZoneInfo) -> str:
    """The instant as `read_instant(…, plain_zone=zone)` reads it; with an offset in doubt."""
    local = at.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    if wall.replace(tzinfo=zone).astimezone(UTC) != at:
        return local.isoformat()
    return wall.isoformat(timespec="auto" if wall.second or wall.microsecond else "minutes")


def written_length(seconds: float) -> str:
    """Seconds as text for `read_length`, in the largest unit with a whole number."""
    for unit, size in _SHORT_UNITS.items():
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.15g}"


def clock_zone(when: When, default: str) -> ZoneInfo:
    """The zone for times of day beside a rule: the rule's own zone, or the default one."""
    return zones.zone(when.timezone if isinstance(when, CrontabWhen | RruleWhen) else default)


def _without_zone(typed: Typed) -> tuple[str, ZoneInfo | None]:
    """The text without a zone as its last word, and the zone."""
    match = _ZONE_WORD.fullmatch(typed.text)
    if match is None:
        return typed.text, None
    try:
        return match["time"], zones.zone(match["zone"])
    except UnknownZone as error:
        raise UnknownZone(f"{typed.field}: {error}", field=typed.field) from None


def _on_clock(
    typed: Typed, clock: re.Match[str], now: datetime, direction: Direction, zone: ZoneInfo
) -> datetime:
    """The instant of a time of day, on a named day or on the first that fits."""
    try:
        at = time.fromisoformat(f"{clock['hour']:0>2}:{clock['rest']}")
    except ValueError:
        raise typed.refusal("is not a time of day", "write 08:00, from 00:00 to 23:59") from None
    word = (clock["day"] or "").lower()
    today = now.astimezone(zone).date()
    if word in _DAYS:
        return _shifted(today + timedelta(days=_DAYS[word]), at, zone)
    if not word:
        fits = set(range(len(_WEEKDAYS)))
    else:
        fits = {number for number, name in enumerate(_WEEKDAYS) if word in (name, name[:3])}
        if not fits:
            raise typed.refusal(
                f"has the unknown day {word!r}",
                "write monday or mon, today or tomorrow",
            )
    step = timedelta(days=1 if direction is Direction.AHEAD else -1)
    day = today - step  # shifted into a gap at midnight, yesterday's time may still be ahead
    while True:
        if day.weekday() in fits:
            found = _shifted(day, at, zone)
            if found > now if direction is Direction.AHEAD else found <= now:
                return found
        day += step


def _shifted(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant of a wall time; the first one after the gap for a skipped time."""
    first = datetime.combine(day, at, zone)
    second = first.replace(fold=1)
    before, later = first.utcoffset(), second.utcoffset()
    if before is not None and later is not None and before < later:
        return offset_change(zone, second.astimezone(UTC), first.astimezone(UTC))
    return first.astimezone(UTC)


def _dated(typed: Typed, words: str, plain_zone: Zone | None) -> datetime:
    """The instant of a date and time in ISO 8601."""
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        raise typed.refusal("is not a time") from None
    if at.tzinfo is not None:
        return _within(typed, lambda: at.astimezone(UTC))
    if plain_zone is None:
        raise typed.refusal("has no time zone")
    zone = _found(plain_zone)
    found = _within(typed, lambda: at.replace(tzinfo=zone).astimezone(UTC))
    if found.astimezone(zone).replace(tzinfo=None) != at:
        raise typed.refusal(
            f"does not exist in {zone.key}, where the clock goes forward", "choose another time"
        )
    return found


def _found(zone: Zone) -> ZoneInfo:
    return zone if isinstance(zone, ZoneInfo) else zone()


def _within(typed: Typed, reckon: Callable[[], datetime]) -> datetime:
    """The instant, if within the range of schedules and histories."""
    years = typed.years or COMPUTABLE
    try:
        at = reckon()
    except OverflowError:
        if typed.years is None:
            raise typed.refusal("is not a time") from None
        raise typed.refusal("is too far away", _readable(years)) from None
    if not years[0] <= at.year <= years[1]:
        raise typed.refusal("is too far away", _readable(years))
    return at


def _readable(years: tuple[int, int]) -> str:
    return f"the years {years[0]} to {years[1]} are read"
