"""The crontab dialect of the editor and the importers: Celery's fields, and common extensions.

    expression           meaning
    @daily, @hourly …    a macro for five fields (crontab(5))
    7                    Sunday, also in ranges
    ?                    any day (day of month, day of week)
    L                    the last day of the month
    5L, friL             the last Friday of the month
    mon#2, 1#2           the second Monday of the month
    H, H(a-b), H/n …     a value derived from the schedule's uid, by Jenkins' rules (`resolve`)

An expression that Celery accepts has Celery's meaning, with two exceptions, which Celery accepts
only by ignoring the end of the part: `mon#2` and `friL`. `redbeat.codec` therefore reads entries
of plain RedBeat with `fields.parse`, Celery's own reading. Must not know of zones or of time.
"""

import re
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NoReturn

from scheduler.errors import BadExpression
from scheduler.rules.crontab import fields as cron
from scheduler.rules.crontab.fields import MACROS, NEEDS_FIVE
from scheduler.rules.model.spec import CrontabWhen
from scheduler.rules.phrases import counted
from scheduler.rules.time.wall_times import Crontab, Days

_DATE, _WEEKDAY = 2, 4
_PLACED = re.compile(r"H(?:\((?P<low>[^()]*)-(?P<high>[^()-]*)\))?(?:/(?P<step>.*))?")
_WEEKDAY_NAMES = (
    "sun(?:day)?|mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?"
)
_LAST_WEEKDAY = re.compile(
    rf"(?P<day>\d+(?=[Ll])|(?i:{_WEEKDAY_NAMES}))[Ll](?<!(?i:[a-z])l)", re.ASCII
)
_NTH_WEEKDAY = re.compile(r"(?P<day>[^#]*)#(?P<which>.*)")
_WITH_SEVEN = re.compile(r"(?P<low>\w+?)(?:-(?P<high>\w+)(?:/(?P<step>\w+))?)?", re.ASCII)
_PLACES = {"day of month": (1, 28)}
"""Fields in which `H` uses a part of the range only: every month has the days 1 to 28."""


_OTHERS = ("minute", "hour", "month")
_DATES = ("day of month",)
_WEEKDAYS = ("day of week",)
_ANY = (*_OTHERS, *_DATES, *_WEEKDAYS)
_HINTS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), fields, why)
    for pattern, fields, why in (
        (r"\?$", _OTHERS, "? stands for any day, in day of month or day of week; write * here"),
        (r".*\?", _ANY, "? stands alone; write * in a list or with a step"),
        (r"7/", _WEEKDAYS, "a step needs a range before it, as in 1-7/2"),
        (r"L$", _WEEKDAYS, "L needs a day before it, as in 5L for the last Friday"),
        (r"L$", _OTHERS, "L is the last day of the month and stands in day of month"),
        (r"L-?\d", _DATES, "days counted from the end are not supported; L is the last day"),
        (
            r"\w+L$",
            _DATES,
            "L with a day before it belongs to day of week, as in 5L for the last Friday",
        ),
        (r".*#", (*_OTHERS, *_DATES), "# belongs to day of week, as in mon#2"),
        (r"h$|h[/(]", _ANY, "write H, H(a-b), H/n or H(a-b)/n with a capital H"),
        (
            r"\w*W$",
            _DATES,
            "W, the nearest working day, is not supported; use an exclusion calendar",
        ),
    )
)


@lru_cache(maxsize=20_000)
def parse(text: str, day_match: Literal["and", "or"] = "and") -> Crontab:
    """Return the parsed expression (cached). Macros are read, an unresolved `H` is refused.

    `day_match`: whether a day must match both day fields (`and`, Celery) or, where both are
    restricted, either (`or`, Vixie cron, crontab(5)). Raises BadExpression with the field, the
    part and the remedy.
    """
    texts = _fields(text)
    minutes, hours, months = (
        frozenset(
            value
            for part in _parts(cron.FIELDS[at], texts[at])
            for value in _values(cron.FIELDS[at], part)
        )
        for at in (0, 1, 3)
    )
    days = _days(texts[_DATE], texts[_WEEKDAY], either=day_match == "or")
    return cron.assembled(texts, minutes, hours, months, days)


def resolve(text: str, uid: str) -> str:
    """Return `text` with each `H` replaced by a value derived from `uid`; a macro as five fields.

    Equal uids always give equal values. Raises BadExpression.
    """
    texts = _fields(text)
    if not any(_is_placed(part) for field_text in texts for part in field_text.split(",")):
        return MACROS.get(text.strip().lower(), text)
    return " ".join(
        ",".join(
            _place(field, part, f"{uid} {field.name} {number}")
            for number, part in enumerate(written.split(","))
        )
        for field, written in zip(cron.FIELDS, texts, strict=True)
    )


