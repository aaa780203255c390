"""Five crontab fields as sets of minutes, hours and days, exactly as read by Celery.

Celery's `crontab_parser` decides on the accepted parts and their values, so a schedule has equal
ticks here and in a Beat without Beatdesk. Added here: messages with a remedy, the table of days
behind the speed of `ticks`, and the refusal of an expression without a tick. Must not know of zones
or of time.

Common parts (`*`, `*/15`, `9-17`, `mon-fri`) are read without Celery, so a command with a list of
crontabs does not load Celery; a test compares every such part with Celery's parser. All other parts
are left to Celery.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from scheduler.errors import BadExpression
from scheduler.rules.phrases import counted
from scheduler.rules.time.wall_times import SHORTEST_MONTH, Crontab, Days

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""Names for rules that other crons read, and Celery does not."""

NEEDS_FIVE = (
    "five are needed: minute, hour, day of month, month, day of week, as in '0 6 * * mon-fri'"
)

MAX_LENGTH = 1000
"""Greatest length of an expression in characters; a list of all sixty minutes has 169."""

_READ = re.compile(r"(?:\w+?-\w+|\*)(?:/\w+)?")
"""The beginning of a part that Celery's patterns match; Celery ignores the rest."""

_PLAIN = re.compile(
    r"(?:(?P<star>\*)|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)
"""A part readable without Celery, as long as its numbers and names belong to the field."""

_NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day of week": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}

DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Field:
    """A crontab field: its name, its least and greatest value, and the names beside numbers."""

    name: str
    least: int
    greatest: int
    names: str = ""

    @property
    def size(self) -> int:
        """The number of values."""
        return self.greatest - self.least + 1

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        words = f" or {self.names}" if self.names else ""
        return (
            f"{self.least}-{self.greatest}{words}, *, */n, a-b, a-b/n, and lists of these with "
            "commas"
        )


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, "jan-dec"),
    Field("day of week", 0, 6, "sun-sat"),
)


@lru_cache(maxsize=20_000)
def parse(text: str) -> Crontab:
    """Return the expression in Celery's reading (cached): no macros, no `H`, no `L`.

    Raises BadExpression with the field, the part and the allowed values.
    """
    if len(text) > MAX_LENGTH:
        raise BadExpression(
            f"the crontab expression has {len(text)} characters; at most {MAX_LENGTH} are read",
            field="crontab",
        )
    texts = tuple(text.split())
    if len(texts) != len(FIELDS):
        _refuse_count(text, len(texts))
    minutes, hours, days, months, weekdays = (
        frozenset(_expand(field, field_text))
        for field, field_text in zip(FIELDS, texts, strict=True)
    )
    return assembled(texts, minutes, hours, months, Days(dates=days, weekdays=weekdays))


def assembled(
    texts: tuple[str, ...],
    minutes: frozenset[int],
    hours: frozenset[int],
    months: frozenset[int],
    on: Days,
) -> Crontab:
    """Return the crontab of five parsed fields.

    Raises BadExpression for an expression without a tick, such as 31 February.
    """
    masks = on.masks()
    if not any(
        masks[(length - SHORTEST_MONTH) * 7 + first]
        for length in _lengths(months)
        for first in range(7)
    ):
        raise BadExpression(
            f"{' '.join(texts)!r} never fires: {_never(texts, on)}; choose a day that one of "
            "these months has",
            field="crontab",
        )
    return Crontab(
        texts=texts,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        months=months,
        on=on,
        day_masks=masks,
        ignored=tuple(_ignored(texts)),
    )


def _lengths(months: frozenset[int]) -> set[int]:
    """The lengths in days that `months` can have; February has two."""
    return {DAYS_OF_MONTH[month - 1] for month in months} | ({28} if 2 in months else set())


def _never(texts: tuple[str, ...], on: Days) -> str:
    """Which fields contradict each other, in words."""
    if len(on.weekdays) == 7:
        return f"day of month {texts[2]!r} does not occur in month {texts[3]!r}"
    return f"day of month {texts[2]!r} is never day of week {texts[4]!r} in month {texts[3]!r}"


