"""Leases of runs: the record of unfinished runs. One lease per run, in Redis.

    Beat sends a tick     ──▶ a minute, from the transaction that advances the entry
    an operator starts it ──▶ a minute
    the message is queued ──▶ as long as the message may wait
    a worker has the run  ──▶ `HELD_SECONDS`, renewed every few seconds by the worker
    the run is over       ──▶ none; Beat looks at once at a tick that waits for the run

A run without a schedule gets a lease when a worker gets the message.

Each step is written with the step's event, in one script, so a lease costs no round trip of its
own. An expired lease delays no tick; `lease_watch` records the run as lost. All times are the Redis
server's.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from redis import Redis

from scheduler.events import schema
from scheduler.events.schema import (
    Event,
    RunEvent,
    RunExpired,
    RunFacts,
    RunFailed,
    RunLost,
    RunQueued,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunSkipped,
    RunSucceeded,
    run_event,
)
from scheduler.events.stream import EventStream
from scheduler.rules.model.run_states import RunState
from scheduler.runs.lease_record import (
    NO_SCHEDULE,
    Lease,
    lease_of,
    worker_name,
    worker_word,
)
from scheduler.storage import keys
from scheduler.storage.lua import script_text
from scheduler.storage.server_time import seconds_of

log = logging.getLogger(__name__)

HELD_SECONDS = 50.0
"""Seconds that a run stays alive after the worker's last heartbeat."""

QUEUED_SECONDS = 7 * 86_400.0
"""Seconds that a message may wait in a queue before the run is lost."""

SENT_SECONDS = 60.0
"""Seconds that Beat may take from advancing an entry to the message in the queue."""

_MOST = 200
_MOST_OVERDUE = 2_000
_OUTCOMES: dict[type[RunEvent], str] = {
    RunSucceeded: RunState.SUCCEEDED.value,
    RunFailed: RunState.FAILED.value,
    RunExpired: "-",
    RunSkipped: "-",
    RunRevoked: "-",
}


class Streak(NamedTuple):
    """A schedule with as many failed ticks in a row as `pause_after_failures` allows."""

    uid: str
    name: str
    failures: int


class LeaseState(Enum):
    """State of a run's lease, for a worker with another message of the attempt."""

    ALIVE = "alive"
    """A worker has the run, and the lease has not expired."""

    OVER = "over"
    """The lease has expired, or is for another attempt."""

    GONE = "gone"
    """The run has no lease: the run has ended, or never had a lease."""


class LeasedStream(EventStream):
    """Event stream that moves the leases of runs together with the events.

    `streaks` collects the schedules due for a pause after an appended event.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._client = redis
        self._record = redis.register_script(script_text(__package__, "record.lua"))
        self.streaks: list[Streak] = []

    def append(self, event: Event) -> str:
        """Append an event. Returns the id of the entry; "" where the event moved a lease too."""
        effect, argument = _effect(event)
        if effect == "none":
            return super().append(event)  # one command, where several events need a transaction
        self.tell([(event, effect, argument)])
        return ""

    def append_many(self, events: Iterable[Event]) -> list[str]:
        """Append all events or none, in one round trip. Returns the ids of the entries.

        The list is empty where an event moved a lease.
        """
        entries = [(event, *_effect(event)) for event in events]
        if all(effect == "none" for _, effect, _ in entries):
            return super().append_many(event for event, _, _ in entries)
        self.tell(entries)
        return []

    def tell(self, entries: Sequence[tuple[Event, str, str]]) -> None:
        """Append events, each with an effect on the lease of a run: (event, effect, argument)."""
        arguments: list[str] = []
        for event, effect, argument in entries:
            run = event.run if isinstance(event, RunEvent) else ""
            arguments += [schema.encode(event)[schema.FIELD], effect, run, argument]
        self._write(arguments)

    def forget(self, run: str) -> None:
        """Release a run's lease without an event."""
        self._write(["", "drop", run, ""])

    def abandon(self, leases: Mapping[str, Lease]) -> None:
        """Return expired leases of workers that have not begun to the queue; `leases` is by run id.

        A lease changed since the reading stays. The messages are delivered again.
        """
        self._write(
            [text for run, lease in leases.items() for text in ("", "abandon", run, lease.text)]
        )

    def give_back(self, runs: Mapping[str, int], worker: str | None) -> None:
        """Release a worker's leases of attempts, by run id, that the worker will never begin.

        The messages are delivered again. A lease of another worker or attempt stays.
        """
        held = {run: f"{attempt} {worker_word(worker)}" for run, attempt in runs.items()}
        self._write([text for run, owner in held.items() for text in ("", "return", run, owner)])

    def _write(self, arguments: Sequence[str]) -> None:
        """Call the script `record.lua`, with four texts for each event."""
        prefixes = [keys.ALIVE_PREFIX, keys.WAITING_PREFIX, keys.REDBEAT_PREFIX]
        streaks: Any = self._record(
            keys=[
                keys.EVENTS_STREAM,
                keys.LEASES_ZSET,
                keys.LEASE_OWNERS_HASH,
                keys.SCHEDULE_ZSET,
                keys.FAILURES_HASH,
                keys.OUTBOX_CLAIMS_HASH,
                keys.OUTBOX_CLAIMS_ZSET,
                keys.OUTBOX_DOUBTS_ZSET,
                keys.ENDED_ZSET,
                keys.DELIVERIES_HASH,
                keys.DELIVERIES_ZSET,
            ],
            args=[schema.FIELD, *prefixes, QUEUED_SECONDS, keys.WAKE_CHANNEL, *arguments],
        )
        for text in streaks:
            failures, uid, name = text.split(" ", 2)
            self.streaks.append(Streak(uid, name, int(failures)))


