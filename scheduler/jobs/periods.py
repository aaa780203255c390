"""Periods of reports: the last whole day, week or month before a tick, in a zone. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["day", "week", "month"]

MOST_BARS = 62


@dataclass(frozen=True)
class Period:
    """The time from `since` to before `until`; the `bounds`, both ends included, are the edges of a
    chart's bars.
    """

    since: datetime
    until: datetime
    bounds: tuple[datetime, ...]
    by: Literal["hour", "day", "week"]

    @property
    def words(self) -> str:
        """The days of the period: `2026-11-20`, or `2026-11-01 to 2026-11-30`."""
        first = self.since.strftime("%Y-%m-%d")
        last = (self.until - timedelta(microseconds=1)).strftime("%Y-%m-%d")
        return first if first == last else f"{first} to {last}"


def last_whole(unit: Unit, before: datetime, zone: ZoneInfo) -> Period:
    """The last day, week (from Monday) or month in the zone that had ended at `before`."""
    midnight = before.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "day":
        until = midnight
        since = until - timedelta(days=1)
    elif unit == "week":
        until = midnight - timedelta(days=midnight.weekday())
        since = until - timedelta(days=7)
    else:
        until = midnight.replace(day=1)
        since = (until - timedelta(days=1)).replace(day=1)
    if unit == "day":
        return Period(since, until, _hours(since, until, zone), "hour")
    days = range((until.date() - since.date()).days + 1)
    return Period(since, until, tuple(since + timedelta(days=day) for day in days), "day")


def last_days(days: int, before: datetime, zone: ZoneInfo) -> Period:
    """The `days` times 24 hours before a moment; bars of an hour, a day or a week."""
    until = before.astimezone(zone)
    since = (until.astimezone(UTC) - timedelta(days=days)).astimezone(zone)
    if days <= 2:
        return Period(since, until, _hours(since, until, zone), "hour")
    step, by = (1, "day") if days <= MOST_BARS else (7, "week")
    starts = [until.astimezone(UTC) - timedelta(days=back) for back in range(0, days, step)]
    bounds = (since, *(start.astimezone(zone) for start in reversed(starts)))
    return Period(since, until, bounds, "day" if by == "day" else "week")


def _hours(since: datetime, until: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Bounds at each elapsed hour: a day with a clock change has 23 or 25."""
    first = since.astimezone(UTC)
    last = until.astimezone(UTC)
    hours = int((last - first) / timedelta(hours=1))
    return (*((first + timedelta(hours=hour)).astimezone(zone) for hour in range(hours)), until)
