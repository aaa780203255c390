"""The effect of an edit on coming ticks: ticks that go, come, or move. Pure.

The ticks of two versions of a schedule are compared. On a day (in the zone of the new version) with
as many gone as new ticks, the ticks count as moved; all others as gone or new.
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
    """The ticks that differ, in order, and the number of ticks in both versions."""

    gone: list[datetime]
    come: list[datetime]
    moved: list[tuple[datetime, datetime]]
    """(from, to)."""

    same: int

    @property
    def is_empty(self) -> bool:
        """Whether no tick changes."""
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
    """Return the difference in the ticks of (since, until] between `old` and its replacement `new`.

    None stands for a missing schedule (new or deleted). `before` has the calendars for `old`,
    `after` the calendars for `new`; without its calendar a schedule has no ticks. A disabled
    version has no ticks; two disabled versions are compared as if enabled.
    """
    old_ticks = _ticks(old, new, since, until, before)
    new_ticks = _ticks(new, old, since, until, after)
    gone, come = _unlike(old_ticks, new_ticks)
    same = len(old_ticks) - len(gone)
    gone, come, moved = _moves(gone, come, _zone(new or old))
    return Difference(gone=gone, come=come, moved=moved, same=same)


def _ticks(
    spec: Spec | None,
    other: Spec | None,
    since: datetime,
    until: datetime,
    calendars: Mapping[str, Calendar],
) -> list[datetime]:
    """The ticks of the version `spec`, compared with the version `other`."""
    if spec is None or (not spec.enabled and (other is None or other.enabled)):
        return []
    name = spec.window.calendar
    if name is not None and name not in calendars:
        return []
    version = spec.model_copy(update={"when": anchored(spec.when, since)})
    calendar = None if name is None else calendars[name]
    return list(bounded_ticks(version, since, until, calendar=calendar))


def _unlike(before: list[datetime], after: list[datetime]) -> tuple[list[datetime], list[datetime]]:
    """The ticks only in `before`, and the ticks only in `after`."""
    if before == after:
        return [], []
    old = set(before)
    new = set(after)
    gone = [tick for tick in before if tick not in new]
    come = [tick for tick in after if tick not in old]
    return gone, come


def _moves(
    gone: list[datetime], come: list[datetime], zone: ZoneInfo
) -> tuple[list[datetime], list[datetime], list[tuple[datetime, datetime]]]:
    """The ticks to go, the ticks to come, and pairs of moved ticks, matched day by day."""
    if not gone or not come:
        return gone, come, []
    going = _by_day(gone, zone)
    coming = _by_day(come, zone)
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
    """The zone of a schedule's days; UTC for a schedule without a zone."""
    when = spec.when if spec is not None else None
    return zones.zone(when.timezone if isinstance(when, CrontabWhen | RruleWhen) else str(UTC))