def settle(when: CrontabWhen, uid: str) -> CrontabWhen:
    """Return `when` as saved for the schedule `uid`: `resolved` is set where there is an `H`.

    Raises BadExpression.
    """
    resolved = resolve(when.crontab, uid) if has_places(when.crontab) else None
    return when if resolved == when.resolved else when.model_copy(update={"resolved": resolved})


def has_places(text: str) -> bool:
    """Whether the expression has an `H`."""
    return any(_is_placed(part) for field_text in text.split() for part in field_text.split(","))


def effective(when: CrontabWhen) -> str:
    """Return the expression behind the ticks: `resolved` for a crontab with `H`, else `crontab`."""
    if when.resolved is not None and has_places(when.crontab):
        return when.resolved
    return when.crontab


def _fields(text: str) -> tuple[str, ...]:
    """The five fields of an expression or a macro."""
    if len(text) > cron.MAX_LENGTH:
        raise BadExpression(
            f"the crontab expression has {len(text)} characters; at most {cron.MAX_LENGTH} are "
            "read",
            field="crontab",
        )
    texts = tuple(MACROS.get(text.strip().lower(), text).split())
    if len(texts) != len(cron.FIELDS):
        _refuse_count(text, texts)
    return texts


def _days(dates_text: str, weekdays_text: str, *, either: bool) -> Days:
    """The days of both day fields.

    As in Vixie cron, `or` applies only where neither field begins with `*`.
    """
    date_field, weekday_field = cron.FIELDS[_DATE], cron.FIELDS[_WEEKDAY]
    dates: set[int] = set()
    last_date = False
    for part in ["*"] if dates_text == "?" else _parts(date_field, dates_text):
        if part in ("L", "l"):
            last_date = True
        else:
            dates |= _values(date_field, part)
    weekdays: set[int] = set()
    last: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for part in ["*"] if weekdays_text == "?" else _parts(weekday_field, weekdays_text):
        if found := _LAST_WEEKDAY.fullmatch(part):
            last.add(_weekday(part, found["day"]))
        elif found := _NTH_WEEKDAY.fullmatch(part):
            nth.add(_nth(part, found["day"], found["which"]))
        else:
            weekdays |= _weekdays(weekday_field, part)
    return Days(
        dates=frozenset(dates),
        weekdays=frozenset(weekdays),
        last_date=last_date,
        last_weekdays=frozenset(last),
        nth_weekdays=frozenset(nth),
        either=either
        and not (dates_text.startswith(("*", "?")) or weekdays_text.startswith(("*", "?"))),
    )


def _parts(field: cron.Field, text: str) -> list[str]:
    """The comma-separated parts of a field; an empty part is refused."""
    parts = text.split(",")
    if not all(parts):
        raise BadExpression(
            f"{field.name}: {text[:80]!r} has an empty part; allowed: {_allowed(field)}",
            field="crontab",
        )
    return parts


def _values(field: cron.Field, part: str) -> frozenset[int]:
    """The values of a part in Celery's reading; other parts are refused with a remedy."""
    if _is_placed(part):
        _refuse(field, part, "H has no place before the schedule is saved")
    try:
        return cron.part_values(field, part)
    except BadExpression:
        _refuse(field, part, _why(field, part))


def _weekdays(field: cron.Field, part: str) -> frozenset[int]:
    """The values of a part of day of week, where 7 is Sunday as well as 0."""
    found = _WITH_SEVEN.fullmatch(part)
    if found is None or "7" not in (found["low"], found["high"]):
        return _values(field, part)
    if found["high"] is None:
        return frozenset({0})
    low = 7 if found["low"] == "7" else _weekday(part, found["low"])
    high = 7 if found["high"] == "7" else _weekday(part, found["high"])
    step = found["step"]
    if step is not None and not _is_step(step):
        _refuse(field, part, "the step after / must be a whole number from 1")
    # 7-3 is Sunday to Wednesday, fri-7 is Friday to Sunday
    span = range(0, high + 1) if low == 7 and high < 7 else range(low, high + 1)
    return frozenset(day % 7 for day in span[:: int(step or 1)])


