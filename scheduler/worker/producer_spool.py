"""Spool of the events of runs that a process sends: sending a run never waits for the history.

    send_task ──▶ broker
        └─ put ──▶ spool ──thread──▶ stream

`put` waits at most `FIRST_TRY_SECONDS`, so that a short program's events are in the stream before
the program ends, and not at all while the stream is away. Beyond `most` events the newest are
dropped, and counted: runs of dropped events get their rows from the workers' events. Where the
process ends while the stream is away, waiting events are lost, and the log states the number.
"""

import atexit
import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from scheduler.errors import Unavailable
from scheduler.events.schema import Event
from scheduler.worker.event_buffer import writable

log = logging.getLogger(__name__)

MOST = 10_000
FIRST_TRY_SECONDS = 0.2
BATCH = 500
FIRST_WAIT = 0.5
LONGEST_WAIT = 5.0


class Stream(Protocol):
    """The part of the event stream that the spool uses."""

    def append_many(self, events: Sequence[Event]) -> object:
        """Append all events, or raise."""


class ProducerSpool:
    """Events on the way to the stream, for any number of threads of a process."""

    def __init__(self, stream: Stream, *, most: int = MOST) -> None:
        self._stream = stream
        self._most = most
        self._events: list[Event] = []
        self._dropped = 0
        self._is_away = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()

    @property
    def waiting(self) -> int:
        """Number of events in the spool."""
        return len(self._events)

    @property
    def dropped(self) -> int:
        """Number of events dropped since the stream answered last."""
        return self._dropped

    def put(self, event: Event) -> None:
        """Spool an event. Returns when the event is in the stream, or after `FIRST_TRY_SECONDS`."""
        with self._changed:
            if len(self._events) >= self._most:
                self._drop()
                return
            self._events.append(event)
            self._start()
            self._changed.notify_all()
            if not self._is_away:
                self._changed.wait_for(
                    lambda: self._is_away or not self._has(event), FIRST_TRY_SECONDS
                )

    def close(self) -> None:
        """Wait for the spooled events once more, at most `FIRST_TRY_SECONDS`; the process ends.

        The log states the number of events that are lost with the process.
        """
        with self._changed:
            if not self._is_away:
                self._changed.wait_for(lambda: not self._events, FIRST_TRY_SECONDS)
            lost = len(self._events) + self._dropped
        self._stopped.set()
        if lost:
            log.warning(
                "the event stream does not answer, and this process ends: %d runs that it sent "
                "have no event that they were queued; their rows come with the workers' events",
                lost,
            )

    def _has(self, event: Event) -> bool:
        return any(waiting is event for waiting in self._events)

    def _drop(self) -> None:
        if self._dropped == 0:
            log.warning(
                "%d events of runs that were sent wait for the stream, which is the most; further "
                "ones are dropped and counted",
                len(self._events),
            )
        self._dropped += 1

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="beatdesk-spool", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _run(self) -> None:
        pause = FIRST_WAIT
        while not self._stopped.is_set():
            with self._changed:
                self._changed.wait_for(lambda: bool(self._events))
                batch = self._events[:BATCH]
            if self._send(batch):
                pause = FIRST_WAIT
                continue
            self._stopped.wait(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def _send(self, batch: list[Event]) -> bool:
        """Send the first events of the spool. Returns whether the stream has them."""
        try:
            self._append(batch)
        except (RedisError, Unavailable, OSError) as error:
            self._note_away(error)
            return False
        except Exception:  # the thread must not end, or no later event would go out
            log.exception("%d events of runs that were sent are dropped", len(batch))
        with self._changed:
            del self._events[: len(batch)]
            if self._is_away:
                log.warning(
                    "the event stream is back: %d events of sent runs wait no longer, %d more "
                    "follow, %d were dropped",
                    len(batch),
                    len(self._events),
                    self._dropped,
                )
            self._is_away = False
            self._dropped = 0
            self._changed.notify_all()
        return True

    def _append(self, batch: list[Event]) -> None:
        try:
            self._stream.append_many(batch)
        except ValueError:
            rest = writable(batch)
            if len(rest) == len(batch):
                raise
            self._stream.append_many(rest)

    def _note_away(self, error: Exception) -> None:
        with self._changed:
            if not self._is_away:
                log.warning(
                    "the event stream does not answer; runs are sent all the same, and up to %d of "
                    "their events wait here: %s",
                    self._most,
                    error,
                )
            self._is_away = True
            self._changed.notify_all()
