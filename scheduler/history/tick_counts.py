"""The counting of runs and ticks, everywhere: on the overview, in lists and in reports.

A row counts as many as the row has ticks: 1 for a run, `ticks` for a range of ticks that did not
run. A row belongs to the time of the first event.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func

from scheduler.history.models import Run


def ticks(condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """Return the number of ticks of the rows in a group, in SQL.

    With a `condition`, only rows that meet the condition count.
    """
    total = func.sum(Run.ticks)
    return func.coalesce(total if condition is None else total.filter(condition), 0)


def ticks_in(states: Collection[str]) -> ColumnElement[int]:
    """Return the number of ticks in the given states, in SQL."""
    return ticks(verdict().in_(states))


def verdict() -> ColumnElement[str]:
    """Return the verdict on a run with children, in SQL; the state of a run without children."""
    return func.coalesce(Run.tree_state, Run.state)


def first_between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """The rows whose first event lies in [since, until); None leaves a side open."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(Run.first_at >= since)
    if until is not None:
        conditions.append(Run.first_at < until)
    return conditions
