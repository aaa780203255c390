"""Warnings about a schedule, as whole sentences with dates and a remedy. Pure.

`of_when` judges the rule alone; `warnings` also uses `Facts` about queues, jobs, calendars and
other schedules. A warning does not prevent saving; refusals are in `check`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil

from scheduler.errors import BadExpression
from scheduler.rules import ticks
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.crontab import dialect
from scheduler.rules.explain import clock_changes
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    RedBeatWhen,
    RruleWhen,
    Spec,
    When,
)
from scheduler.rules.phrases import duration, joined, plural
from scheduler.rules.policies import window
from scheduler.rules.time import zones
from scheduler.rules.time.wall_times import Crontab

FAR = timedelta(days=366)
_DAY = timedelta(days=1)
_LOOKED_AT = 20
"""How many ticks are compared with a duration or with another schedule."""


@dataclass(frozen=True)
class Facts:
    """Facts about the installation; a fact that is None causes no warning."""

    usual_duration: float | None = None
    """Usual seconds of a run."""

    others: Sequence[Spec] = ()
    """The other schedules."""

    queues: frozenset[str] | None = None
    """Queues with a worker."""

    jobs: frozenset[str] | None = None
    """Jobs that a worker has registered."""

    default_queue: str = "default"
    calendars: Mapping[str, Calendar] | None = None
    """Readable calendars by name; a calendar missing here is reported as gone."""


NO_FACTS = Facts()


def warnings(schedule: Spec, now: datetime, facts: Facts = NO_FACTS) -> list[str]:
    """Return all warnings, as whole sentences; warnings about the rule alone come first."""
    when = anchored(schedule.when, now)
    found = [
        *of_when(when, now),
        _is_over(schedule.model_copy(update={"when": when}), now),
        _shut_out(schedule.model_copy(update={"when": when}), now, facts),
        _longer_than_its_distance(schedule, when, now, facts),
        _alike(schedule, when, now, facts),
        _nobody_listens(schedule, facts),
        _unknown_job(schedule, facts),
    ]
    return [warning for warning in found if warning]


def of_when(when: When, after: datetime) -> list[str]:
    """Return the warnings about a crontab or rrule alone; empty for other kinds of rules."""
    if not isinstance(when, CrontabWhen | RruleWhen):
        return []
    found: list[str | None] = []
    if isinstance(when, CrontabWhen):
        when = _placed(when)
        crontab = dialect.parse(dialect.effective(when), when.day_match)
        found = [_overlooked(crontab), _day_match(when, crontab, after), _uneven(crontab)]
    found += [
        _far_away(when, after),
        *clock_changes.sentences(ticks.rule_of(when), after, when.timezone),
    ]
    return [warning for warning in found if warning]


def anchored(when: When, now: datetime) -> When:
    """Return `when`; an unsaved interval without an anchor gets the anchor `now`."""
    if isinstance(when, IntervalWhen) and when.anchor is None:
        return when.model_copy(update={"anchor": now})
    return when


def _placed(when: CrontabWhen) -> CrontabWhen:
    """`when` with an example value for each `H` of an unsaved crontab."""
    return when if when.resolved is not None else dialect.settle(when, "")


def _overlooked(crontab: Crontab) -> str | None:
    if not crontab.ignored:
        return None
    return (
        f"Celery overlooks {joined([repr(tail) for tail in crontab.ignored])} here. Remove it, or "
        "write a list."
    )


def _day_match(when: CrontabWhen, crontab: Crontab, after: datetime) -> str | None:
    """A warning where Celery (both day fields must match) and Vixie cron (either) differ."""
    text = dialect.effective(when)
    both = _both(text)
    either = dialect.parse(text, "or")
    if both is not None and both.day_masks == either.day_masks:
        return None
    today = after.astimezone(zones.zone(when.timezone)).date()
    coming = _next_day(crontab, today)
    other = _next_day(either, today, both)
    if when.day_match == "and":
        return (
            "Day of month and day of week must both match, as in Celery: the next day is "
            f"{coming}. A crontab file would take either: {other}."
        )
    return (
        f"Day of month or day of week is enough, as in a crontab file: the next day is {coming}. "
        f"Celery needs both to match, and would leave out {other}."
    )


def _both(text: str) -> Crontab | None:
    """The crontab in which both day fields must match; None where no day matches both."""
    try:
        return dialect.parse(text)
    except BadExpression:
        return None


def _next_day(crontab: Crontab, day: date, unlike: Crontab | None = None) -> date | None:
    """The next day after `day` on which `crontab` runs and `unlike` does not."""
    wall = crontab.next_wall(_midnight(day + _DAY))
    while wall is not None and unlike is not None and unlike.times_on(wall.date()):
        wall = crontab.next_wall(_midnight(wall.date() + _DAY))
    return None if wall is None else wall.date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time


def _uneven(crontab: Crontab) -> str | None:
    """A warning about a step such as `*/7`, which starts again at each full hour or day."""
    for text, values, size, unit in (
        (crontab.texts[0], crontab.minutes, 60, "minute"),
        (crontab.texts[1], crontab.hours, 24, "hour"),
    ):
        if (
            text.startswith("*/")
            and text[2:].isdigit()
            and len(values) > 1
            and size % (values[1] - values[0])
        ):
            step = values[1] - values[0]
            last = size - values[-1]
            whole = "hour" if unit == "minute" else "day"
            return (
                f"{text} starts anew each {whole}: from {unit} {values[-1]} to {unit} 0 it is "
                f"{last}, not {step}. For an even distance use an interval."
            )
    return None


def _far_away(when: When, after: datetime) -> str | None:
    first = ticks.next_tick(when, after)
    if first is None:
        return "It never fires again: no tick is left."
    if first - after < FAR:
        return None
    return f"The first tick is more than a year away: {first:%Y-%m-%d}."


def _is_over(schedule: Spec, now: datetime) -> str | None:
    """A warning where start, end and `max_runs` leave no tick."""
    if ticks.next_tick(schedule.when, now) is None or not window.is_finished(schedule, now):
        return None
    return (
        f"No tick is left before its end, {schedule.window.ends_at:%Y-%m-%d %H:%M} UTC. Choose a "
        "later end."
    )


def _shut_out(schedule: Spec, now: datetime, facts: Facts) -> str | None:
    """A warning where the calendar leaves no tick for a year or more, or is gone."""
    name = schedule.window.calendar
    if name is None or facts.calendars is None or isinstance(schedule.when, RedBeatWhen):
        return None
    calendar = facts.calendars.get(name)
    if calendar is None:
        return (
            f"The calendar {name!r} is gone or damaged. Nothing fires until it is there again, or "
            "until the schedule names another one, or none."
        )
    due = window.bounded_next_tick(schedule, now)
    if due is None or due - now >= FAR:
        return None  # `_is_over` or `_far_away` warns already
    first = next(
        window.bounded_ticks(schedule, now, now + window.CALENDAR_HORIZON, calendar=calendar), None
    )
    if first is None:
        return (
            f"It never fires: the calendar {name!r} excludes every tick of the next five years. "
            "Change one of them."
        )
    if first - now < FAR:
        return None
    return (
        f"The calendar {name!r} excludes every tick of the next year: the first one that runs is "
        f"{first:%Y-%m-%d}."
    )


def _longer_than_its_distance(
    schedule: Spec, when: When, now: datetime, facts: Facts
) -> str | None:
    usual = facts.usual_duration
    if usual is None:
        return None
    coming = ticks.next_ticks(when, now, _LOOKED_AT)
    least = min(
        ((later - earlier).total_seconds() for earlier, later in pairwise(coming)), default=None
    )
    if least is None or least >= usual:
        return None
    then = {
        "skip": "ticks that are due meanwhile are skipped",
        "allow": "runs pile up beside each other",
        "queue_one": "it runs without a pause, and further ticks are skipped",
        "queue_all": "it falls behind until its queue is full",
        "cancel_previous": "runs are stopped before they end",
    }[schedule.policies.overlap]
    return (
        f"A run usually takes {_seconds(usual)}, but the next is due {_seconds(least)} later: "
        f"{then}."
    )


def _seconds(seconds: float) -> str:
    """Seconds in words, with a number: `1 minute`, where `duration` gives `minute`."""
    words = duration(round(seconds, 1) if seconds < 60 else ceil(seconds))
    return words if words[0].isdigit() else f"1 {words}"


def _alike(schedule: Spec, when: When, now: datetime, facts: Facts) -> str | None:
    """A warning about another schedule with an equal call at equal times."""
    coming = ticks.next_ticks(when, now, _LOOKED_AT)
    same = [
        other.name
        for other in facts.others
        if other.name != schedule.name
        and (other.job, other.args, other.kwargs) == (schedule.job, schedule.args, schedule.kwargs)
        and (other.enabled or not schedule.enabled)
        and other.window.calendar == schedule.window.calendar
        and ticks.next_ticks(anchored(other.when, now), now, _LOOKED_AT) == coming
    ]
    if not same or not coming:
        return None
    return (
        f"{joined(sorted(same)[:5])} {plural(len(same), 'does', 'do')} the same at the same "
        "times. Keep one of them."
    )


def _nobody_listens(schedule: Spec, facts: Facts) -> str | None:
    queue = schedule.queue or facts.default_queue
    if facts.queues is None or queue in facts.queues:
        return None
    consumed = f"; consumed are {joined(sorted(facts.queues))}" if facts.queues else ""
    return (
        f"No worker consumes the queue {queue!r}{consumed}. Runs wait there until one is started "
        f"with -Q {queue}."
    )


def _unknown_job(schedule: Spec, facts: Facts) -> str | None:
    if facts.jobs is None or schedule.job in facts.jobs:
        return None
    return f"No worker has registered the job {schedule.job!r}. Its runs fail until one does."
