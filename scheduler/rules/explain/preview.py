"""The preview during an operator's typing: words, the next ticks, and warnings. No I/O.

The ticks come from the code behind the firing of schedules.
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
    """Return the preview of `when`, with `n` ticks after `after`.

    `uid` is the schedule's, and decides the value of each `H`; without a uid, the values are
    examples, with a note. Raises Refused as saving would.
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
    """Return the warnings about `when`, as whole sentences."""
    return of_when(when, after)