def field_values(position: int, text: str) -> frozenset[int]:
    """Return the values of the field at `position` (0 is the minute).

    Blanks are allowed, as entries of plain RedBeat have some. Raises BadExpression.
    """
    return frozenset(_expand(FIELDS[position], text))


@lru_cache(maxsize=4_000)
def part_values(field: Field, part: str) -> frozenset[int]:
    """Return the values of a single part of a field (cached). Raises BadExpression."""
    plain = plain_values(field, part)
    if plain is not None:
        return plain
    from celery.schedules import crontab_parser

    try:
        return frozenset(crontab_parser(field.size, field.least).parse(part))
    except (ValueError, KeyError, IndexError, crontab_parser.ParseException):
        shown = part if len(part) <= 40 else part[:40] + "…"
        raise BadExpression(
            f"{field.name}: {shown!r} cannot be used, {why(field, part)}; allowed: {field.allowed}",
            field="crontab",
        ) from None


def plain_values(field: Field, part: str) -> frozenset[int] | None:
    """Return the values of a part in plain form; None for a part to be judged by Celery.

    A range with its end below its beginning goes on from the field's least value, as in Celery:
    `22-2` is 22, 23, 0, 1, 2.
    """
    match = _PLAIN.fullmatch(part)
    if match is None:
        return None
    step = 1 if match["step"] is None else int(match["step"])
    first = field.least if match["star"] else _number(field, match["first"])
    last = field.greatest if match["star"] else _number(field, match["last"] or match["first"])
    is_single = match["star"] is None and match["last"] is None
    if first is None or last is None or step == 0 or (is_single and match["step"] is not None):
        return None
    if first <= last:
        values = list(range(first, last + 1))
    else:
        values = [*range(first, field.greatest + 1), *range(field.least, last + 1)]
    return frozenset(values[::step])


def _number(field: Field, word: str) -> int | None:
    """The value of a number or a name; None for a value outside the field."""
    names = _NAMES.get(field.name, [])
    if word in names:
        return field.least + names.index(word)
    value = int(word) if word.isdigit() else -1
    return value if field.least <= value <= field.greatest else None


def why(field: Field, part: str) -> str:
    """Return the reason why Celery refuses this part, with a remedy."""
    span, _, step = part.partition("/")
    numbers = [
        int(word)
        for word in span.split("-")
        if word.isascii() and word.isdigit() and len(word) < 4000
    ]
    outside = [number for number in numbers if not field.least <= number <= field.greatest]
    if field.name == "day of week" and 7 in outside:
        return "Celery's week has no day 7; Sunday is 0 or sun"
    if outside:
        return f"{str(outside[0])[:40]} is out of range"
    if span == "?":
        return "write * for 'any'"
    if "/" in part and not (step.isascii() and step.isdigit() and step.strip("0")):
        return "the step after / must be a whole number from 1"
    if "/" in part and "*" not in span and "-" not in span:
        return f"a step needs a range before it; write {span[:40]}-{field.greatest}/{step[:40]}"
    return "it is not a value, a range or a step"


def _expand(field: Field, text: str) -> set[int]:
    """The values of a field; read part by part, so that a refusal can name the part."""
    values: set[int] = set()
    for part in text.split(","):
        if not part:
            raise BadExpression(
                f"{field.name}: {text!r} has an empty part; allowed: {field.allowed}",
                field="crontab",
            )
        values |= part_values(field, part)
    return values


def _refuse_count(text: str, count: int) -> NoReturn:
    """Raise the refusal of an expression without exactly five fields."""
    same = MACROS.get(text.strip().lower())
    remedy = f"write {same!r} for {text.strip()}" if same else NEEDS_FIVE
    fields = counted(count, "field")
    raise BadExpression(
        f"the crontab expression {text[:80]!r} has {fields}; {remedy}", field="crontab"
    )


def _ignored(texts: tuple[str, ...]) -> list[str]:
    """The ends of parts ignored by Celery: its patterns match the beginning of a part only."""
    tails = []
    for text in texts:
        for part in text.split(","):
            match = _READ.match(part)
            if match and match.end() < len(part):
                tails.append(part[match.end() :])
    return tails
