"""Sender of progress and log lines: a thread per process, twice a second.

The first run with progress or log lines starts the thread.

The stream is bounded: at its limit log lines are dropped, and at a quarter more progress is dropped
too. States of runs are never dropped, and never wait for progress or log lines.
"""

import logging
import threading
from collections.abc import Callable

from redis.exceptions import RedisError

from scheduler.errors import BeatdeskError
from scheduler.events.schema import Event
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.execution.progress import ProgressBatch, ProgressLog

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
LOOK_EVERY_SECONDS = 2.0
"""Seconds between two looks at the length of the stream."""

MOST_WAITING = 1_000
"""Buffered events, while the stream is away, above which progress and log lines are dropped."""

PROGRESS_TOO = 1.25
"""Length of the stream, as a multiple of the limit, from which progress is dropped as well."""


class ProgressSender:
    """The sending thread of a process, and the progress logs with unsent events.

    `length` counts the events in the stream, `limit` is the length from which log lines are
    dropped, `every` the seconds between two rounds.
    """

    def __init__(
        self,
        events: EventBuffer,
        length: Callable[[], int],
        limit: int,
        *,
        monotonic: Callable[[], float],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._events = events
        self._length = length
        self._limit = limit
        self._monotonic = monotonic
        self._every = every
        self._ready: dict[int, ProgressLog] = {}
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._measured_at: float | None = None
        self._stream_length = 0

    def wake(self, progress_log: ProgressLog) -> None:
        """Send the log's events in the next round."""
        with self._lock:
            self._ready[id(progress_log)] = progress_log
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="beatdesk-progress", daemon=True
                )
                self._thread.start()
        self._awake.set()

    def finish(self, progress_log: ProgressLog) -> None:
        """Buffer the rest of an attempt's events, to be sent with the end in one round trip."""
        with self._lock:
            unsent = self._ready.pop(id(progress_log), None)
        if unsent is not None or progress_log.has_rest:
            self._events.add(*self._events_of(progress_log, over=True))

    def send(self) -> None:
        """Make a round: send the events of the waiting logs."""
        with self._lock:
            ready = list(self._ready.values())
            self._ready = {}
        for progress_log in ready:
            if events := self._events_of(progress_log):
                self._events.offer(*events)

    def _run(self) -> None:
        while True:
            self._awake.wait()
            self._awake.clear()
            self.send()
            self._stop.wait(self._every)

    def _events_of(self, progress_log: ProgressLog, *, over: bool = False) -> list[Event]:
        """Return the log's events for which the stream has room; the log counts dropped lines."""
        waiting = self._events_waiting()
        if waiting >= self._limit:
            progress_log.drop_lines()
        batch: ProgressBatch = progress_log.take(over=over)
        if waiting >= self._limit * PROGRESS_TOO:
            return []
        return [*batch.lines, *batch.progress]

    def _events_waiting(self) -> int:
        """Return the number of events that wait for a recorder.

        Counted at most `LOOK_EVERY_SECONDS` ago; twice the limit where the stream has not answered
        for long.
        """
        if self._events.waiting > MOST_WAITING:
            return 2 * self._limit
        now = self._monotonic()
        if self._measured_at is None or now - self._measured_at >= LOOK_EVERY_SECONDS:
            self._measured_at = now
            try:
                self._stream_length = self._length()
            except (RedisError, BeatdeskError, OSError) as error:
                log.debug("the length of the stream is not known: %s", error)
        return self._stream_length
