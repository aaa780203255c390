"""The effect of coming clock changes on a schedule: times that are skipped or repeated. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduler.rules.phrases import joined
from scheduler.rules.time.instants import Rule, offset_change

AHEAD = 366
"""How many days ahead clock changes are searched."""

_DAY = timedelta(days=1)
_MOST_TIMES = 4


@dataclass(frozen=True)
class Change:
    """A clock change: the wall times from `begins` to `ends` are skipped, or come twice."""

    begins: datetime
    ends: datetime
    forward: bool


def sentences(rule: Rule, after: datetime, zone_name: str) -> list[str]:
    """Return a sentence for the next clock change that skips times of the rule, and a sentence for
    the next that repeats times; empty for an unaffected rule.
    """
    if rule.zone is None:
        return []
    found: dict[bool, str] = {}
    for change in changes(rule.zone, after.astimezone(rule.zone).date()):
        times = [] if change.forward in found else _times(rule, change)
        if times:
            found[change.forward] = _sentence(rule, change, times, zone_name)
    return list(found.values())


@lru_cache(maxsize=4096)
def changes(zone: ZoneInfo, start: date) -> tuple[Change, ...]:
    """Return the clock changes in the year from `start` on (cached)."""
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    days = [midnight + number * _DAY for number in range(AHEAD + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    found = []
    for number in range(AHEAD):
        before = offsets[number]
        later = offsets[number + 1]
        if before is not None and later is not None and before != later:
            moment = offset_change(zone, days[number], days[number + 1]).replace(tzinfo=None)
            ends = sorted((moment + before, moment + later))
            found.append(Change(begins=ends[0], ends=ends[1], forward=later > before))
    return tuple(found)


def _times(rule: Rule, change: Change) -> list[datetime]:
    """The rule's times affected by a change; empty for an hourly rule."""
    if rule.walls.is_sub_daily and rule.walls.runs_every_hour:
        return []
    times: list[datetime] = []
    wall = rule.walls.next_wall(change.begins)
    while wall is not None and wall < change.ends and len(times) <= _MOST_TIMES:
        times.append(wall)
        wall = rule.walls.next_wall(wall + rule.walls.step)
    return times


def _sentence(rule: Rule, change: Change, times: list[datetime], zone_name: str) -> str:
    """The sentence about the affected times."""
    words = [f"{wall:%H:%M}" for wall in times[:_MOST_TIMES]] + (
        ["more"] if len(times) > _MOST_TIMES else []
    )
    one = len(words) == 1
    subject = f"On {times[0]:%Y-%m-%d} {joined(words)}"
    if change.forward:
        does = (
            "does not run"
            if not rule.shift
            else f"runs at the first moment after it, {change.ends:%H:%M}"
        )
        if rule.shift and not one:
            does = f"runs once in their place, at the first moment after them, {change.ends:%H:%M}"
        return f"{subject} {'is' if one else 'are'} skipped by the clock in {zone_name}: it {does}."
    does = "runs both times" if rule.both else "runs the first time only"
    return f"{subject} {'comes' if one else 'come'} twice in {zone_name}: it {does}."