class HeldRun(NamedTuple):
    """A run in a worker, as far as the worker's memory goes."""

    run: str
    retries: int
    """Further attempts sent before the present attempt."""

    begun: int
    """Earlier deliveries that began and did not end."""

    lost_lease: str
    """The record for a new lease where Redis has lost the lease; "" makes no new lease."""


class Renewal(NamedTuple):
    """The result of a worker's renewal of leases."""

    renewed: int
    taken_away: tuple[str, ...]
    """Runs that the worker has lost: another worker has the run, or the run counts as lost."""

    unknown: tuple[str, ...]
    """Runs without a record in Redis: the run has just ended, or Redis has lost the record."""


class Leases:
    """Leases in Redis: reads, renews, and finds expired leases."""

    def __init__(self, redis: Redis, stream: LeasedStream) -> None:
        self._redis = redis
        self._stream = stream
        self._renew = redis.register_script(script_text(__package__, "renew.lua"))
        self._forget = redis.register_script(script_text(__package__, "forget.lua"))

    def announce(self, run: str, owner: str) -> None:
        """Give a run a lease of `SENT_SECONDS`, before the run's message is sent."""
        uid = lease_of(owner).uid
        till = seconds_of(self._redis.time()) + SENT_SECONDS
        with self._redis.pipeline() as pipe:
            pipe.hsetnx(keys.LEASE_OWNERS_HASH, run, owner)
            pipe.zadd(keys.LEASES_ZSET, {run: till}, nx=True)
            if uid is not None:
                pipe.zadd(keys.ALIVE_PREFIX + uid, {run: till}, nx=True)
            pipe.execute()

    def withdraw(self, run: str) -> None:
        """Release the lease of an unsent run."""
        self._stream.forget(run)

    def known(self, runs: Sequence[str]) -> set[str]:
        """Return the ids of unfinished runs among `runs`."""
        owners: Any = self._redis.hmget(keys.LEASE_OWNERS_HASH, runs) if runs else []
        return {run for run, owner in zip(runs, owners, strict=True) if owner is not None}

    def renew(self, runs: Sequence["HeldRun"], worker: str) -> "Renewal":
        """Renew a worker's leases for `HELD_SECONDS`. Raises redis.RedisError.

        A lease that Redis has lost is made anew from the record in the run's `lost_lease`.
        """
        if not runs:
            return Renewal(0, (), ())
        reply: Any = self._renew(
            keys=[keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH, keys.ENDED_ZSET, keys.DELIVERIES_HASH],
            args=[
                HELD_SECONDS,
                keys.ALIVE_PREFIX,
                worker_name(worker),
                *(part for run in runs for part in run),
            ],
        )
        return Renewal(int(reply[0]), tuple(reply[1]), tuple(reply[2]))

    def get(self, run: str) -> Lease | None:
        """Return the lease of a run; None for a missing, malformed or expired lease."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.LEASE_OWNERS_HASH, run)
            pipe.zscore(keys.LEASES_ZSET, run)
            pipe.time()
            text, till, time = pipe.execute()
        if text is None or till is None or till <= seconds_of(time):
            return None
        return self._lease_or_none(run, text)

    def records(self, runs: Sequence[str]) -> dict[str, str]:
        """Return the lease records of `runs` by run id, also expired ones.

        Runs without a lease are left out.
        """
        texts: Any = self._redis.hmget(keys.LEASE_OWNERS_HASH, runs) if runs else []
        return {run: text for run, text in zip(runs, texts, strict=True) if text is not None}

    def standing(self, run: str, attempt: int) -> LeaseState:
        """Return the state of the lease for an attempt of a run."""
        if self._redis.hexists(keys.LEASE_OWNERS_HASH, run):
            lease = self.get(run)
            held = lease is not None and lease.worker is not None and lease.attempt == attempt
            return LeaseState.ALIVE if held else LeaseState.OVER
        return LeaseState.GONE

    def runs_of(self, uid: str) -> list[str]:
        """Return the ids of a schedule's unfinished runs, at most `_MOST`."""
        runs: Any = self._redis.zrange(keys.ALIVE_PREFIX + uid, 0, _MOST - 1)
        return list(runs)

    def forget_failures(self, uid: str) -> None:
        """Count the failures in a row of a schedule from zero again."""
        self._redis.hdel(keys.FAILURES_HASH, uid)

    def overdue(self) -> dict[str, Lease]:
        """Return the expired leases by run id, at most `_MOST_OVERDUE`, the longest expired first.

        A malformed record is logged and removed: a bad record must not hide the others.
        """
        now = seconds_of(self._redis.time())
        runs: Any = self._redis.zrangebyscore(
            keys.LEASES_ZSET, "-inf", now, start=0, num=_MOST_OVERDUE
        )
        texts: Any = self._redis.hmget(keys.LEASE_OWNERS_HASH, runs) if runs else []
        found: dict[str, Lease] = {}
        for run, text in zip(runs, texts, strict=True):
            lease = None if text is None else self._lease_or_none(run, text)
            if lease is None:
                self._redis.zrem(keys.LEASES_ZSET, run)
            else:
                found[run] = lease
        return found

    def _lease_or_none(self, run: str, text: str) -> Lease | None:
        """The lease in a record; a malformed record is logged, and deleted."""
        try:
            return lease_of(text)
        except ValueError as error:
            log.error("run %s: its lease is set aside, %r is none: %s", run, text, error)
            self._redis.hdel(keys.LEASE_OWNERS_HASH, run)
            return None

    def lose(self, overdue: Mapping[str, Lease], now: datetime) -> None:
        """Record runs as lost, except where the lease has changed since reading.

        A run past the deadline without a worker is `expired` and not `lost`. A run whose worker had
        only the message, without a recorded event, waits in the queue again.
        """
        claimed = {run: lease for run, lease in overdue.items() if _is_claimed(lease)}
        lost = [
            (_loss(run, lease, now), "lose", lease.text)
            for run, lease in overdue.items()
            if run not in claimed
        ]
        if claimed:
            self._stream.abandon(claimed)
        if lost:
            self._stream.tell(lost)

    def forget_old(self) -> int:
        """Forget ends and deliveries without a message, by age. Returns the number."""
        reply: Any = self._forget(
            keys=[keys.ENDED_ZSET, keys.DELIVERIES_HASH, keys.DELIVERIES_ZSET], args=[_MOST_OVERDUE]
        )
        return int(reply)


