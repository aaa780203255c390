"""A schedule in words, made from its parsed values and not from its text.

So the words always match the ticks. In particular, day of month and day of week are joined by
'and', as in Celery, unless `day_match` is 'or'; other describers of crontabs always say 'or'. Every
expression accepted by `dialect.parse` has words.
"""

from collections.abc import Mapping
from datetime import UTC

from scheduler.rules.crontab import dialect
from scheduler.rules.explain import rrule_words
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RedBeatWhen,
    When,
)
from scheduler.rules.phrases import (
    MONTHS,
    ORDINALS,
    WEEKDAYS,
    counted,
    duration,
    joined,
    plural,
    runs,
    spans,
    weekday_spans,
)
from scheduler.rules.rrule import text
from scheduler.rules.time.wall_times import Crontab

__all__ = ["describe", "duration", "joined"]

_MOST_TIMES = 6
"""Most times of day listed one by one; more times are described by their fields."""


def describe(when: When) -> str:
    """Return the schedule as a sentence without a full stop. Raises BadExpression."""
    if isinstance(when, IntervalWhen):
        return f"Every {duration(when.every)}"
    if isinstance(when, CrontabWhen):
        return _crontab(dialect.parse(dialect.effective(when), when.day_match), when.timezone)
    if isinstance(when, OnceWhen):
        return f"Once, at {when.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(when, RedBeatWhen):
        return _foreign(when.schedule.get("__type__"), when.schedule)
    return rrule_words.describe(text.parse(when), when.timezone)


def _foreign(kind: object, schedule: Mapping[str, object]) -> str:
    """The words for a schedule that only RedBeat can compute."""
    every = schedule.get("every")
    if kind == "interval" and isinstance(every, int | float):
        return f"Every {duration(every)}, rounded by RedBeat"
    if kind == "rrule":
        names = ("yearly", "monthly", "weekly", "daily", "hourly", "minutely", "secondly")
        frequency = schedule.get("freq")
        if isinstance(frequency, int) and 0 <= frequency < len(names):
            return f"A RedBeat rrule, {names[frequency]}"
        return "A RedBeat rrule"
    return f"A RedBeat schedule of type {kind}"


def _crontab(crontab: Crontab, timezone: str) -> str:
    """Time of day, then days, then the zone, left out where no zone matters."""
    time = _time(crontab)
    days = _days(crontab)
    whole_day = len(crontab.hours) == 24 and not days
    zone = "" if whole_day else f" ({timezone})"
    return ", ".join([time, *days]) + zone


def _time(crontab: Crontab) -> str:
    """The minutes and hours."""
    minutes = crontab.minutes
    hours = crontab.hours
    if len(hours) == 24:
        return _minutes(minutes, "every hour")
    if len(minutes) * len(hours) <= _MOST_TIMES:
        return "At " + joined([f"{hour:02d}:{minute:02d}" for hour in hours for minute in minutes])
    step = _step(hours, 24)
    if step and len(minutes) == 1:
        past = "" if minutes == (0,) else f" at {counted(minutes[0], 'minute')} past"
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
        return f"At {counted(minutes[0], 'minute')} past {of_what}"
    return (
        f"At {joined(spans([str(minute) for minute in range(60)], minutes))} minutes past {of_what}"
    )


def _hours(hours: tuple[int, ...]) -> str:
    """The hours of a day, as spans that end with the last minute."""
    return joined([f"{first:02d}:00 to {last:02d}:59" for first, last in runs(hours)])


def _days(crontab: Crontab) -> list[str]:
    """The days and months that are restricted."""
    on = crontab.on
    dates = _dates(crontab)
    weekdays = _weekdays(crontab)
    parts = []
    if dates and weekdays and on.either:
        parts.append(f"{dates} or on {joined(weekdays, 'or')}")
    elif dates and weekdays:
        one = len(on.dates) + on.last_date == 1
        parts.append(f"{dates} {'if it is' if one else 'that are also'} {joined(weekdays, 'or')}")
    elif dates:
        parts.append(dates)
    elif weekdays:
        counted = on.last_weekdays or on.nth_weekdays
        parts.append(f"on {joined(weekdays)} of the month" if counted else joined(weekdays))
    if len(crontab.months) < 12:
        parts.append("in " + joined(spans(["", *MONTHS], sorted(crontab.months))))
    return parts


def _dates(crontab: Crontab) -> str:
    """The days of the month; empty where every day matches."""
    on = crontab.on
    if len(on.dates) == 31 and not on.either:
        return ""
    numbers = spans([str(day) for day in range(32)], sorted(on.dates))
    if not numbers:
        return "on the last day of the month"
    days = f"on {plural(len(on.dates), 'day')} {joined(numbers)}"
    return f"{days} and on the last day of the month" if on.last_date else f"{days} of the month"


def _weekdays(crontab: Crontab) -> list[str]:
    """The days of the week; empty where every day matches."""
    on = crontab.on
    if len(on.weekdays) == 7 and not on.either:
        return []
    words = weekday_spans(on.weekdays)
    words += [
        f"the {ORDINALS[which]} {WEEKDAYS[day]}"
        for day, which in sorted(on.nth_weekdays, key=lambda n: n[::-1])
    ]
    return words + [f"the last {WEEKDAYS[day]}" for day in sorted(on.last_weekdays)]


def _step(values: tuple[int, ...], size: int) -> int | None:
    """The step n of values 0, n, 2n … where n divides `size`; None for other values."""
    if len(values) < 2 or values[0] != 0 or size % len(values):
        return None
    step = size // len(values)
    return step if values == tuple(range(0, size, step)) else None
