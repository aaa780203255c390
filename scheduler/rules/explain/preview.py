"""What an operator sees while typing: words, the next ticks, and what may surprise.

The ticks come from the code that fires. Must not write or read anything.
"""

from dataclasses import dataclass
from datetime import datetime

from scheduler.rules import ticks
from scheduler.rules.check import check_when
from scheduler.rules.crontab import dialect
from scheduler.rules.explain.warnings import anchored, of_when
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import CrontabWhen, When


@dataclass(frozen=True)
class Preview:
    """A schedule in words, its next ticks in UTC, and warnings as whole sentences."""

    words: str
    ticks: list[datetime]
    warnings: list[str]


def preview(when: When, after: datetime, n: int = 10, *, uid: str = "") -> Preview:
    """Preview `when` from `after` on. Raises Refused as saving it would.

    `uid` is that of the schedule, which gives each `H` its place; without one the places are
    examples, and said to be.
    """
    check_when(when, now=after)
    notes: list[str] = []
    when = anchored(when, after)
    if (
        isinstance(when, CrontabWhen)
        and dialect.has_places(when.crontab)
        and (uid or when.resolved is None)
    ):
        when = dialect.settle(when, uid)
        if not uid:
            notes = [f"H gets its place when the schedule is saved; {when.resolved} is an example."]
    upcoming = ticks.next_ticks(when, after, n)
    return Preview(words=describe(when), ticks=upcoming, warnings=[*notes, *of_when(when, after)])


def warnings(when: When, after: datetime) -> list[str]:
    """What an operator may not expect of `when`."""
    return of_when(when, after)
