"""The recorder: from the stream to SQL, each event at least once, none lost.

    read a batch ─▶ fold and write, one transaction ─▶ commit ─▶ acknowledge and delete
                                                        │
                  killed here: read again, folded again, the same rows

Failures:

* SQL is away or has no tables: events stay in the stream; the recorder waits, longer each time, and
  logs the reason.
* The database is not the recorded history, or the file was moved or replaced: nothing is written or
  acknowledged until the right database is back (`history.identity`).
* Redis is away: the same. A server that comes back empty gets a new consumer group.
* The recorder is killed: a recorder with the same name begins with the unacknowledged entries;
  another recorder claims the entries after a while.
* An event of a newer version waits aside until a recorder of the newer version records it.
* An event that cannot be decoded becomes a dead letter at once, an event that cannot be folded or
  written after three tries, each with the error; events around a dead letter are folded. Nothing
  else leaves the stream without being in SQL.

`projector` decides the meaning of rows, `writer` the way of writing.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from redis import Redis
from sqlalchemy import Engine

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.events.dead_letters import MOST_LETTERS
from scheduler.events.schema import Event, NewerEvent, UndecodableEvent, decode
from scheduler.events.stream import MOST_NEWER, EventStream, StreamEntry
from scheduler.history import identity, outage
from scheduler.history.recording.heartbeat import Heartbeat
from scheduler.history.recording.writer import write_events
from scheduler.storage.availability import answering

log = logging.getLogger(__name__)

TRIES = 3
"""Tries of an event that cannot be folded."""

ERROR_LIMIT = 2000
BLOCK_MS = 1000
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
CHECK_HISTORY_EVERY = timedelta(seconds=5)
REPLAY_NEWER_EVERY = timedelta(minutes=1)
LOOK_FOR_DEAD_EVERY = timedelta(seconds=10)
FORGET_CONSUMERS_AFTER = timedelta(days=1)
DRAIN_AT_MOST = timedelta(seconds=15)


class Recorder:
    """A recorder, called `name` in the consumer group.

    A restart with the same name resumes at the same place.
    """

    def __init__(
        self,
        stream: EventStream,
        engine: Engine,
        redis: Redis,
        batch: int,
        name: str,
        *,
        dead_after: timedelta = timedelta(seconds=60),
    ) -> None:
        self.heartbeat = Heartbeat(redis, stream, name)
        self._stream = stream
        self._engine = engine
        self._redis = redis
        self._batch = batch
        self._name = name
        self._dead_after = dead_after
        self._tries: Counter[str] = Counter()
        # Unacknowledged entries: of a predecessor with this name, or from before a failure.
        self._has_backlog = True
        self._claim_from = "0-0"
        self._claimed_at: datetime | None = None
        self._replayed_at: datetime | None = None
        self._checked_at: datetime | None = None
        self._remembered: identity.Identity | None = None

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set, then drain the stream. Survives outages of Redis and SQL."""
        wait = FIRST_WAIT
        with self.heartbeat.beating():
            while not stop.is_set():
                if self._pass_succeeded(BLOCK_MS):
                    wait = FIRST_WAIT
                else:
                    stop.wait(wait)
                    wait = min(wait * 2, LONGEST_WAIT)
            self._drain()

    def run_once(self, now: datetime, block_ms: int | None = None) -> int:
        """Take a batch, record and acknowledge it. Returns the number of events taken.

        Raises Unavailable while Redis or SQL cannot serve; nothing is lost then, and the next pass
        resumes.
        """
        try:
            with answering():
                self._replay_newer(now)
                entries = self._take(now, block_ms)
                self._check_history(now, is_due=bool(entries))
                self._record(entries, now)
        except BaseException:
            self._has_backlog = True
            raise
        return len(entries)

    def _pass_succeeded(self, block_ms: int | None) -> bool:
        """Run a pass of the loop. False to wait for a server before the next pass."""
        try:
            self.run_once(utc_now(), block_ms)
        except Unavailable as error:
            if self.heartbeat.problem != str(error):
                log.warning("%s; events wait in the stream", error)
            self.heartbeat.problem = str(error)
            return False
        if self.heartbeat.problem is not None:
            log.info("recording again")
        self.heartbeat.problem = None
        return True

    def _drain(self) -> None:
        """Record the rest of the stream before leaving, for at most `DRAIN_AT_MOST`.

        So the history has every run that ended before the stop.
        """
        deadline = utc_now() + DRAIN_AT_MOST
        try:
            while self.run_once(now := utc_now()) and now < deadline:
                pass
        except Unavailable as error:
            log.warning("%s; %s", error, "the events left are recorded at the next start")

    def _take(self, now: datetime, block_ms: int | None) -> list[StreamEntry]:
        """Return the next entries, in the order: unacknowledged, of dead recorders, new.

        Unacknowledged are entries read before under the name of the recorder.
        """
        if self._has_backlog:
            entries = self._stream.pending(self._name, self._batch)
            room = self._batch - len(entries)
            if entries:
                # New entries beside them, so that an event that fails again holds up nothing.
                return entries + self._stream.read(self._name, room) if room else entries
            self._has_backlog = False
        return self._claim(now) or self._stream.read(self._name, self._batch, block_ms)

    def _claim(self, now: datetime) -> list[StreamEntry]:
        """Entries of dead recorders, looked for every ten seconds."""
        if self._claimed_at is not None and now - self._claimed_at < LOOK_FOR_DEAD_EVERY:
            return []
        idle_ms = int(self._dead_after / timedelta(milliseconds=1))
        self._stream.ensure_group()
        self._claim_from, entries = self._stream.claim(
            self._name, idle_ms, self._batch, self._claim_from
        )
        if self._claim_from == "0-0":
            self._claimed_at = now
            self._stream.forget_consumers(int(FORGET_CONSUMERS_AFTER / timedelta(milliseconds=1)))
        if entries:
            log.warning(
                "took over %d events that another recorder had not acknowledged", len(entries)
            )
        return entries

    def _check_history(self, now: datetime, *, is_due: bool) -> None:
        """Compare the database with the identity remembered by Redis.

        Compares before each batch, and every five seconds without a batch. Raises HistoryChanged.
        """
        if not is_due and self._checked_at and now - self._checked_at < CHECK_HISTORY_EVERY:
            return
        self._checked_at = None
        with outage.answering("SQL cannot take events"):
            comparison = identity.compare(self._engine, self._redis)
        identity.refuse_changed(comparison)
        self._remembered = comparison.remembered
        self._checked_at = now

    def _record(self, entries: list[StreamEntry], now: datetime) -> None:
        """Write readable events; make unreadable events dead letters.

        Acknowledges entries already deleted from the stream.
        """
        readable: list[tuple[str, Event]] = []
        self._stream.ack([entry.id for entry in entries if not entry.fields])
        for entry in entries:
            if not entry.fields:
                continue
            try:
                readable.append((entry.id, decode(entry.fields)))
            except NewerEvent as error:
                self._set_newer_aside(entry, error)
            except UndecodableEvent as error:
                self._bury(entry, error, 1)
        by_id = {entry.id: entry for entry in entries}
        for entry_id, why in self._write(readable, now):
            self._retry_or_bury(by_id[entry_id], why)

    def _write(
        self, readable: list[tuple[str, Event]], now: datetime
    ) -> Iterator[tuple[str, Exception]]:
        """Write and acknowledge. Yields the id and the error of each event that fails.

        After a failure caused by an event, the batch is halved until each culprit is alone.
        """
        if not readable:
            return
        try:
            with outage.answering("SQL cannot take events"):
                events = [event for _, event in readable]
                batch = write_events(self._engine, events, remembered=self._remembered, now=now)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            if len(readable) == 1:
                yield readable[0][0], error
                return
            middle = len(readable) // 2
            yield from self._write(readable[:middle], now)
            yield from self._write(readable[middle:], now)
        else:
            identity.remember(self._redis, batch)
            self._stream.ack([entry_id for entry_id, _ in readable])
            self.heartbeat.folded += len(readable)

    def _retry_or_bury(self, entry: StreamEntry, error: Exception) -> None:
        """Leave a failed event for another try; after the last try, make a dead letter."""
        self._tries[entry.id] += 1
        if self._tries[entry.id] < TRIES:
            log.warning("event %s failed and is tried again: %s", entry.id, error)
            self._has_backlog = True
            return
        del self._tries[entry.id]
        self._bury(entry, error, TRIES)

    def _set_newer_aside(self, entry: StreamEntry, error: Exception) -> None:
        aside = self._stream.set_newer_aside(entry.id, str(error)[:ERROR_LIMIT])
        log.warning(
            "event %s is from a newer version and waits for an upgrade: %s", entry.id, error
        )
        if aside.lost:
            log.error(
                "%d of the oldest events of a newer version are lost: no more than %d are held",
                aside.lost,
                MOST_NEWER,
            )

    def _replay_newer(self, now: datetime) -> None:
        """Bring back, at the start and every minute, events unreadable to an older recorder."""
        if self._replayed_at is not None and now - self._replayed_at < REPLAY_NEWER_EVERY:
            return
        count = self._stream.replay_newer(now)
        self._replayed_at = now
        if count:
            log.info("%d events that waited for this version are recorded now", count)

    def _bury(self, entry: StreamEntry, error: Exception, tries: int) -> None:
        reason = f"{type(error).__name__}: {error}"[:ERROR_LIMIT]
        log.error("event %s is set aside among the dead letters: %s", entry.id, reason)
        buried = self._stream.dead(entry.id, reason, tries)
        if buried.lost:
            log.error(
                "%d of the oldest dead letters are lost: no more than %d are held",
                buried.lost,
                MOST_LETTERS,
            )
