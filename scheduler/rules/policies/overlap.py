"""What becomes of a tick that is due while earlier runs of its schedule are not final. Pure.

policy            nothing before it   runs before it
skip              send                skip
allow             send                send
queue_one         send                hold, if nothing is held yet; skip otherwise
queue_all         send                hold, up to the limit; skip otherwise
cancel_previous   send                cancel_and_hold: those before it end, held ones are replaced
"""

from typing import Literal

from scheduler.rules.model.spec import Policies

Overlap = Literal["skip", "allow", "queue_one", "queue_all", "cancel_previous"]
Verdict = Literal["send", "skip", "hold", "cancel_and_hold"]

DEFAULT_LIMIT: int = Policies().queue_limit


def decide(policy: Overlap, alive: int, waiting: int, queue_limit: int = DEFAULT_LIMIT) -> Verdict:
    """The verdict on a tick.

    `alive` runs are not final (queued ones count, those whose lease has expired do not); `waiting`
    ticks are held already. While any is held, later ones do not overtake it.
    """
    if policy == "allow" or (alive <= 0 and waiting <= 0):
        return "send"
    if policy == "skip":
        return "skip"
    if policy == "cancel_previous":
        return "cancel_and_hold"
    limit = 1 if policy == "queue_one" else queue_limit
    return "hold" if waiting < limit else "skip"
