"""Events about what surrounds runs, a part of the event vocabulary: who was there, and who was not.

outage.noted    Beat, a worker, all workers, a recorder, or whoever reads a queue was away
fact.noted      something changed that explains later what became of a tick
"""

from typing import Literal

from pydantic import AwareDatetime, JsonValue

from scheduler.events.edits import Event

OutageKind = Literal["beat", "workers", "worker", "recorder", "queue"]


class OutageNoted(Event):
    """Somebody was away from `began_at` to `ended_at`; None while it lasts.

    `beat`: no Beat led; `workers`: no worker lived; `worker`: the worker called `name` gave no sign
    of life; `recorder`: nobody recorded, or the recorder called `name` gave no sign; `queue`: no
    worker read the queue called `name`. `host` is the machine of the one who was away, where it is
    known.
    """

    kind: Literal["outage.noted"] = "outage.noted"
    of: OutageKind
    name: str
    host: str | None = None
    began_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    detail: str = ""


class FactNoted(Event):
    """Something changed: the leading Beat, the workers with their queues, or a queue's length.

    `value` is what holds from `at` on.
    """

    kind: Literal["fact.noted"] = "fact.noted"
    of: Literal["leader", "workers", "depth"]
    name: str
    value: JsonValue = None
