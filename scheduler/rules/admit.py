"""Whether a run may start, asked by the worker that is about to start it: the strict half of the policies. Pure.

Dispatch has asked the same before it sent the message; in between lies the queue, and what changed while it waited.
A retry is a new attempt of a run that was admitted, so it is not asked again. What an operator starts by hand is not
held by pause, skip, window or overlap, which are about ticks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from scheduler.rules.overlap import Overlap

Kind = Literal["start", "expire", "skip", "wait"]
Reason = Literal["deadline", "paused", "operator", "overlap"]


@dataclass(frozen=True)
class Admission:
    """`start`; `expire` (too late); `skip` (a policy decided so); `wait` (put back until those before it end)."""

    kind: Kind
    reason: Reason | None = None


START = Admission("start")


def decide(
    tick: datetime | None,
    now: datetime,
    *,
    starting_deadline: float | None = None,
    queued_at: datetime | None = None,
    scheduled: bool = True,
    attempt: int = 1,
    exists: bool = True,
    enabled: bool = True,
    paused: bool = False,
    skipped: bool = False,
    overlap: Overlap = "skip",
    others_running: int = 0,
) -> Admission:
    """May this attempt start now? The first rule that says no gives the reason.

    `scheduled` runs stand for a tick by the schedule itself, others were started by somebody. `others_running` are
    runs of the same schedule that have started, are not final, and hold a lease that lives.
    """
    if attempt > 1:
        return START
    since = tick if scheduled and tick is not None else queued_at
    if starting_deadline is not None and since is not None and now - since > timedelta(seconds=starting_deadline):
        return Admission("expire", "deadline")
    if scheduled and (not exists or not enabled or skipped):
        return Admission("skip", "operator")
    if scheduled and paused:
        return Admission("skip", "paused")
    if scheduled and others_running > 0 and overlap != "allow":
        return Admission("skip" if overlap == "skip" else "wait", "overlap")
    return START
