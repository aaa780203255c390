"""What is decided about a schedule's ticks: the plan, and the verdicts in it. Pure data."""

from dataclasses import dataclass, field
from datetime import datetime

from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.run_states import RunState
from scheduler.schedules.changes import ASLEEP


@dataclass(frozen=True)
class Verdict:
    """Why the ticks from `first` to `last`, `count` of them, become no run."""

    state: RunState
    """MISSED or SKIPPED."""

    reason: str
    first: datetime
    last: datetime
    count: int = 1


def skipped(reason: str, tick: datetime) -> Verdict:
    """The verdict that skips one tick."""
    return Verdict(RunState.SKIPPED, reason, tick, tick)


@dataclass(frozen=True)
class Plan:
    """What to send and what to write for one entry, decided at one moment."""

    score: float = ASLEEP
    """When to look at the entry again, in seconds."""

    last: datetime | None = None
    """The newest tick that is dealt with; None where no new one is."""

    send: datetime | None = None
    """The tick that is sent."""

    sent_from_waiting: WaitingTick | None = None
    """The waiting tick that `send` was until now; None where it has just come due."""

    wait: list[datetime] = field(default_factory=list)
    """Ticks that wait from now on."""

    drop: list[WaitingTick] = field(default_factory=list)
    """Ticks that wait no longer, the one that is sent among them."""

    cancel: bool = False
    """True where the runs that are alive are to end."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """True where there is more to write than the score."""
        return bool(self.last or self.wait or self.drop or self.verdicts)

    @property
    def counts_toward_max_runs(self) -> bool:
        """True where the run that is sent is one of the schedule's own, which `max_runs` counts."""
        if self.send is None:
            return False
        return self.sent_from_waiting is None or self.sent_from_waiting.counts_toward_max_runs
