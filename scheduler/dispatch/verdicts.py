"""The plan for a schedule's ticks, and the verdicts in a plan. Pure data."""

from dataclasses import dataclass, field
from datetime import datetime

from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.run_states import RunState
from scheduler.schedules.changes import ASLEEP


@dataclass(frozen=True)
class Verdict:
    """The reason why the ticks from `first` to `last`, `count` in number, become no run."""

    state: RunState
    """MISSED or SKIPPED."""

    reason: str
    first: datetime
    last: datetime
    count: int = 1


def skipped(reason: str, tick: datetime) -> Verdict:
    """Return the verdict on a single skipped tick."""
    return Verdict(RunState.SKIPPED, reason, tick, tick)


@dataclass(frozen=True)
class Plan:
    """The decision about an entry at a moment: the tick to send and the changes to write."""

    score: float = ASLEEP
    """When to look at the entry again, in seconds."""

    last: datetime | None = None
    """The newest tick dealt with; None without a new tick."""

    send: datetime | None = None
    """The tick to send."""

    sent_from_waiting: WaitingTick | None = None
    """The waiting tick behind `send`; None for a tick that has just come due."""

    wait: list[datetime] = field(default_factory=list)
    """Ticks to add to the waiting list."""

    drop: list[WaitingTick] = field(default_factory=list)
    """Ticks to remove from the waiting list, the sent tick included."""

    cancel: bool = False
    """True to end the living runs."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """True where there is more to write than the score."""
        return bool(self.last or self.wait or self.drop or self.verdicts)

    @property
    def counts_toward_max_runs(self) -> bool:
        """True where the sent run is the schedule's own, and so counts toward `max_runs`."""
        if self.send is None:
            return False
        return self.sent_from_waiting is None or self.sent_from_waiting.counts_toward_max_runs
