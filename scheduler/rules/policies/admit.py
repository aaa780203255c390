"""Whether a run may start, asked by the worker that is about to start it: the strict half of the
policies. Pure.

Dispatch has asked the same before it sent the message; in between lies the queue, and what changed
while it waited. A retry is a new attempt of a run that was admitted, so it is not asked again. What
an operator starts by hand is not held by pause, skip, window or overlap, which are about ticks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from scheduler.rules.policies.overlap import Overlap

Kind = Literal["start", "expire", "skip", "wait"]
Reason = Literal["deadline", "paused", "operator", "overlap"]


@dataclass(frozen=True)
class Admission:
    """`start`; `expire` (too late); `skip` (a policy decided so); `wait` (put back until those
    before it end).
    """

    kind: Kind
    reason: Reason | None = None


START = Admission("start")


def is_asked(*, trigger: str, actor: str | None, attempt: int) -> bool:
    """Whether a run is asked at all: the first attempt of what the schedule itself started."""
    return trigger == "schedule" and actor is None and attempt == 1


def decide(
    now: datetime,
    *,
    start_by: datetime | None = None,
    exists: bool = True,
    enabled: bool = True,
    paused: bool = False,
    skipped: bool = False,
    overlap: Overlap = "skip",
    others_running: int = 0,
) -> Admission:
    """May this run start now? The first rule that says no gives the reason.

    `start_by` is the run's own starting deadline. `others_running` are runs of the same schedule
    that have started, are not final, and hold a lease that lives.
    """
    if start_by is not None and now > start_by:
        return Admission("expire", "deadline")
    if not exists or not enabled or skipped:
        return Admission("skip", "operator")
    if paused:
        return Admission("skip", "paused")
    if others_running > 0 and overlap != "allow":
        return Admission("skip" if overlap == "skip" else "wait", "overlap")
    return START
