"""The record of a lease in Redis: what is known of a run that is not final. Pure.

`uid attempt worker failures until name`, see `storage/lease.lua`, which reads and writes the same
for scripts. One golden file, tests/unit/runs/golden/leases.json, holds both: leases outlive the
version that wrote them.
"""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, unquote

from scheduler.events.schema import RunFacts

_LARGE = {"args", "kwargs"}


class Lease(NamedTuple):
    """What is known of a run that is not final."""

    uid: str
    attempt: int
    worker: str | None
    expires: float
    facts: RunFacts | None
    """What its message says, as long as that may not have come to a queue."""

    name: str
    text: str


def owner_text(
    uid: str,
    name: str,
    *,
    facts: RunFacts | None = None,
    pause_after: int | None = None,
    expires: datetime | None = None,
) -> str:
    """The record of a run of the schedule `uid` whose message is sent now, without arguments."""
    till = 0 if expires is None else expires.timestamp()
    said = ""
    if facts is not None:
        said = ";" + quote(facts.model_dump_json(exclude_defaults=True, exclude=_LARGE), safe="")
    return f"{uid} 1 - {pause_after or 0} {till:.3f}{said} {name}"


def lease_of(text: str) -> Lease:
    """Read a record. Raises ValueError where it is none."""
    uid, attempt, worker, _, till, name = text.split(" ", 5)
    till, _, said = till.partition(";")
    facts = RunFacts.model_validate_json(unquote(said)) if said else None
    return Lease(
        uid,
        int(attempt),
        None if worker == "-" else worker.removeprefix("@"),
        float(till),
        facts,
        name,
        text,
    )


def worker_word(worker: str | None) -> str:
    """A worker's name as one word that is not a dash."""
    return "@" + "_".join((worker or "?").split())
