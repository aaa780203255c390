"""The way of a process's events to the stream: in order, each at least once, none lost while Redis
is away.

`offer` never waits: where the stream does not answer, the event is kept and goes out before the
next one. `deliver` returns when its event and all before it are in the stream; the end of a run
goes this way, and its message is acknowledged after it. What may be kept by `offer` is bounded:
beyond `most` it waits like `deliver`, because a worker that takes runs and can tell nobody had
better take no more.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from redis.exceptions import RedisError

from scheduler.errors import Unavailable
from scheduler.events.schema import Event

log = logging.getLogger(__name__)

MOST = 10_000
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


class Stream(Protocol):
    """What the outbox needs of the event stream."""

    def append(self, event: Event) -> object:
        """Append one or raise."""

    def append_many(self, events: Sequence[Event]) -> object:
        """Append all or raise."""


class EventBuffer:
    """Events on their way. Made for one process; may be used by several of its threads."""

    def __init__(
        self, stream: Stream, *, most: int = MOST, wait: Callable[[float], object] | None = None
    ) -> None:
        self._stream = stream
        self._most = most
        self._wait = wait or threading.Event().wait
        self._kept: list[Event] = []
        self._lock = threading.RLock()
        self._away = False

    @property
    def waiting(self) -> int:
        """How many events are kept because the stream did not answer."""
        return len(self._kept)

    def offer(self, *events: Event) -> None:
        """Send the events if that works at once, keep them otherwise."""
        with self._lock:
            self._kept.extend(events)
            if not self._away:
                self._try()
            if len(self._kept) >= self._most:
                self._insist()

    def add(self, *events: Event) -> None:
        """Keep the events, to go out with the next ones in one round trip."""
        with self._lock:
            self._kept.extend(events)

    def deliver(self, *events: Event) -> None:
        """Send the events and all that are kept; return when the stream has them."""
        with self._lock:
            self._kept.extend(events)
            self._insist()

    def flush(self) -> bool:
        """Try once to send what is kept. True when nothing is left."""
        with self._lock:
            return self._try()

    def _insist(self) -> None:
        pause = FIRST_WAIT
        while not self._try():
            self._wait(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def _try(self) -> bool:
        if not self._kept:
            return True
        try:
            self._send()
        except (RedisError, Unavailable, OSError) as error:
            if not self._away:
                log.warning(
                    "the event stream does not answer, %d events wait: %s", len(self._kept), error
                )
            self._away = True
            return False
        if self._away:
            log.info("the event stream is back, %d events sent", len(self._kept))
        self._away = False
        self._kept = []
        return True

    def _send(self) -> None:
        if len(self._kept) == 1:
            self._stream.append(
                self._kept[0]
            )  # the usual case; without a transaction it costs little more than half
        else:
            self._stream.append_many(self._kept)