def _weekday(part: str, text: str) -> int:
    """The number of a single day of the week, given as 0-7 or a name; Sunday is 0."""
    field = cron.FIELDS[_WEEKDAY]
    if text == "7":
        return 0
    try:
        (day,) = cron.part_values(field, text or "''")
    except (BadExpression, ValueError):
        _refuse(
            field,
            part,
            f"{text[:20]!r} is not a day of the week" if text else "it names no day of the week",
        )
    return day


def _nth(part: str, day: str, which: str) -> tuple[int, int]:
    """The (weekday, ordinal in the month) of a part such as `mon#2`."""
    if which not in {"1", "2", "3", "4", "5"}:
        _refuse(cron.FIELDS[_WEEKDAY], part, "after # comes which one of the month, 1 to 5")
    return _weekday(part, day), int(which)


def _is_placed(part: str) -> bool:
    """Whether a part begins with `H`."""
    return part == "H" or part.startswith(("H/", "H("))


def _place(field: cron.Field, part: str, seed: str) -> str:
    """A part with its `H` replaced, by Jenkins' rules.

    `H` becomes a single value; `H/n` a range with step n, beginning within the first n values.
    """
    if not _is_placed(part):
        return part
    found = _PLACED.fullmatch(part)
    if found is None:
        _refuse(field, part, "write H, H(a-b), H/n or H(a-b)/n")
    least, greatest = _PLACES.get(field.name, (field.least, field.greatest))
    low = least
    high = greatest
    if found["low"] is not None:
        low = _bound(field, part, found["low"], least, greatest)
        high = _bound(field, part, found["high"], least, greatest)
    if low > high:
        _refuse(field, part, f"{low} is greater than {high}")
    number = int.from_bytes(sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8])
    step = found["step"]
    if step is None:
        return str(low + number % (high - low + 1))
    if not _is_step(step) or not 2 <= int(step) <= high - low + 1:
        _refuse(field, part, f"the step after H/ must be a whole number from 2 to {high - low + 1}")
    return f"{low + number % int(step)}-{high}/{int(step)}"


def _bound(field: cron.Field, part: str, text: str, least: int, greatest: int) -> int:
    """The value of an end of `H(a-b)`."""
    try:
        (value,) = cron.part_values(field, text or "''")
    except (BadExpression, ValueError):
        _refuse(field, part, f"the ends of H(a-b) must be from {least} to {greatest}")
    if not least <= value <= greatest:
        _refuse(field, part, f"the ends of H(a-b) must be from {least} to {greatest}")
    return value


def _is_step(text: str) -> bool:
    """Whether a text is a whole number from 1, of at most nine digits."""
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0


def _why(field: cron.Field, part: str) -> str:
    """The reason why a part cannot be read, with a remedy."""
    for pattern, fields, why in _HINTS:
        if field.name in fields and pattern.match(part):
            return why
    return cron.why(field, part)


def _allowed(field: cron.Field) -> str:
    """The allowed values of a field, in words."""
    values = {"day of month": "1-31, L", "day of week": "0-7 or sun-sat, 5L, mon#2"}.get(field.name)
    if values is None:
        values = f"{field.least}-{field.greatest}{f' or {field.names}' if field.names else ''}"
    alone = "; or ? alone" if field.name in (*_DATES, *_WEEKDAYS) else ""
    return f"{values}, *, */n, a-b, a-b/n, H, and lists of these with commas{alone}"


def _refuse(field: cron.Field, part: str, why: str) -> NoReturn:
    """Raise BadExpression for a part of a field."""
    shown = part if len(part) <= 40 else part[:40] + "…"
    raise BadExpression(
        f"{field.name}: {shown!r} cannot be used, {why}; allowed: {_allowed(field)}",
        field="crontab",
    )


def _refuse_count(text: str, texts: tuple[str, ...]) -> NoReturn:
    """Raise BadExpression for an expression that does not have five fields."""
    count = len(texts)
    first = texts[0].lower() if texts else ""
    if first.startswith("@"):
        remedy = {
            "@reboot": "it has no time, so no schedule can stand for it",
            "@every": "choose an interval instead",
        }.get(first, f"known are {', '.join(MACROS)}")
        raise BadExpression(f"{text.strip()[:80]!r} cannot be used; {remedy}", field="crontab")
    remedy = NEEDS_FIVE
    if count > len(cron.FIELDS):
        remedy = "five are read, from minute to day of week; leave out seconds, years and commands"
    fields = counted(count, "field")
    raise BadExpression(
        f"the crontab expression {text[:80]!r} has {fields}; {remedy}", field="crontab"
    )
