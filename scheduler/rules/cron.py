"""Five crontab fields -> the sets of minutes, hours and days they stand for, exactly as Celery reads them.

The one place that asks Celery: its parser decides what is accepted and what it means, so that a schedule means
the same to us and to a Beat without us. Ours are the messages, the table of days that makes `ticks` fast, and the
refusal of what never fires. Must not know of zones or of time.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from celery.schedules import crontab_parser

from scheduler.errors import BadExpression

MAX_LENGTH = 1000
"""Characters of an expression; a list of all sixty minutes has 169."""

_READ = re.compile(r"(?:\w+?-\w+|\*)(?:/\w+)?")
"""As much of a part as Celery's patterns read."""

DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Field:
    """One of the five: its name, its least and greatest value, and what may be written beside numbers."""

    name: str
    least: int
    greatest: int
    names: str = ""

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.greatest - self.least + 1

    @property
    def allowed(self) -> str:
        """What may be written, in words."""
        words = f" or {self.names}" if self.names else ""
        return f"{self.least}-{self.greatest}{words}, *, */n, a-b, a-b/n, and lists of these with commas"


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, "jan-dec"),
    Field("day of week", 0, 6, "sun-sat"),
)


@dataclass(frozen=True)
class Crontab:
    """A parsed expression. All values are ascending; Sunday is 0."""

    texts: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    day_masks: tuple[int, ...]
    """By the weekday of a month's first: bit d is set when day d matches day-of-month and day-of-week."""

    ignored: tuple[str, ...]
    """What Celery's parser overlooks without a word, such as the `-7` of `1-5-7`."""

    @property
    def is_sub_daily(self) -> bool:
        """Whether Debian cron takes it for a job by elapsed time: the minute or the hour field starts with `*`."""
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def restricts_both_days(self) -> bool:
        """Whether day of month and day of week are both restricted, so that Celery and Vixie cron differ."""
        return len(self.days) < 31 and len(self.weekdays) < 7


@lru_cache(maxsize=20_000)
def parse(text: str) -> Crontab:
    """Read an expression. Raises BadExpression, which names the field, the token and what is allowed."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(
            f"the crontab expression has {len(text)} characters; at most {MAX_LENGTH} are read", field="crontab"
        )
    texts = tuple(text.split())
    if len(texts) != len(FIELDS):
        _refuse_count(text, len(texts))
    minutes, hours, days, months, weekdays = (
        frozenset(_expand(field, field_text)) for field, field_text in zip(FIELDS, texts, strict=True)
    )
    if not any(day <= DAYS_OF_MONTH[month - 1] for month in months for day in days):
        raise BadExpression(
            f"{text!r} never fires: day of month {texts[2]!r} does not occur in month {texts[3]!r}; "
            "choose a day that one of these months has",
            field="crontab",
        )
    return Crontab(
        texts=texts,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=weekdays,
        day_masks=tuple(_day_mask(first, days, weekdays) for first in range(7)),
        ignored=tuple(_ignored(texts)),
    )


def field_values(position: int, text: str) -> frozenset[int]:
    """The values of one field, which may hold blanks as plain RedBeat entries do. Raises BadExpression."""
    return frozenset(_expand(FIELDS[position], text))


def _day_mask(first: int, days: frozenset[int], weekdays: frozenset[int]) -> int:
    """The days that match both fields in a month whose first falls on the weekday `first`."""
    return sum(1 << day for day in days if (first + day - 1) % 7 in weekdays)


def _expand(field: Field, text: str) -> set[int]:
    """The values of a field, part by part, so that a refusal can name the part."""
    parser = crontab_parser(field.size, field.least)
    values: set[int] = set()
    for part in text.split(","):
        if not part:
            raise BadExpression(f"{field.name}: {text!r} has an empty part; allowed: {field.allowed}", field="crontab")
        try:
            values |= parser.parse(part)
        except (ValueError, KeyError, IndexError, crontab_parser.ParseException):
            _refuse_part(field, part)
    return values


def _refuse_part(field: Field, part: str) -> NoReturn:
    """Say why Celery does not read this part, and what to write."""
    shown = part if len(part) <= 40 else part[:40] + "…"
    span, _, step = part.partition("/")
    numbers = [int(word) for word in span.split("-") if word.isascii() and word.isdigit() and len(word) < 4000]
    outside = [number for number in numbers if not field.least <= number <= field.greatest]
    if field.name == "day of week" and 7 in outside:
        why = "Celery's week has no day 7; Sunday is 0 or sun"
    elif outside:
        why = f"{str(outside[0])[:40]} is out of range"
    elif span == "?":
        why = "write * for 'any'"
    elif "/" in part and not (step.isascii() and step.isdigit() and step.strip("0")):
        why = "the step after / must be a whole number from 1"
    elif "/" in part and "*" not in span and "-" not in span:
        why = f"a step needs a range before it; write {span}-{field.greatest}/{step}"
    else:
        why = "it is not a value, a range or a step"
    raise BadExpression(f"{field.name}: {shown!r} cannot be used, {why}; allowed: {field.allowed}", field="crontab")


def _refuse_count(text: str, count: int) -> NoReturn:
    """Say what is wrong with an expression that has not five fields."""
    macros = {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    }
    same = macros.get(text.strip().lower())
    if same:
        remedy = f"write {same!r} for {text.strip()}"
    else:
        remedy = "five are needed: minute, hour, day of month, month, day of week, as in '0 6 * * mon-fri'"
    raise BadExpression(f"the crontab expression {text[:80]!r} has {count} fields; {remedy}", field="crontab")


def _ignored(texts: tuple[str, ...]) -> list[str]:
    """The tails that Celery's parser drops: it matches the beginning of a part, not the whole."""
    tails = []
    for text in texts:
        for part in text.split(","):
            read = _READ.match(part)
            if read and read.end() < len(part):
                tails.append(part[read.end() :])
    return tails