def _is_claimed(lease: Lease) -> bool:
    """Whether a worker had the run's message, and had recorded nothing."""
    return lease.worker is not None and not lease.is_received


def _loss(run: str, lease: Lease, now: datetime) -> Event:
    """The event for an expired lease."""
    if lease.worker is None and 0 < lease.expires <= now.timestamp():
        return run_event(
            RunExpired,
            run,
            lease.attempt,
            now,
            deadline=datetime.fromtimestamp(lease.expires, UTC),
            reason="its deadline passed while it waited, and no worker took it",
            facts=lease.facts,
        )
    facts = lease.facts
    if facts is None and lease.uid is None:
        facts = RunFacts(job=lease.name)
    return run_event(
        RunLost,
        run,
        lease.attempt,
        now,
        worker=lease.worker,
        schedule=None if lease.uid is None else lease.name,
        schedule_uid=lease.uid,
        facts=facts,
    )


def _effect(event: Event) -> tuple[str, str]:
    """Return an event's effect on the lease of the run, with the script's argument."""
    if isinstance(event, RunQueued):
        return ("none", "") if event.facts.schedule_uid is None else ("queued", "")
    if isinstance(event, RunReceived):
        facts = event.facts
        uid, name = schedule_of(facts) or (NO_SCHEDULE, facts.job)
        worker = worker_word(event.worker)
        return "hold", f"{HELD_SECONDS} {uid} {event.attempt} {worker} {name}"
    if isinstance(event, RunRetried):
        return "redeliver" if event.redelivered else "requeue", str(event.attempt + 1)
    if not isinstance(event, RunEvent) or type(event) not in _OUTCOMES:
        return "none", ""
    return "release", f"{_OUTCOMES[type(event)]} {event.attempt}"


def schedule_of(facts: RunFacts) -> tuple[str, str] | None:
    """Return uid and name of the schedule whose ticks a run may delay; None for other runs."""
    uid = facts.schedule_uid or ""
    return (uid, facts.schedule) if facts.schedule is not None and _is_word(uid) else None


def _is_word(text: str) -> bool:
    return text.split() == [text]
