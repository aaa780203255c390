"""Waiting ticks (overlap policies `queue_one`, `queue_all`) as texts of a sorted set. Pure.

A text begins with the tick, so the set is in the order of time. For a tick requested by an operator
(by a backfill, or by resuming a schedule), trigger and actor follow.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple

from scheduler.rules.model.identity import tick_text
from scheduler.storage import records

Trigger = Literal["schedule", "backfill"]


class WaitingTick(NamedTuple):
    """A tick that waits for an earlier run; `actor` is the operator who requested the tick."""

    tick: datetime
    trigger: Trigger = "schedule"
    actor: str | None = None

    @property
    def text(self) -> str:
        """The text in the sorted set."""
        tick = tick_text(self.tick)
        return tick if self.actor is None else f"{tick} {self.trigger} {self.actor}"

    @property
    def counts_toward_max_runs(self) -> bool:
        """Whether the run counts toward the schedule's `max_runs`; a backfilled run does not."""
        return self.trigger == "schedule"


def readable(texts: Iterable[str]) -> list[WaitingTick]:
    """Return the waiting ticks of these texts; those not written by Beatdesk are left out."""
    found: list[WaitingTick] = []
    for text in texts:
        with suppress(ValueError):
            found.append(read(text))
    return found


def read(text: str) -> WaitingTick:
    """Return the waiting tick of a text in the sorted set (`WaitingTick.text`).

    Raises ValueError for a text whose beginning is no moment with an offset.
    """
    tick, *more = text.split(" ", 2)
    trigger: Trigger = "backfill" if more[:1] == ["backfill"] else "schedule"
    at = records.moment_in(tick)
    if at is None:
        raise ValueError("a waiting tick begins with a moment")
    return WaitingTick(at, trigger, more[1] if len(more) > 1 else None)
