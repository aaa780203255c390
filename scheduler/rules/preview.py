"""What an operator sees while typing: words, the next ticks, and what may surprise.

The ticks come from the code that fires. Must not write or read anything.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduler.rules import dialect, ticks, zones
from scheduler.rules.check import check_when
from scheduler.rules.spec import CrontabWhen, IntervalWhen, When
from scheduler.rules.walls import Crontab
from scheduler.rules.words import describe, joined

FAR = timedelta(days=366)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Preview:
    """A schedule in words, its next ticks in UTC, and warnings as whole sentences."""

    words: str
    ticks: list[datetime]
    warnings: list[str]


def preview(when: When, after: datetime, n: int = 10) -> Preview:
    """Preview `when` from `after` on. Raises Refused as saving it would."""
    check_when(when, now=after)
    if isinstance(when, IntervalWhen) and when.anchor is None:
        when = when.model_copy(update={"anchor": after})
    upcoming = ticks.next_ticks(when, after, n)
    return Preview(words=describe(when), ticks=upcoming, warnings=warnings(when, after))


def warnings(when: When, after: datetime) -> list[str]:
    """What an operator may not expect of `when`."""
    if not isinstance(when, CrontabWhen):
        return []
    crontab = dialect.parse(dialect.effective(when), when.day_match)
    found = [
        _overlooked(crontab),
        _both_days(when, crontab, after),
        _uneven(crontab),
        _far_away(when, after),
        _clock_change(when, crontab, after),
    ]
    return [warning for warning in found if warning]


def _overlooked(crontab: Crontab) -> str | None:
    if not crontab.ignored:
        return None
    return f"Celery overlooks {joined([repr(tail) for tail in crontab.ignored])} here. Remove it, or write a list."


def _both_days(when: CrontabWhen, crontab: Crontab, after: datetime) -> str | None:
    """Celery: both must match. Vixie cron: either, where both are restricted."""
    if not crontab.restricts_both_days:
        return None
    first = ticks.next_tick(when, after)
    other = _next_vixie_day(crontab, after.astimezone(zones.zone(when.timezone)).date())
    ours = first.astimezone(zones.zone(when.timezone)).date() if first else None
    return (
        "Day of month and day of week must both match, as in Celery: "
        f"the next day is {ours}. A crontab file would take either: {other}."
    )


def _next_vixie_day(crontab: Crontab, day: date) -> date:
    """The next day that Vixie cron would run on and Celery does not."""
    while True:
        day += _DAY
        by_date, by_weekday = day.day in crontab.days, day.isoweekday() % 7 in crontab.weekdays
        if day.month in crontab.months and by_date != by_weekday:
            return day


def _uneven(crontab: Crontab) -> str | None:
    """`*/7` restarts at each full hour."""
    for text, values, size, unit in (
        (crontab.texts[0], crontab.minutes, 60, "minute"),
        (crontab.texts[1], crontab.hours, 24, "hour"),
    ):
        if text.startswith("*/") and text[2:].isdigit() and len(values) > 1 and size % (values[1] - values[0]):
            step, last = values[1] - values[0], size - values[-1]
            whole = "hour" if unit == "minute" else "day"
            return (
                f"{text} starts anew each {whole}: from {unit} {values[-1]} to {unit} 0 it is {last}, not {step}. "
                "For an even distance use an interval."
            )
    return None


def _far_away(when: CrontabWhen, after: datetime) -> str | None:
    first = ticks.next_tick(when, after)
    if first is None or first - after < FAR:
        return None
    return f"The first tick is more than a year away: {first:%Y-%m-%d}."


def _clock_change(when: CrontabWhen, crontab: Crontab, after: datetime) -> str | None:
    """A fixed time of day that the next year's clock changes skip or repeat."""
    if crontab.is_sub_daily or when.timezone == "UTC":
        return None
    zone = zones.zone(when.timezone)
    start = after.astimezone(zone).date()
    for offset in range(366):
        day = start + offset * _DAY
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        if midnight.utcoffset() == (midnight + _DAY).utcoffset():
            continue
        if day.day not in crontab.days or day.month not in crontab.months:
            continue
        if day.isoweekday() % 7 not in crontab.weekdays:
            continue
        told = _tell_change(when, crontab, midnight)
        if told:
            return told
    return None


def _tell_change(when: CrontabWhen, crontab: Crontab, midnight: datetime) -> str | None:
    """What happens to this schedule on a day on which the clock changes."""
    for hour in crontab.hours:
        for minute in crontab.minutes:
            first = midnight.replace(hour=hour, minute=minute)
            before, later = first.utcoffset(), first.replace(fold=1).utcoffset()
            if before is None or later is None or before == later:
                continue
            if before < later:
                does = "does not run" if when.dst_gap == "skip" else "runs at the first moment after it"
                return f"On {midnight:%Y-%m-%d} {first:%H:%M} is skipped by the clock in {when.timezone}: it {does}."
            does = "runs both times" if when.dst_repeat == "both" else "runs the first time only"
            return f"On {midnight:%Y-%m-%d} {first:%H:%M} comes twice in {when.timezone}: it {does}."
    return None
