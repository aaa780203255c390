"""Holes of the ledger: past ticks without a row, and the true verdict on each. Pure.

    ticks expected by the revisions in force ── minus ──▶ ticks of runs and of ranges in the history
                                             ── minus ──▶ ticks that wait, or have a lease
                                             ═══════════▶ holes, as ranges with one reason

| the schedule at the tick | verdict |
| --- | --- |
| paused | `skipped: paused` |
| switched off | `skipped: disabled` |
| an operator had skipped the tick | `skipped: operator` |
| the calendar excludes the tick | `skipped: calendar` |
| the tick waited for its turn, and the schedule was deleted | `skipped: operator` |
| no Beat led | `missed: scheduler_down` |
| none of the above | `missed: unrecorded`: nothing is recorded, and nothing is made up |
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from scheduler.events.schema import TicksEvent, TicksMissed, TicksSkipped
from scheduler.ledger.lives import Change, Stretch, is_deleted, stretches
from scheduler.rules.calendars import exclusions
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.ticks import has_computable_ticks, ticks_between
from scheduler.schedules import missed_in_pause
from scheduler.schedules.missed_in_pause import undecided_bounds

MOST_TICKS = 20_000
"""Most ticks of a schedule compared in a look."""

_KEEPS_TICKS = ("queue_one", "queue_all", "cancel_previous")
"""Overlap policies under which a tick may wait, without a row, for an earlier run."""


class Row(NamedTuple):
    """The ticks of a row of the history, from `first` to `last`; equal for a run."""

    first: datetime
    last: datetime


class Absence(NamedTuple):
    """A time without a leading Beat."""

    began: datetime
    ended: datetime


class Surroundings(NamedTuple):
    """Further causes of verdicts: calendars by name, and the times without a leading Beat."""

    calendars: Mapping[str, Calendar]
    absences: Sequence[Absence]


class _Verdict(NamedTuple):
    kind: type[TicksEvent]
    reason: str


class Life(NamedTuple):
    """The changes of a schedule, in order, and the examined time (after, until]."""

    changes: Sequence[Change]
    after: datetime
    until: datetime

    @property
    def is_deleted(self) -> bool:
        """Whether the schedule is gone at the end."""
        return is_deleted(self.changes)


def holes(
    life: Life,
    rows: Sequence[Row],
    busy: Collection[datetime],
    surroundings: Surroundings,
    now: datetime,
) -> list[TicksEvent]:
    """Return the verdicts on the ticks of a life without a row.

    `rows` are all rows of the schedule with a tick in the life; `busy` are ticks that wait or have
    a lease. Neighbouring ticks with the same verdict, and no tick with a row in between, make one
    event.
    """
    found: list[TicksEvent] = []
    ranges = _Ranges(rows)
    group: list[datetime] = []
    last: tuple[Stretch, _Verdict] | None = None
    for stretch, tick in islice(_expected(life), MOST_TICKS):
        verdict = None
        if not ranges.has(tick) and tick not in busy:
            verdict = _verdict(stretch, tick, surroundings, is_deleted=life.is_deleted)
        if last is not None and (verdict is None or (stretch, verdict) != last):
            found.append(_event(*last, group, now))
            group, last = [], None
        if verdict is not None:
            group.append(tick)
            last = (stretch, verdict)
    if last is not None:
        found.append(_event(*last, group, now))
    return found


class _Ranges:
    """The ticks with a row. Ticks are asked for in order."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._ticks = {row.first for row in rows if row.first == row.last}
        self._ranges = [row for row in rows if row.first != row.last]

    def has(self, tick: datetime) -> bool:
        """Whether a row contains the tick."""
        return tick in self._ticks or any(row.first <= tick <= row.last for row in self._ranges)


def _expected(life: Life) -> Iterator[tuple[Stretch, datetime]]:
    """Yield the ticks of a life, in order, each with the surrounding stretch."""
    for stretch in stretches(life.changes, life.after, life.until):
        when = stretch.schedule.when
        begin, end = undecided_bounds(stretch.schedule, stretch.after, stretch.until)
        if has_computable_ticks(when) and begin < end:
            yield from ((stretch, tick) for tick in ticks_between(when, begin, end))


def _verdict(
    stretch: Stretch, tick: datetime, surroundings: Surroundings, *, is_deleted: bool
) -> _Verdict:
    """Return the true verdict on a tick without a row."""
    schedule = stretch.schedule
    if tick in schedule.skips:
        return _Verdict(TicksSkipped, "operator")
    if stretch.rest != "awake":
        return _Verdict(TicksSkipped, stretch.rest)
    name = schedule.window.calendar
    calendar = None if name is None else surroundings.calendars.get(name)
    if calendar is not None and exclusions.excludes(calendar, tick):
        return _Verdict(TicksSkipped, "calendar")
    if is_deleted and schedule.policies.overlap in _KEEPS_TICKS:
        return _Verdict(TicksSkipped, "operator")
    if any(absence.began <= tick <= absence.ended for absence in surroundings.absences):
        return _Verdict(TicksMissed, "scheduler_down")
    return _Verdict(TicksMissed, "unrecorded")


def _event(
    stretch: Stretch, verdict: _Verdict, ticks: Sequence[datetime], now: datetime
) -> TicksEvent:
    span = (ticks[0], ticks[-1], len(ticks))
    return missed_in_pause.verdict(verdict.kind, stretch.schedule, verdict.reason, span, now)
