"""The reader of RRULE text (RFC 5545, section 3.3.10), with a message for every wrong part.

The text is a single RRULE, with or without `RRULE:`; start and zone are given beside the text.
Must not compute ticks.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, NoReturn

from scheduler.errors import BadExpression
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule.recurrence import Frequency, Recurrence, meets_its_start
from scheduler.rules.time import zones

FIRST_YEAR = 1970
LAST_YEAR = 2200
MAX_LENGTH = 1000
MAX_COUNT = 10_000
MAX_INTERVAL = 10_000
MAX_TIMES = 1440
"""Most times of a day; for more than a time a minute there are intervals."""

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES: tuple[Frequency, ...] = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")

_DAY = re.compile(r"(?P<which>[+-]?\d{1,2})?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_UNTIL = re.compile(r"(?P<date>\d{8})(?:T(?P<time>\d{6})(?P<utc>Z?))?", re.ASCII)


class _Range(NamedTuple):
    """The allowed numbers of a list part; `mirrored` allows negative numbers, from the end."""

    least: int
    greatest: int
    mirrored: bool = False

    @property
    def words(self) -> str:
        more = f" or -{self.greatest} to -{self.least}" if self.mirrored else ""
        return f"{self.least} to {self.greatest}{more}"


_LISTS = {
    "BYMONTH": _Range(1, 12),
    "BYMONTHDAY": _Range(1, 31, mirrored=True),
    "BYYEARDAY": _Range(1, 366, mirrored=True),
    "BYWEEKNO": _Range(1, 53, mirrored=True),
    "BYHOUR": _Range(0, 23),
    "BYMINUTE": _Range(0, 59),
    "BYSECOND": _Range(0, 59),
    "BYSETPOS": _Range(1, 366, mirrored=True),
}
_SINGLE = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}


def parse(when: RruleWhen, *, first_year: int = FIRST_YEAR) -> Recurrence:
    """Return the recurrence of a rule and its start (cached).

    A schedule starts in 1970 at the earliest; `first_year` is for rules from other sources, such as
    calendar files. Raises BadExpression with the part, the value and the allowed values, or
    UnknownZone.
    """
    return _parse(when.rrule, when.dtstart, when.timezone, first_year)


def parts(text: str) -> dict[str, str]:
    """Return the parts of a rule by name, both in upper case. Raises BadExpression."""
    if len(text) > MAX_LENGTH:
        _refuse(f"the rrule has {len(text)} characters; at most {MAX_LENGTH} are read")
    line = text.strip().upper()
    if "\n" in line or "\r" in line:
        _refuse(
            "one RRULE line is read; give the start beside it, and days to leave out as an "
            "exclusion calendar"
        )
    line = line.removeprefix("RRULE:")
    found: dict[str, str] = {}
    for part in line.split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            _refuse(
                f"{part[:40]!r} is not a part of a rrule; write NAME=VALUE;NAME=VALUE, as in "
                "FREQ=DAILY;BYHOUR=6"
            )
        if name in found:
            _refuse(f"{name[:40]} is given twice; join its values with commas")
        if name.startswith("DTSTART"):
            _refuse("DTSTART does not belong in the rule; give the start beside it")
        if name not in _LISTS and name not in _SINGLE:
            _refuse(
                f"{name[:40]!r} is not known; known are {', '.join(sorted({*_LISTS, *_SINGLE}))}"
            )
        found[name] = value
    if "FREQ" not in found:
        _refuse("a rrule needs its frequency; begin with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    return found


@lru_cache(maxsize=10_000)
def _parse(text: str, dtstart: datetime, timezone: str, first_year: int) -> Recurrence:
    """The recurrence of the parts; the start gives missing days and times (RFC 5545, 3.3.10)."""
    zone = zones.zone(timezone)
    found = parts(text)
    if not first_year <= dtstart.year <= LAST_YEAR:
        raise BadExpression(
            f"the start {dtstart} is too far away; {first_year} to {LAST_YEAR} are allowed",
            field="dtstart",
        )
    start = dtstart.astimezone(zone).replace(tzinfo=None, fold=0, microsecond=0)
    frequency = _frequency(found["FREQ"])
    lists = {name: _numbers(name, found[name]) for name in _LISTS if name in found}
    plain, nth = (
        _days(found["BYDAY"], frequency, weeks="BYWEEKNO" in found)
        if "BYDAY" in found
        else (set(), set())
    )
    rule = Recurrence(
        frequency=frequency,
        start=start,
        interval=_whole("INTERVAL", found.get("INTERVAL", "1"), MAX_INTERVAL),
        seconds=_seconds(frequency, start, lists),
        week_start=_week_start(found.get("WKST", "MO")),
        positions=_positions(frequency, lists, given=set(found)),
        count=_whole("COUNT", found["COUNT"], MAX_COUNT) if "COUNT" in found else None,
        until=_until(found["UNTIL"], timezone) if "UNTIL" in found else None,
        nth_of_year=frequency == "YEARLY" and "BYMONTH" not in found,
        **_dates(frequency, start, lists, plain, nth),
    )
    _check(rule, found)
    return rule


def _dates(
    frequency: Frequency,
    start: datetime,
    lists: dict[str, frozenset[int]],
    plain: set[int],
    nth: set[tuple[int, int]],
) -> dict[str, Any]:
    """The fields of the recurrence about days; the start gives the days of a rule without any."""
    months = lists.get("BYMONTH")
    month_days = lists.get("BYMONTHDAY", frozenset())
    year_days = lists.get("BYYEARDAY", frozenset())
    weeks = lists.get("BYWEEKNO", frozenset())
    if not (month_days or year_days or weeks or plain or nth):
        if frequency == "YEARLY":
            months = months or frozenset({start.month})
        if frequency in ("YEARLY", "MONTHLY"):
            month_days = frozenset({start.day})
        if frequency == "WEEKLY":
            plain = {start.weekday()}
    return {
        "months": months or frozenset(range(1, 13)),
        "month_days": month_days,
        "year_days": year_days,
        "weeks": weeks,
        "weekdays": frozenset(plain),
        "nth_weekdays": frozenset(nth),
    }


def _seconds(
    frequency: Frequency, start: datetime, lists: dict[str, frozenset[int]]
) -> tuple[int, ...]:
    """The times of day in seconds after midnight; the start gives the parts without a list."""
    all_hours = range(24) if frequency in ("HOURLY", "MINUTELY") else (start.hour,)
    all_minutes = range(60) if frequency == "MINUTELY" else (start.minute,)
    hours = lists.get("BYHOUR", all_hours)
    minutes = lists.get("BYMINUTE", all_minutes)
    seconds = lists.get("BYSECOND", (start.second,))
    if len(hours) * len(minutes) * len(seconds) > MAX_TIMES:
        _refuse(
            f"the rule has more than {MAX_TIMES} times on one day; use an interval for what runs "
            "so often"
        )
    return tuple(sorted(h * 3600 + m * 60 + s for h, m, s in product(hours, minutes, seconds)))


def _check(rule: Recurrence, found: dict[str, str]) -> None:
    """Refuse contradicting parts, and a rule without a tick."""
    if rule.count is not None and rule.until is not None:
        _refuse("COUNT and UNTIL exclude each other; keep one of them")
    if rule.weeks and rule.frequency != "YEARLY":
        _refuse("BYWEEKNO belongs to FREQ=YEARLY")
    if rule.until is not None and rule.until < rule.start:
        _refuse(f"UNTIL={found['UNTIL']} lies before the start {rule.start}; choose a later one")
    if not meets_its_start(rule) or not rule.ever_fires:
        _refuse("the rule never fires; choose days and times that occur")


def _frequency(text: str) -> Frequency:
    for frequency in FREQUENCIES:
        if text == frequency:
            return frequency
    remedy = "use an interval" if text == "SECONDLY" else f"known are {', '.join(FREQUENCIES)}"
    return _refuse(f"FREQ={text[:40]} cannot be used; {remedy}")


def _whole(name: str, text: str, greatest: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= greatest):
        _refuse(
            f"{name}={text[:40]} cannot be used; a whole number from 1 to {greatest} is allowed"
        )
    return int(text)


def _numbers(name: str, text: str) -> frozenset[int]:
    """The numbers of a list part such as BYHOUR."""
    allowed = _LISTS[name]
    numbers = set()
    for item in text.split(","):
        number = int(item) if _NUMBER.fullmatch(item) else None
        size = abs(number) if number is not None and allowed.mirrored else number
        if number is None or size is None or not allowed.least <= size <= allowed.greatest:
            _refuse(f"{name}: {item[:40]!r} cannot be used; {allowed.words} are allowed")
        numbers.add(number)
    return frozenset(numbers)


def _days(text: str, frequency: Frequency, *, weeks: bool) -> tuple[set[int], set[tuple[int, int]]]:
    """The plain weekdays of BYDAY, and its nth weekdays as (weekday, n); Monday is 0.

    RFC 5545 allows nth weekdays with FREQ=MONTHLY or YEARLY only, and not beside BYWEEKNO.
    """
    plain: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for item in text.split(","):
        found = _DAY.fullmatch(item)
        if found is None:
            _refuse(
                f"BYDAY: {item[:40]!r} cannot be used; {', '.join(DAYS)} are allowed, or 2MO, -1FR"
            )
        which = int(found["which"]) if found["which"] else None
        if which is None:
            plain.add(DAYS.index(found["day"]))
        elif frequency not in ("MONTHLY", "YEARLY") or weeks:
            _refuse(
                f"BYDAY: {item} counts days of a month or year; use FREQ=MONTHLY or YEARLY, "
                "without BYWEEKNO"
            )
        elif not 1 <= abs(which) <= (5 if frequency == "MONTHLY" else 53):
            _refuse(
                f"BYDAY: {item} does not exist; a month has up to 5 of a weekday, a year up to 53"
            )
        else:
            nth.add((DAYS.index(found["day"]), which))
    return plain, nth


def _week_start(text: str) -> int:
    if text not in DAYS:
        _refuse(f"WKST={text[:40]} is not a day; {', '.join(DAYS)} are allowed")
    return DAYS.index(text)


def _positions(
    frequency: Frequency, lists: dict[str, frozenset[int]], *, given: set[str]
) -> frozenset[int]:
    """The numbers of BYSETPOS; refused in a rule without another BY part to choose from."""
    positions = lists.get("BYSETPOS", frozenset())
    if positions and frequency in ("HOURLY", "MINUTELY"):
        _refuse("BYSETPOS needs FREQ=DAILY or a longer period")
    if positions and not any(name.startswith("BY") and name != "BYSETPOS" for name in given):
        _refuse("BYSETPOS chooses among others; give BYDAY, BYMONTHDAY or another part beside it")
    return positions


def _until(text: str, timezone: str) -> datetime:
    """The value of UNTIL as a wall time of the zone; a date includes the whole day."""
    found = _UNTIL.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        if found["time"] is None:
            return datetime(day.year, day.month, day.day, 23, 59, 59)  # noqa: DTZ001 - a wall time
        clock = found["time"]
        moment = datetime(  # noqa: DTZ001
            day.year, day.month, day.day, int(clock[:2]), int(clock[2:4]), int(clock[4:])
        )
        if found["utc"]:
            return (
                moment.replace(tzinfo=UTC)
                .astimezone(zones.zone(timezone))
                .replace(tzinfo=None, fold=0)
            )
    except (ValueError, OverflowError):
        _refuse(
            f"UNTIL={text[:40]} is not a moment; write 20271231, 20271231T180000 or "
            "20271231T170000Z"
        )
    return moment


def _refuse(message: str) -> NoReturn:
    raise BadExpression(message, field="rrule")
