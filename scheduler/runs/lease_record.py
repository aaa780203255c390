"""The record of a lease in Redis: facts about an unfinished run. Pure.

The format is `uid attempt worker failures until name`; `storage/lease.lua` explains the parts, and
reads and writes the format for scripts. A golden file, tests/unit/runs/golden/leases.json, tests
both sides: leases outlive the version that wrote them.
"""

from datetime import datetime
from math import isfinite
from typing import NamedTuple
from urllib.parse import quote, unquote

from scheduler.events.schema import RunFacts

NO_SCHEDULE = "-"
IN_QUEUE = "-"
_NOT_RECEIVED = frozenset("-+")
_LARGE = {"args", "kwargs"}


class Lease(NamedTuple):
    """Facts about an unfinished run."""

    uid: str | None
    """The schedule's id; None for a run without a schedule."""

    attempt: int
    worker: str | None
    is_received: bool
    """Whether the run's history names the worker; until then the worker has only the message."""

    expires: float
    facts: RunFacts | None
    """Facts from the run's message, until the message is certainly in a queue."""

    name: str
    """The schedule's name; the job's for a run without a schedule."""

    text: str


def owner_text(
    uid: str,
    name: str,
    *,
    facts: RunFacts | None = None,
    pause_after: int | None = None,
    expires: datetime | None = None,
) -> str:
    """Return the record of a run whose message is sent now; `facts` go in without arguments.

    `uid` and `name` are the schedule's; `pause_after` is the number of failures before a pause.
    """
    till = 0 if expires is None else expires.timestamp()
    suffix = ""
    if facts is not None:
        suffix = ";" + quote(facts.model_dump_json(exclude_defaults=True, exclude=_LARGE), safe="")
    return f"{uid} 1 - {pause_after or 0} {till:.3f}{suffix} {name}"


def lease_of(text: str) -> Lease:
    """Parse a record. Raises ValueError for a malformed record."""
    uid, attempt, worker, _, till, name = text.split(" ", 5)
    till, _, quoted_facts = till.partition(";")
    if not 0 <= int(attempt) < 2**31 or not isfinite(float(till)):
        raise ValueError("the attempt or the end is out of range")
    facts = RunFacts.model_validate_json(unquote(quoted_facts)) if quoted_facts else None
    return Lease(
        None if uid == NO_SCHEDULE else uid,
        int(attempt),
        None if worker == IN_QUEUE else worker[1:],
        worker[:1] not in _NOT_RECEIVED,
        float(till),
        facts,
        name,
        text,
    )


def received_text(uid: str | None, name: str, attempt: int, worker: str) -> str:
    """Return the record of a run with a worker; `name` is the job's where `uid` is None."""
    return f"{uid or NO_SCHEDULE} {attempt} {worker_word(worker)} 0 0 {name}"


def worker_word(worker: str | None) -> str:
    """Return a worker's name as a word other than a dash, with the mark of a received run."""
    return "@" + worker_name(worker)


def worker_name(worker: str | None) -> str:
    """Return a worker's name as a word, as in a record behind the mark."""
    return "_".join((worker or "?").split())
