"""The days of schedules in numbers, and several days together. Pure: no SQL.

The recorder counts each day (`recording.rollup`). Counts add up; percentiles do not, so those of
several days are estimated from the days' own, each weighted by its successful runs.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from scheduler.rules.model.frozen import Frozen

RECENT = 30
"""Days that a schedule's page and `schedules show` look back, today included."""

_HALVINGS = 50
"""Steps of the search for a percentile: as exact as a float."""

_DECIMALS = 6
"""Durations are measured in microseconds."""


class DayStatistics(Frozen):
    """The ticks of a schedule on a day in UTC; `median` and `p95` in seconds, over successful runs.

    `other` are ticks that are not final, or cancelled; `on_time` and `late` count started runs.
    """

    schedule_uid: str
    day: date
    succeeded: int
    failed: int
    missed: int
    skipped: int
    other: int
    on_time: int
    late: int
    median: float | None
    p95: float | None

    @property
    def ticks(self) -> int:
        """The number of ticks of the day."""
        return self.succeeded + self.failed + self.missed + self.skipped + self.other


class Shares(Frozen):
    """Shares of ticks, from 0 to 1; None without such ticks.

    `on_time`: of the ticks that started or were missed. `success`: of the runs that ended.
    """

    on_time: float | None
    success: float | None


class Summary(Frozen):
    """Several days of a schedule together, `since` and `until` included.

    `runs` are those that ended by themselves: `succeeded` and `failed`. `median` and `p95` are
    seconds within which half and 95 % of the successful runs ended: exact where all ran on one day
    or once a day, else an estimate.
    """

    since: date
    until: date
    runs: int
    succeeded: int
    failed: int
    missed: int
    skipped: int
    other: int
    success: float | None
    on_time: float | None
    median: float | None
    p95: float | None
    days: list[DayStatistics]


def recent_days(now: datetime) -> tuple[date, date]:
    """The first and the last of the recent days, in the zone of `now`."""
    return now.date() - timedelta(days=RECENT - 1), now.date()


def summary(days: Sequence[DayStatistics], since: date, until: date) -> Summary | None:
    """The days together, given oldest first; None without a tick on any of them."""
    if not any(day.ticks for day in days):
        return None
    total = {
        name: sum(getattr(day, name) for day in days)
        for name in ("succeeded", "failed", "missed", "skipped", "other")
    }
    found = shares(days)
    return Summary(
        since=since,
        until=until,
        runs=total["succeeded"] + total["failed"],
        **total,
        success=found.success,
        on_time=found.on_time,
        median=percentile_of_days(days, 0.5),
        p95=percentile_of_days(days, 0.95),
        days=list(days),
    )


def shares(days: Sequence[DayStatistics]) -> Shares:
    """The shares over all of these days."""
    on_time = sum(day.on_time for day in days)
    due = on_time + sum(day.late + day.missed for day in days)
    succeeded = sum(day.succeeded for day in days)
    ended = succeeded + sum(day.failed for day in days)
    return Shares(
        on_time=on_time / due if due else None, success=succeeded / ended if ended else None
    )


def percentile_of_days(days: Sequence[DayStatistics], share: float) -> float | None:
    """The seconds within which `share` of the successful runs of these days ended, estimated; None
    without such runs.

    Of a day are known its median and its 95th percentile: half of its runs are taken to end at the
    median, the others evenly between the two.
    """
    timed = [
        (day.succeeded, day.median, day.p95)
        for day in days
        if day.succeeded and day.median is not None and day.p95 is not None
    ]
    if not timed:
        return None
    wanted = share * sum(runs for runs, _, _ in timed)
    low = min(median for _, median, _ in timed)
    high = max(p95 for _, _, p95 in timed)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if sum(runs * _ended(middle, median, p95) for runs, median, p95 in timed) >= wanted:
            high = middle
        else:
            low = middle
    return round(high, _DECIMALS)


def _ended(seconds: float, median: float, p95: float) -> float:
    """The share of a day's runs that ended within so many seconds."""
    if seconds >= p95:
        return 1.0
    if seconds < median:
        return 0.0
    return 0.5 + 0.45 * (seconds - median) / (p95 - median)
