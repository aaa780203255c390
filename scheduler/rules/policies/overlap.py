"""The overlap policy: a tick is due while earlier runs of the schedule are not final. Pure.

policy            no earlier run   earlier runs
skip              send             skip
allow             send             send
queue_one         send             hold, while no tick is waiting; skip otherwise
queue_all         send             hold, up to the limit of waiting ticks; skip otherwise
cancel_previous   send             cancel_and_hold: earlier runs are cancelled, waiting ticks
                                   replaced
"""

from typing import Literal

from scheduler.rules.model.spec import Policies

Overlap = Literal["skip", "allow", "queue_one", "queue_all", "cancel_previous"]
Verdict = Literal["send", "skip", "hold", "cancel_and_hold"]

DEFAULT_LIMIT: int = Policies().queue_limit


def decide(policy: Overlap, alive: int, waiting: int, queue_limit: int = DEFAULT_LIMIT) -> Verdict:
    """Return the verdict on a tick.

    `alive` counts runs that are not final: queued runs too, runs with an expired lease not.
    `waiting` counts the schedule's waiting ticks; a later tick never overtakes a waiting one.
    """
    if policy == "allow" or (alive <= 0 and waiting <= 0):
        return "send"
    if policy == "skip":
        return "skip"
    if policy == "cancel_previous":
        return "cancel_and_hold"
    limit = 1 if policy == "queue_one" else queue_limit
    return "hold" if waiting < limit else "skip"
