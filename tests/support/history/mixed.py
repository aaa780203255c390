"""Runs of two schedules, and what becomes of ticks: a history with something of everything."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from scheduler.events.schema import (
    Event,
)
from tests.support.builders import NOON, a_run_history, a_schedule, facts_of

NIGHTLY = a_schedule("nightly-report", kwargs={"days": 1})

HOURLY = a_schedule("hourly_sync", job="sync.orders", queue="fast")

LONG_AGO = NOON - timedelta(days=400)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def ids(items: Sequence[Any]) -> list[str]:
    return [item.id for item in items]


def a_mixed_history() -> list[Event]:
    """Five runs of two schedules, oldest first: n0 succeeded, h1 failed, n2 running, h3 queued, m4
    started by hand.
    """
    by_hand = facts_of(NIGHTLY).model_copy(
        update={"trigger": "manual", "actor": "ada@example.org", "tick": None}
    )
    return [
        *a_run_history("n0", schedule=NIGHTLY, tick=minutes(0), result={"rows": 3}, seconds=2),
        *a_run_history(
            "h1", schedule=HOURLY, tick=minutes(1), state="failed", worker="w2@host", seconds=4
        ),
        *a_run_history("n2", schedule=NIGHTLY, tick=minutes(2), state="started"),
        *a_run_history("h3", schedule=HOURLY, tick=minutes(3), state="queued"),
        *a_run_history("m4", tick=minutes(4), facts=by_hand, seconds=6),
    ]
