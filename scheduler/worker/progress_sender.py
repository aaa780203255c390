"""Sends what the runs of a process have told, twice a second, by one thread that starts when the
first tells something.

The stream is bounded: where it holds as many events as it may, log lines are dropped; where it
holds a quarter more, progress is dropped too. States are never dropped, and never wait for what is
sent here.
"""

import logging
import threading
from collections.abc import Callable

from redis.exceptions import RedisError

from scheduler.errors import BeatdeskError
from scheduler.events.schema import Event
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.progress import ProgressLog, Said

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
LOOK_EVERY_SECONDS = 2.0
"""How often the length of the stream is looked at."""

MOST_WAITING = 1_000
"""Events that may wait for a stream that is away, before what may be dropped is."""

PROGRESS_TOO = 1.25
"""Times the limit of the stream, beyond which progress is dropped as well."""


class ProgressSender:
    """The thread, and the notes that have something to tell. One per process."""

    def __init__(
        self,
        outbox: EventBuffer,
        length: Callable[[], int],
        limit: int,
        *,
        monotonic: Callable[[], float],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._length = length
        self._limit = limit
        self._monotonic = monotonic
        self._every = every
        self._telling: dict[int, ProgressLog] = {}
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at: float | None = None
        self._seen = 0

    def wake(self, notes: ProgressLog) -> None:
        """These have something to tell."""
        with self._lock:
            self._telling[id(notes)] = notes
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="beatdesk-notes", daemon=True
                )
                self._thread.start()
        self._something.set()

    def finish(self, notes: ProgressLog) -> None:
        """The attempt is over: what it has not told yet goes out with its end, in one round
        trip.
        """
        with self._lock:
            telling = self._telling.pop(id(notes), None)
        if telling is not None or notes.has_rest:
            self._outbox.add(*self._permitted(notes, over=True))

    def send(self) -> None:
        """Send what there is."""
        with self._lock:
            telling, self._telling = list(self._telling.values()), {}
        for notes in telling:
            if events := self._permitted(notes):
                self._outbox.offer(*events)

    def _run(self) -> None:
        while True:
            self._something.wait()
            self._something.clear()
            self.send()
            self._stop.wait(self._every)

    def _permitted(self, notes: ProgressLog, *, over: bool = False) -> list[Event]:
        """What of the notes may be sent; lines that may not are counted."""
        waiting = self._waiting()
        if waiting >= self._limit:
            notes.drop_lines()
        said: Said = notes.take(over=over)
        if waiting >= self._limit * PROGRESS_TOO:
            return []
        return [*said.lines, *said.progress]

    def _waiting(self) -> int:
        """How many events wait for a recorder, as far as is known; very many where the stream does
        not answer.
        """
        if self._outbox.waiting > MOST_WAITING:
            return 2 * self._limit
        now = self._monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = now
            try:
                self._seen = self._length()
            except (RedisError, BeatdeskError, OSError) as error:
                log.debug("the length of the stream is not known: %s", error)
        return self._seen
