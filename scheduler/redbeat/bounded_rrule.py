"""RedBeat's rrule, with a bound on the work of finding a tick.

RedBeat computes an rrule by dateutil, which goes through all ticks from the start of the rule: one
by the second that began 30 days ago costs seconds of CPU at each look, and one without any tick
(30 February) or with the interval 0 never ends. Here the rule begins shortly before the moment that
is looked at, where its period has a fixed length; and each step is counted: a rule that takes more
than `MOST_STEPS` is refused, so that it costs nobody but itself.

A step is a day that dateutil looks at, or a tick that it finds. dateutil adds the rule's interval
once in each of its steps, so an interval that counts its additions (`_CountedInterval`) ends the
search also where no tick is found.
"""

from datetime import datetime, timedelta
from typing import Any

from dateutil import rrule as dateutil

from scheduler.errors import UnreadableEntry

MOST_STEPS = 50_000
"""Most steps of one search: about 0.15 seconds, with the costliest rules."""

MOST_VALUES = 400
"""Most values of a part of a rule, such as the days of a year."""

_PARTS = (
    "bysetpos",
    "bymonth",
    "bymonthday",
    "byyearday",
    "byeaster",
    "byweekno",
    "byweekday",
    "byhour",
    "byminute",
    "bysecond",
)
_DAYS = {dateutil.YEARLY: 366, dateutil.MONTHLY: 31, dateutil.WEEKLY: 7}
"""Days that dateutil looks at in a step of a rule; one in all other rules."""

_POSITIONS = 20
"""Values of BYSETPOS that cost as much as looking at the days again."""

_SECONDS = {
    dateutil.WEEKLY: 7 * 86_400,
    dateutil.DAILY: 86_400,
    dateutil.HOURLY: 3600,
    dateutil.MINUTELY: 60,
    dateutil.SECONDLY: 1,
}
"""Seconds of the periods with a fixed length, in the fixed offset from UTC of RedBeat's starts."""

_MONTHS = {dateutil.YEARLY: 12, dateutil.MONTHLY: 1}
"""Months of the other periods."""

_SHORTEST_MONTH = 28


class TooMuchWork(UnreadableEntry):
    """A tick of the rule is not found within the bound."""


def check_size(schedule: Any) -> None:
    """Raise UnreadableEntry for an rrule in RedBeat's JSON with a part of too many values.

    To be called before RedBeat's decoder makes the rule: the decoder's own work depends on them.
    """
    if not isinstance(schedule, dict):
        return
    for name in _PARTS:
        values = schedule.get(name)
        if isinstance(values, list) and len(values) > MOST_VALUES:
            raise UnreadableEntry(
                f"schedule.{name} has {len(values)} values; at most {MOST_VALUES} are read"
            )


def bound(schedule: Any) -> None:
    """Let a decoded rrule of RedBeat's raise TooMuchWork instead of searching for long.

    Other schedules stay as they are. Raises UnreadableEntry for an interval that is no whole number
    from 1.
    """
    if isinstance(getattr(schedule, "rrule", None), dateutil.rrule):
        every = schedule.interval
        if not isinstance(every, int) or every < 1:
            raise UnreadableEntry(f"schedule.interval is {every!r:.80}, not a whole number from 1")
        schedule.rrule = _BoundedSearch(schedule)


class _BoundedSearch:
    """Stands in for dateutil's rule within RedBeat's, which calls nothing but `after`."""

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule

    def after(self, moment: datetime) -> datetime | None:
        """Return the first tick after `moment`; None after the last. Raises TooMuchWork."""
        steps = _Steps()
        rule = self._rule_from(self._start_before(moment), steps)
        for tick in rule:
            steps.add(1)
            if tick > moment:
                found: datetime = tick
                return found
        return None

    def _start_before(self, moment: datetime) -> datetime:
        """The start of a rule with equal ticks after `moment`, a few periods before it."""
        schedule = self._schedule
        start: datetime = schedule.dtstart
        if schedule.count is not None or schedule.bysetpos is not None or moment <= start:
            return start
        if schedule.freq in _MONTHS:
            return _months_later(start, moment, schedule.interval * _MONTHS[schedule.freq])
        period = schedule.interval * _SECONDS[schedule.freq]
        passed = int((moment - start).total_seconds()) // period - 2
        return start + timedelta(seconds=passed * period) if passed > 0 else start

    def _rule_from(self, start: datetime, steps: "_Steps") -> dateutil.rrule:
        schedule = self._schedule
        interval = _CountedInterval(schedule.interval)
        interval.steps = steps
        parts = {name: getattr(schedule, name) for name in _PARTS}
        positions = schedule.bysetpos if isinstance(schedule.bysetpos, list) else []
        interval.weight = _DAYS.get(schedule.freq, 1) * (1 + len(positions) // _POSITIONS)
        return dateutil.rrule(
            schedule.freq,
            dtstart=start,
            interval=interval,
            wkst=schedule.wkst,
            count=schedule.count,
            until=schedule.until,
            **parts,
        )


def _months_later(start: datetime, moment: datetime, months: int) -> datetime:
    """`start`, later by whole periods of `months`, two of them before `moment`.

    Unchanged from the 29th on, which some months do not have.
    """
    between = 12 * (moment.year - start.year) + moment.month - start.month
    passed = between // months - 2
    if passed <= 0 or start.day > _SHORTEST_MONTH:
        return start
    years, month = divmod(start.month - 1 + passed * months, 12)
    return start.replace(year=start.year + years, month=month + 1)


class _Steps:
    """A count of steps that ends in an error."""

    def __init__(self) -> None:
        self._taken = 0

    def add(self, steps: int) -> None:
        """Count steps. Raises TooMuchWork beyond MOST_STEPS."""
        self._taken += steps
        if self._taken > MOST_STEPS:
            raise TooMuchWork(
                f"no tick of its rrule was found in {MOST_STEPS} steps; give the rule a later "
                "start, fewer parts, or an interval"
            )


class _CountedInterval(int):
    """A rule's interval that counts how often dateutil adds it."""

    steps: _Steps
    weight: int

    def __radd__(self, other: int) -> int:
        self.steps.add(self.weight)
        return int(other) + int(self)

    def __mul__(self, other: int) -> int:
        self.steps.add(self.weight)
        return int(self) * other
