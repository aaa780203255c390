"""The ticks that are held until the run before them has ended, as the texts of a sorted set. Pure.

A text begins with the tick, so that the set is in the order of time. What an operator asked for (a
backfill, or the ticks of a pause when it was resumed) says after it how the run came to be, and who
wanted it.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from scheduler.rules.model.identity import tick_text

Trigger = Literal["schedule", "backfill"]


class WaitingTick(NamedTuple):
    """A tick that waits. `actor` is who asked for it, none where it came due by itself."""

    tick: datetime
    trigger: Trigger = "schedule"
    actor: str | None = None

    @property
    def text(self) -> str:
        """As it is kept."""
        tick = tick_text(self.tick)
        return tick if self.actor is None else f"{tick} {self.trigger} {self.actor}"

    @property
    def counts(self) -> bool:
        """Whether it is one of the schedule's own runs, of which it may have a limited number."""
        return self.trigger == "schedule"


def read(text: str) -> WaitingTick:
    """What `WaitingTick.text` has written."""
    tick, *more = text.split(" ", 2)
    trigger: Trigger = "backfill" if more[:1] == ["backfill"] else "schedule"
    return WaitingTick(datetime.fromisoformat(tick), trigger, more[1] if len(more) > 1 else None)
