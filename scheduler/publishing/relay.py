"""Publishes what is in the outbox, in order, and deletes what the broker has confirmed.

A thread in the Beat that leads: ticks must go on into the outbox while the broker is away, and a
process of its own would be one more to keep alive and to elect. It reads only while its leader's
token is in the lock, so that what two relays can both have read was there when the second took
over. All that lies in the outbox at that moment may be with the broker already, as may what is left
of a failed try: these runs are noted as doubtful before they are published (again), and are
remembered for long once a worker has taken them.

A broker that is away is tried again, after 5 seconds at most. A call that the broker or Celery
refuses for good becomes a failed run with the reason, and holds up no other.
"""

import logging
import threading
from typing import TYPE_CHECKING, Any

from celery import Celery
from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.events.bounds import bounded_text
from scheduler.events.schema import RunFailed, run_event
from scheduler.publishing.outbox import OutboxEntry, entry_of
from scheduler.publishing.publisher import Away, Publisher, Rejected
from scheduler.runs.deduplication import DOUBTFUL_SECONDS
from scheduler.runs.leases import LeasedStream
from scheduler.storage import keys
from scheduler.storage.lua import script_text
from scheduler.worker.reporter import ERROR_LIMIT

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

BATCH = 200
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
WAKE_MS = 500
"""How long the outbox may be empty before the lock is looked at again."""

JOIN_SECONDS = 1.0
"""How long its Beat waits for it to end, which may hang on a broker that does not answer: shorter
than a lock lives.
"""


class Relay:
    """The thread of one leadership: `token` is in the key `lock` as long as it lasts; `redis`
    answers in text.
    """

    def __init__(self, app: Celery, redis: "Redis", lock: str, token: str) -> None:
        self._redis, self._lock, self._token = redis, lock, token
        self._publisher = Publisher(app)
        self._stream = LeasedStream(redis)
        self._published, self._doubt = (
            redis.register_script(script_text(__package__, name))
            for name in ("published.lua", "doubt.lua")
        )
        self._thread = threading.Thread(target=self.run, name="beatdesk-relay", daemon=True)
        self._stop = threading.Event()
        self._tried: str | None = None
        """The last entry that may have been published before; None until that was read."""

        self.problem = ""
        """Why nothing is published at the moment."""

    @property
    def lives(self) -> bool:
        """True while the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, within a second. What it publishes at the moment may be published again
        by the next relay.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)

    def run(self) -> None:
        """Publish until it is stopped, or the lock is another's."""
        pause = FIRST_WAIT
        while not self._stop.is_set():
            try:
                if not self._pass():
                    break
            except (Away, RedisError, OSError) as error:
                self._note_problem(f"{type(error).__name__}: {error}")
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_WAIT)
            else:
                self._note_problem("")
                pause = FIRST_WAIT
        self._publisher.close()

    def _pass(self) -> bool:
        """Publish what there is, or wait for it a while. False where the lock is another's."""
        if self._tried is None:
            self._tried = self._newest()
        entries = None if self._tried is None else self._read()
        if entries is None or self._tried is None or self._stop.is_set():
            return False  # what has come since is another relay's
        if not entries:
            self._redis.xread({keys.OUTBOX_STREAM: "0-0"}, count=1, block=WAKE_MS)
            return True
        tried = _place(self._tried)
        self._tried = max(self._tried, entries[-1][0], key=_place)
        self._publish(entries, {id_ for id_, _ in entries if _place(id_) <= tried})
        return True

    def _newest(self) -> str | None:
        """The last entry that somebody else may have published; none where the lock is
        another's.
        """
        newest = self._read_as_leader(lambda pipe: pipe.xrevrange(keys.OUTBOX_STREAM, count=1))
        if newest is None:
            return None
        return newest[0][0] if newest else "0-0"

    def _read(self) -> list[Any] | None:
        """The first entries; none where the lock is another's."""
        return self._read_as_leader(lambda pipe: pipe.xrange(keys.OUTBOX_STREAM, count=BATCH))

    def _read_as_leader(self, query: Any) -> list[Any] | None:
        """The reply to `query`, which adds one command to a pipeline; None where the lock is
        another Beat's.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(self._lock)
            query(pipe)
            holder, reply = pipe.execute()
        return list(reply) if holder == self._token else None

    def _publish(self, found: list[Any], doubtful: set[str]) -> None:
        """Publish entries and remove them. After Away and redis.RedisError they are tried again."""
        entries = []
        for id_, fields in found:
            try:
                entries.append(entry_of(id_, fields))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.error(
                    "beat: entry %s of the outbox cannot be read and is dropped: %s", id_, error
                )
        self._mark_doubtful([entry for entry in entries if entry.id in doubtful])
        try:
            self._publisher.publish(entries)
        except Rejected:
            self._mark_doubtful(entries)
            for entry in entries:
                self._publish_alone(entry)
        self._published(
            keys=[
                keys.OUTBOX_STREAM,
                keys.OUTBOX_CLAIMS_HASH,
                keys.OUTBOX_CLAIMS_ZSET,
                keys.OUTBOX_DOUBTS_ZSET,
            ],
            args=[DOUBTFUL_SECONDS, int(not doubtful), *(id_ for id_, _ in found)],
        )

    def _mark_doubtful(self, entries: list[OutboxEntry]) -> None:
        """Mark runs as doubtful: they are published now, and may have been before."""
        if entries:
            self._doubt(
                keys=[keys.OUTBOX_CLAIMS_ZSET, keys.OUTBOX_DOUBTS_ZSET],
                args=[DOUBTFUL_SECONDS, *(entry.run for entry in entries)],
            )

    def _publish_alone(self, entry: OutboxEntry) -> None:
        try:
            self._publisher.publish([entry])
        except Rejected as error:
            self._fail(entry, str(error))

    def _fail(self, entry: OutboxEntry, reason: str) -> None:
        """Record that an entry's run has failed, since it can never be published."""
        log.error("beat: run %s of %s cannot be published: %s", entry.run, entry.job, reason)
        error = bounded_text(f"the run could not be published: {reason}", ERROR_LIMIT)
        self._stream.append(run_event(RunFailed, entry.run, 1, utc_now(), error=error))

    def _note_problem(self, problem: str) -> None:
        """Keep the present problem, empty for none; log its beginning and its end."""
        if problem and not self.problem:
            log.warning("beat: nothing is published, the outbox waits: %s", problem)
        elif self.problem and not problem:
            log.info("beat: what is in the outbox is published again")
        self.problem = problem


def _place(id_: str) -> tuple[int, int]:
    """An entry's place in the stream."""
    first, _, second = id_.partition("-")
    return int(first), int(second)
