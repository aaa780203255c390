"""Questions to a user's database, as a report asks them."""

from time import monotonic
from typing import Any

from scheduler.jobs.sql.caps import Budget, Caps
from scheduler.jobs.sql.child_process import query

CAPS = Caps(rows=10_000, bytes=10_000_000, seconds=20)


def answer(
    address: str, statement: str, values: dict[str, Any] | None = None, caps: Caps = CAPS
) -> Any:
    """The columns and all rows."""
    budget = Budget(caps, monotonic)
    with query(address, statement, values or {}, budget) as (columns, batches):
        return columns, [row for batch in budget.counted(batches) for row in batch]
