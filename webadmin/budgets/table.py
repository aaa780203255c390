"""The budget of each endpoint, in seconds. Pure.

The lengths of a request (`front.lengths`) bound its work to a small part of its budget. The budget
is for what must not happen: a frozen server, a locked table, a fault of Beatdesk.
"""

from typing import NamedTuple


class Budget(NamedTuple):
    """Seconds that one request may take."""

    wall: float = 10.0
    """From its begin to its end; afterwards no server answers it any more."""

    cpu: float = 5.0
    """Of processor time in its thread; afterwards it is ended."""

    redis: float = 2.0
    """For the answers of Redis together."""

    is_piecewise: bool = False
    """Whether the answer is written while it is made; `cpu` is for each piece then."""


USUAL = Budget()
LARGE = Budget(wall=20.0, cpu=10.0, redis=5.0)
"""For texts of up to a megabyte, and for lists that may have to read every schedule."""

MANY_ENTRIES = Budget(wall=60.0, cpu=30.0, redis=20.0)
"""For what changes many schedules or events, with questions for each."""

BROKER = Budget(wall=40.0)
"""For what looks into queues; a broker other than Redis may take half a minute."""

DOWNLOAD = Budget(wall=300.0, is_piecewise=True)
"""For answers that are written while they are made."""

BUDGETS: dict[str, Budget] = {
    **dict.fromkeys(
        (
            "home.index",
            "home.live",
            "schedules.index",
            "schedules.create",
            "schedules.edit",
            "schedules.clone",
            "schedules.preview",
            "calendars.create",
            "calendars.edit",
            "calendars.import_ics",
        ),
        LARGE,
    ),
    **dict.fromkeys(
        (
            "schedules.import_set",
            "schedules.export",
            "schedules.bulk_change",
            "schedules.bulk_export",
            "schedules.backfill",
            "schedules.pause_all",
            "schedules.resume_all",
            "dead_letters.retry_all",
            "dead_letters.drop_all",
        ),
        MANY_ENTRIES,
    ),
    **dict.fromkeys(
        (
            "runs.cancel",
            "runs.rerun",
            "schedules.run",
            "schedules.move_waiting",
            "schedules.drop_waiting",
        ),
        BROKER,
    ),
    **dict.fromkeys(("audit.export", "reports.download"), DOWNLOAD),
}
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
