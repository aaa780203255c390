"""The recent days of a schedule: their numbers, and a column for each day."""

from dataclasses import dataclass
from datetime import datetime

from scheduler.history.days import (
    RECENT,
    DayStatistics,
    Shares,
    Summary,
    recent_days,
    shares,
    summary,
)
from webadmin.refusals import while_away
from webadmin.services import services

WIDTH, STEP, HEIGHT = 3, 4, 40
LEAST = 3
"""The least height of a part: one failure among thousands of runs is seen."""

_PARTS = (("failed", "failed"), ("missed", "late"), ("succeeded", "succeeded"))
"""Counts of a day from the foot up, with the style sheet's names. Successes come last: they give
way where a small part needs its least height.
"""


@dataclass(frozen=True)
class Columns:
    """The days as columns, oldest left: one SVG path for each kind of outcome."""

    width: int
    height: int
    paths: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RecentDays:
    """The recent days of a schedule: together, each alone with its shares, and drawn."""

    total: Summary
    days: tuple[tuple[DayStatistics, Shares], ...]
    columns: Columns
    count: int = RECENT


@while_away(None)
def recent(uid: str, now: datetime) -> RecentDays | None:
    """Return the recent days of a schedule, newest first; None without a tick on them."""
    since, until = recent_days(now)
    days = services().statistics.days([uid], since, until).get(uid, [])
    total = summary(days, since, until)
    if total is None:
        return None
    newest_first = tuple((day, shares([day])) for day in reversed(days))
    return RecentDays(total, newest_first, columns(total))


def columns(total: Summary) -> Columns:
    """Return the columns of the days; the day with the most ticks has the full height."""
    most = max(sum(getattr(day, name) for name, _ in _PARTS) for day in total.days)
    drawn: dict[str, str] = {}
    for day in total.days:
        left = (day.day - total.since).days * STEP
        foot = HEIGHT
        for name, group in _PARTS:
            count = getattr(day, name)
            if not count:
                continue
            height = min(foot, max(LEAST, round(count / most * HEIGHT)))
            foot -= height
            drawn[group] = drawn.get(group, "") + f"M{left} {foot}h{WIDTH}v{height}h-{WIDTH}z"
    return Columns(RECENT * STEP - (STEP - WIDTH), HEIGHT, tuple(drawn.items()))
