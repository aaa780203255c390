"""A schedule in words, made from the values it stands for and not from how they were written.

So the words cannot say anything else than what fires. In particular day-of-month and day-of-week are joined by
'and', as Celery joins them; the usual describers say 'or'. Must not refuse anything that `cron.parse` accepts.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC

from scheduler.rules import dialect
from scheduler.rules.spec import CrontabWhen, IntervalWhen, OnceWhen, RedBeatWhen, When
from scheduler.rules.walls import Crontab

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MOST_TIMES = 6
"""Times of day that are listed one by one; more are described by their fields."""

_UNITS = ((86400 * 7, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def describe(when: When) -> str:
    """The schedule as a sentence without its full stop."""
    if isinstance(when, IntervalWhen):
        return f"Every {duration(when.every)}"
    if isinstance(when, CrontabWhen):
        return _crontab(dialect.parse(dialect.effective(when), when.day_match), when.timezone)
    if isinstance(when, OnceWhen):
        return f"Once, at {when.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(when, RedBeatWhen):
        return _foreign(when.schedule.get("__type__"), when.schedule)
    return f"By the rrule {when.rrule} ({when.timezone})"


def duration(seconds: float) -> str:
    """A length of time: `90` is '90 seconds', `7200` is '2 hours', `1` is 'second'."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"


def joined(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _foreign(kind: object, schedule: Mapping[str, object]) -> str:
    """A schedule that only RedBeat computes."""
    every = schedule.get("every")
    if kind == "interval" and isinstance(every, int | float):
        return f"Every {duration(every)}, rounded by RedBeat"
    if kind == "rrule":
        names = ("yearly", "monthly", "weekly", "daily", "hourly", "minutely", "secondly")
        frequency = schedule.get("freq")
        known = isinstance(frequency, int) and 0 <= frequency < len(names)
        return f"A RedBeat rrule, {names[frequency]}" if known and isinstance(frequency, int) else "A RedBeat rrule"
    return f"A RedBeat schedule of type {kind}"


def _crontab(crontab: Crontab, timezone: str) -> str:
    """Time of day, then days, then the zone where it makes a difference."""
    time = _time(crontab)
    days = _days(crontab)
    whole_day = len(crontab.hours) == 24 and not days
    zone = "" if whole_day else f" ({timezone})"
    return ", ".join([time, *days]) + zone


def _time(crontab: Crontab) -> str:
    """The minutes and hours."""
    minutes, hours = crontab.minutes, crontab.hours
    if len(hours) == 24:
        return _minutes(minutes, "every hour")
    if len(minutes) * len(hours) <= _MOST_TIMES:
        return "At " + joined([f"{hour:02d}:{minute:02d}" for hour in hours for minute in minutes])
    step = _step(hours, 24)
    if step and len(minutes) == 1:
        past = "" if minutes == (0,) else f" at {_count(minutes[0], 'minute')} past"
        return f"Every {step} hours{past}"
    return f"{_minutes(minutes, 'the hour')}, {_hours(hours)}"


def _minutes(minutes: tuple[int, ...], of_what: str) -> str:
    """The minutes of an hour."""
    step = _step(minutes, 60)
    if len(minutes) == 60:
        return "Every minute"
    if step:
        return f"Every {step} minutes"
    if minutes == (0,):
        return "Every hour" if of_what == "every hour" else "On the hour"
    if len(minutes) == 1:
        return f"At {_count(minutes[0], 'minute')} past {of_what}"
    return f"At {_spans([str(minute) for minute in range(60)], minutes)} minutes past {of_what}"


def _hours(hours: tuple[int, ...]) -> str:
    """The hours of a day, as spans that end with the last minute."""
    return joined([f"{first:02d}:00 to {last:02d}:59" for first, last in _runs(hours)])


def _days(crontab: Crontab) -> list[str]:
    """The days and months that are restricted."""
    parts = []
    weekdays = len(crontab.weekdays) < 7
    if len(crontab.days) < 31:
        days = _spans([str(day) for day in range(32)], sorted(crontab.days))
        plural = "days" if len(crontab.days) > 1 else "day"
        parts.append(f"on {plural} {days} of the month" + (" that are also " if weekdays else ""))
    if weekdays:
        named = _weekdays(crontab.weekdays)
        if parts:
            named = " or ".join(named.rsplit(" and ", 1))
            parts[-1] += named if len(crontab.days) > 1 else ""
            if len(crontab.days) == 1:
                parts[-1] = parts[-1].replace(" that are also ", f" if it is {named}")
        else:
            parts.append(named)
    if len(crontab.months) < 12:
        parts.append("in " + _spans(["", *MONTHS], sorted(crontab.months)))
    return parts


def _weekdays(weekdays: frozenset[int]) -> str:
    """Weekdays from Monday on, so that a weekend is one span."""
    from_monday = sorted((day - 1) % 7 for day in weekdays)
    return _spans([*WEEKDAYS[1:], WEEKDAYS[0]], from_monday)


def _spans(names: Sequence[str], values: Sequence[int]) -> str:
    """Names of ascending values; three or more in a row become 'a through b'."""
    words = []
    for first, last in _runs(values):
        if last - first >= 2:
            words.append(f"{names[first]} through {names[last]}")
        else:
            words += [names[value] for value in range(first, last + 1)]
    return joined(words)


def _runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending values as (first, last) of each unbroken run."""
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs


def _step(values: tuple[int, ...], size: int) -> int | None:
    """`n` where the values are 0, n, 2n … and n divides the whole, so that the distance is always n."""
    if len(values) < 2 or values[0] != 0 or size % len(values):
        return None
    step = size // len(values)
    return step if values == tuple(range(0, size, step)) else None


def _count(number: int, unit: str) -> str:
    """`1 minute`, `5 minutes`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
