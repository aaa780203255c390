"""Admission: the policies applied again by the worker, right before a run starts. Pure.

Dispatch has applied the policies before sending the message; during the message's time in the queue
a pause, an edit or another run may have changed the answer. A retry is a new attempt of an admitted
run, so admission does not apply again. A run started by hand is not subject to pause, skip, window
or overlap, because these concern ticks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from scheduler.rules.policies.overlap import Overlap

Kind = Literal["start", "expire", "skip", "wait"]
Reason = Literal["deadline", "paused", "operator", "overlap"]


@dataclass(frozen=True)
class Admission:
    """A decision and its reason.

    `start`; `expire` (the starting deadline has passed); `skip` (by a policy or an operator);
    `wait` (put back in the queue until the earlier runs end).
    """

    kind: Kind
    reason: Reason | None = None


START = Admission("start")


def is_required(*, trigger: str, actor: str | None, attempt: int) -> bool:
    """Whether a run needs admission: the first attempt of a run that the schedule started."""
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
    """Return whether a run may start at `now`; the first rule against a start gives the reason.

    `start_by` is the run's starting deadline. `others_running` counts runs of the same schedule
    that have started, are not final, and have an unexpired lease.
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
