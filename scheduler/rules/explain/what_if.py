"""What an edit changes: the ticks of a time to come that go, that come, and that move. Pure.

Two versions of a schedule are laid beside each other, tick by tick. On a day (in the zone of the
new version) on which as many ticks go as come, each is said to move; what is left goes or comes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.explain.warnings import anchored
from scheduler.rules.model.spec import CrontabWhen, RruleWhen, Spec
from scheduler.rules.policies.window import bounded_ticks
from scheduler.rules.time import zones

NO_CALENDARS: Mapping[str, Calendar] = {}


@dataclass(frozen=True)
class Difference:
    """The ticks that differ, in order, and how many stay the same."""

    gone: list[datetime]
    come: list[datetime]
    moved: list[tuple[datetime, datetime]]
    """(from, to)."""

    same: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.gone or self.come or self.moved)


def compare(
    old: Spec | None,
    new: Spec | None,
    since: datetime,
    until: datetime,
    *,
    before: Mapping[str, Calendar] = NO_CALENDARS,
    after: Mapping[str, Calendar] = NO_CALENDARS,
) -> Difference:
    """What becomes of the ticks in (since, until] when `new` takes the place of `old`.

    `before` has the calendars that `old` may name, `after` those that `new` may name; one whose
    calendar is missing does not fire. None is a schedule that is not there. One that is disabled
    has no ticks, unless both versions are: then they are compared as if they were not.
    """
    was, will = _ticks(old, new, since, until, before), _ticks(new, old, since, until, after)
    gone, come = _unlike(was, will)
    same = len(was) - len(gone)
    gone, come, moved = _moves(gone, come, _zone(new or old))
    return Difference(gone=gone, come=come, moved=moved, same=same)


def _ticks(
    spec: Spec | None,
    other: Spec | None,
    since: datetime,
    until: datetime,
    calendars: Mapping[str, Calendar],
) -> list[datetime]:
    """The ticks of one version."""
    if spec is None or (not spec.enabled and (other is None or other.enabled)):
        return []
    name = spec.window.calendar
    if name is not None and name not in calendars:
        return []
    known = spec.model_copy(update={"when": anchored(spec.when, since)})
    return list(
        bounded_ticks(known, since, until, calendar=None if name is None else calendars[name])
    )


def _unlike(before: list[datetime], after: list[datetime]) -> tuple[list[datetime], list[datetime]]:
    """What is in one ascending list and not in the other."""
    if before == after:
        return [], []
    kept, added = set(before), set(after)
    return [tick for tick in before if tick not in added], [
        tick for tick in after if tick not in kept
    ]


def _moves(
    gone: list[datetime], come: list[datetime], zone: ZoneInfo
) -> tuple[list[datetime], list[datetime], list[tuple[datetime, datetime]]]:
    """Pair ticks that go with ticks that come, day by day."""
    if not gone or not come:
        return gone, come, []
    going, coming = _by_day(gone, zone), _by_day(come, zone)
    pairs = [day for day in going if len(going[day]) == len(coming.get(day, []))]
    moved = [pair for day in pairs for pair in zip(going.pop(day), coming.pop(day), strict=True)]
    return (
        [tick for day in going.values() for tick in day],
        [tick for day in coming.values() for tick in day],
        moved,
    )


def _by_day(ticks: list[datetime], zone: ZoneInfo) -> dict[date, list[datetime]]:
    days: dict[date, list[datetime]] = defaultdict(list)
    for tick in ticks:
        days[tick.astimezone(zone).date()].append(tick)
    return dict(days)


def _zone(spec: Spec | None) -> ZoneInfo:
    """The zone whose days are meant."""
    when = spec.when if spec is not None else None
    return zones.zone(when.timezone if isinstance(when, CrontabWhen | RruleWhen) else str(UTC))
