"""A rrule in words, made from its parsed values. Every rule accepted by `rrule.text` has words."""

from scheduler.rules.phrases import (
    MONTHS,
    WEEKDAYS,
    counted,
    joined,
    ordinal,
    plural,
    spans,
    weekday_spans,
)
from scheduler.rules.rrule.recurrence import Recurrence

_UNITS = {
    "YEARLY": "year",
    "MONTHLY": "month",
    "WEEKLY": "week",
    "DAILY": "day",
    "HOURLY": "hour",
    "MINUTELY": "minute",
}
_MOST_TIMES = 6


def describe(rule: Recurrence, timezone: str) -> str:
    """Return a line of words: frequency, days, times, end, and the zone."""
    unit = _UNITS[rule.frequency]
    often = f"Every {unit}" if rule.interval == 1 else f"Every {counted(rule.interval, unit)}"
    days = _days(rule)
    parts = [f"{often} {joined(days)}" if days else often]
    if len(rule.months) < 12:
        parts.append("in " + joined(spans(["", *MONTHS], sorted(rule.months))))
    parts.append(_times(rule))
    if rule.positions:
        parts.append(
            "only the "
            f"{joined([ordinal(at) for at in sorted(rule.positions, key=lambda n: (n < 0, n))])} "
            "of these"
        )
    if rule.count is not None:
        parts.append(
            f"{rule.count} times from {rule.start:%Y-%m-%d} on" if rule.count > 1 else "once"
        )
    if rule.until is not None:
        parts.append(f"until {rule.until:%Y-%m-%d %H:%M}")
    return f"{', '.join(part for part in parts if part)} ({timezone})"


def _days(rule: Recurrence) -> list[str]:
    """The restrictions on days; a tick must meet all, so that 'and' may join the phrases."""
    words = []
    if rule.weeks:
        words.append(f"in week {joined([str(week) for week in sorted(rule.weeks)])}")
    if rule.year_days:
        words.append(
            f"on the {joined([ordinal(day) for day in sorted(rule.year_days)])} day of the year"
        )
    if rule.month_days:
        words.append(_month_days(rule))
    weekdays = (
        weekday_spans(frozenset((day + 1) % 7 for day in rule.weekdays)) if rule.weekdays else []
    )
    if len(rule.weekdays) == 7:
        weekdays = ["any day of the week"]
    period = "year" if rule.nth_of_year else "month"
    nth = sorted(rule.nth_weekdays, key=lambda found: (found[1] < 0, found[1], found[0]))
    weekdays += [
        f"the {ordinal(which)} {WEEKDAYS[(day + 1) % 7]} of the {period}" for day, which in nth
    ]
    if weekdays:
        words.append(f"on {joined(weekdays)}")
    return words


def _month_days(rule: Recurrence) -> str:
    """The days of the month; days counted from the end are named."""
    numbered = sorted(day for day in rule.month_days if day > 0)
    forward = joined(spans([str(day) for day in range(32)], numbered)) if numbered else ""
    words = [f"{plural(len(numbered), 'day')} {forward}"] if forward else []
    words += [f"the {ordinal(day)} day" for day in sorted(rule.month_days, reverse=True) if day < 0]
    return f"on {joined(words)} of the month"


def _times(rule: Recurrence) -> str:
    """The times of day; for a sub-daily rule the minutes and hours."""
    if rule.is_sub_daily:
        minutes = sorted({second // 60 % 60 for second in rule.seconds})
        hours = sorted({second // 3600 for second in rule.seconds})
        parts = []
        if len(minutes) < 60:
            parts.append(
                f"at {joined(spans([str(n) for n in range(60)], minutes))} minutes past the hour"
            )
        if len(hours) < 24:
            parts.append(f"in the hours {joined(spans([f'{n:02d}' for n in range(24)], hours))}")
        return ", ".join(parts)
    if len(rule.seconds) > _MOST_TIMES:
        return (
            f"at {len(rule.seconds)} times of the day from {_clock(rule.seconds[0])} to "
            f"{_clock(rule.seconds[-1])}"
        )
    return "at " + joined([_clock(second) for second in rule.seconds])


def _clock(second: int) -> str:
    """A second of the day as `06:00` or `06:00:30`."""
    text = f"{second // 3600:02d}:{second // 60 % 60:02d}"
    return f"{text}:{second % 60:02d}" if second % 60 else text
