"""How runs and ticks are counted, everywhere: on the overview, in lists and in reports.

A row counts as many as it has ticks: a run one, a range of ticks that did not run its `ticks`. It
belongs to the time of its first event.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func

from scheduler.history.models import Run


def ticks(condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """The number of ticks of the rows in a group, or of those that meet `condition`, in SQL."""
    total = func.sum(Run.ticks)
    return func.coalesce(total if condition is None else total.filter(condition), 0)


def ticks_in(states: Collection[str]) -> ColumnElement[int]:
    """The number of ticks in these states, in SQL."""
    return ticks(verdict().in_(states))


def verdict() -> ColumnElement[str]:
    """The verdict on a run with its children, in SQL; its state where it has none."""
    return func.coalesce(Run.tree_state, Run.state)


def first_between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """The rows whose first event lies in [since, until); None leaves a side open."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(Run.first_at >= since)
    if until is not None:
        conditions.append(Run.first_at < until)
    return conditions
