"""The budget of each endpoint, in seconds. Pure.

A request that follows its input's lengths (`front.lengths`) needs a small part of its budget. The
budget is for the others: a frozen server, a locked table, and a fault of Beatdesk.
"""

from typing import NamedTuple


class Budget(NamedTuple):
    """Seconds that one request may take. `redis` is for the answers of Redis together."""

    redis: float = 2.0


USUAL = Budget()
MANY_ENTRIES = Budget(redis=10.0)
"""For requests that read or write many schedules, each with questions of its own."""

BUDGETS = dict.fromkeys(
    (
        "schedules.import_set",
        "schedules.export",
        "schedules.bulk_change",
        "schedules.bulk_export",
        "schedules.backfill",
        "schedules.move_waiting",
        "schedules.pause_all",
        "schedules.resume_all",
        "dead_letters.retry_all",
        "dead_letters.drop_all",
    ),
    MANY_ENTRIES,
)
"""The budget of each endpoint; USUAL for all others."""

EACH_ANSWER = 2.0
"""Seconds for a single answer of Redis, whatever the budget is."""

SILENT = 0.3
"""Seconds for the first answer after a question without one: Redis is asked by every request, so
that the console comes back with it, but no request waits for long."""

HEALTH = 1.0
"""Seconds for the answers of Redis to the health check."""


def budget_of(endpoint: str | None) -> Budget:
    """Return the budget of an endpoint; None is an address without one."""
    return BUDGETS.get(endpoint or "", USUAL)
