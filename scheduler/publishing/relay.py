"""Publishes the entries of the outbox, in order, and deletes the entries confirmed by the broker.

A thread in the leading Beat: ticks must go on into the outbox while the broker is away, and a
process for the relay would be one more to keep alive and to elect. The relay reads only while the
leader's token is in the lock, so that entries read by two relays were in the outbox when the second
took over. Every entry in the outbox at the takeover may be with the broker already, as may the rest
of a failed batch: the runs are noted as doubtful before the entries are published (again), and are
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
"""Milliseconds of waiting for an entry in an empty outbox before the next look at the lock."""

JOIN_SECONDS = 1.0
"""Seconds that Beat waits for the end of the relay: less than the life of a lock.

A relay may hang on a broker that does not answer.
"""


class Relay:
    """The thread of a leadership, which lasts as long as `token` is in the key `lock`.

    `redis` returns text.
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
        """Id of the last entry possibly published before; None until the id is read."""

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
        """Stop the thread, within a second. The next relay may publish the current batch again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)

    def run(self) -> None:
        """Publish until stopped, or until another Beat holds the lock."""
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
        """Publish waiting entries, or wait a while for one. False where another Beat leads."""
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
        """Return the last entry that another relay may have published; None without the lock."""
        newest = self._read_as_leader(lambda pipe: pipe.xrevrange(keys.OUTBOX_STREAM, count=1))
        if newest is None:
            return None
        return newest[0][0] if newest else "0-0"

    def _read(self) -> list[Any] | None:
        """Return the first entries; None where another Beat holds the lock."""
        return self._read_as_leader(lambda pipe: pipe.xrange(keys.OUTBOX_STREAM, count=BATCH))

    def _read_as_leader(self, query: Any) -> list[Any] | None:
        """Return the reply to `query`; None where another Beat holds the lock.

        `query` adds a single command to a pipeline.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(self._lock)
            query(pipe)
            holder, reply = pipe.execute()
        return list(reply) if holder == self._token else None

    def _publish(self, found: list[Any], doubtful: set[str]) -> None:
        """Publish entries and remove them. Tried again after Away and redis.RedisError."""
        entries = []
        for id_, fields in found:
            try:
                entries.append(entry_of(id_, fields))
            except ValueError as error:
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
        """Mark runs as doubtful: the entries are published now, and may have been before."""
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
        """Record that the run of an entry failed because the entry can never be published."""
        log.error("beat: run %s of %s cannot be published: %s", entry.run, entry.job, reason)
        error = bounded_text(f"the run could not be published: {reason}", ERROR_LIMIT)
        self._stream.append(run_event(RunFailed, entry.run, 1, utc_now(), error=error))

    def _note_problem(self, problem: str) -> None:
        """Keep the present problem, empty for none; log the beginning and the end of a problem."""
        if problem and not self.problem:
            log.warning("beat: nothing is published, the outbox waits: %s", problem)
        elif self.problem and not problem:
            log.info("beat: what is in the outbox is published again")
        self.problem = problem


def _place(id_: str) -> tuple[int, int]:
    """An entry's place in the stream."""
    first, _, second = id_.partition("-")
    return int(first), int(second)
