"""Cancellation of runs, by operators and by the policy `cancel_previous`.

1. The run is recorded as cancelled: a worker that takes the run's message later drops the message.
2. Where Redis is the broker, the message is taken out of its queue. Then no worker has the run, and
   the run is `revoked` at once.
3. Celery's revoke reaches the listening workers: the worker with the run ends and reports the run.
4. A run without a worker by the lease is `revoked` at once, too: the message is beyond the search
   of step 2, or with another broker.

After step 4 a remaining run is with a worker, or has lost the message: in the latter case the
message audit (`scheduler.reconciling`) ends the run within a minute.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from celery import Celery

from scheduler.events.schema import Event, RunRevoked, run_event
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.lease_record import lease_of
from scheduler.runs.leases import LeasedStream, Leases


class RemovesMessages(Protocol):
    """Removal of queued runs' messages; `queues.removal.MessageRemoval` fits."""

    def remove(self, runs: Sequence[str], queues: Iterable[str] = ()) -> Mapping[str, int]:
        """Remove messages. Returns the attempt of each removed message, by run."""


class Cancelled(StrEnum):
    """Effect of a cancellation on a run, at the moment."""

    ENDED = "ended"
    """The run is `revoked`: no worker had the run."""

    STOPPING = "stopping"
    """A worker has the run, and is to end the run."""

    UNSTOPPABLE = "unstoppable"
    """A worker has the run, and the worker's pool cannot stop a running job."""

    SEARCHED = "searched"
    """No worker is on record: a worker with the run ends the run, otherwise the audit does."""


class Canceller:
    """Cancellation of runs. Methods raise redis.RedisError, kombu's errors and OSError."""

    def __init__(
        self,
        celery: Celery,
        stream: LeasedStream,
        cancellations: Cancellations,
        leases: Leases,
        removal: RemovesMessages,
    ) -> None:
        self._celery = celery
        self._stream = stream
        self._cancellations = cancellations
        self._leases = leases
        self._removal = removal

    def cancel(
        self, runs: Sequence[str], actor: str, now: datetime, queues: Iterable[str] = ()
    ) -> dict[str, Cancelled]:
        """Cancel runs; `queues` are searched first for the messages. Returns the effect by run."""
        if not runs:
            return {}
        self._cancellations.record_many(runs, actor, now)
        removed = self._removal.remove(runs, queues)
        self._celery.control.revoke(list(runs), terminate=True, signal="SIGTERM")
        records = self._leases.records(runs)
        endings: list[tuple[Event, str, str]] = []
        effects: dict[str, Cancelled] = {}
        for run in runs:
            record = records.get(run)
            if run in removed:
                event = run_event(RunRevoked, run, removed[run], now, actor=actor)
                endings.append((event, "release", f"- {removed[run]}"))
                effects[run] = Cancelled.ENDED
            elif record is None:
                effects[run] = Cancelled.SEARCHED
            elif (attempt := _queued_attempt(record)) is not None:
                event = run_event(RunRevoked, run, attempt, now, actor=actor)
                endings.append((event, "cancel", record))
                effects[run] = Cancelled.ENDED
            else:
                effects[run] = Cancelled.STOPPING
        if endings:
            self._stream.tell(endings)
        return effects


def _queued_attempt(record: str) -> int | None:
    """Return the attempt of a lease without a worker.

    None for a lease that a worker holds, and for a malformed record.
    """
    try:
        lease: Any = lease_of(record)
    except ValueError:
        return None
    return lease.attempt if lease.worker is None else None
