"""Buffer of a process's events on the way to the stream.

Events go in order, each at least once, and none is lost while Redis is away.

`offer` does not wait: where the stream does not answer, events stay in the buffer and go out before
later events. `deliver` returns when the given and all earlier events are in the stream; the end of
a run is delivered, and the run's message is acknowledged afterwards. With `most` events in the
buffer `offer` waits like `deliver`: a worker that cannot record runs should take no more of them.
A thread that waits keeps no other thread waiting.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from redis.exceptions import RedisError

from scheduler.errors import Unavailable
from scheduler.events.schema import Event, encode

log = logging.getLogger(__name__)

MOST = 10_000
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


class Stream(Protocol):
    """The part of the event stream that the buffer uses."""

    def append(self, event: Event) -> object:
        """Append an event, or raise."""

    def append_many(self, events: Sequence[Event]) -> object:
        """Append all events, or raise."""


def writable(events: Sequence[Event]) -> list[Event]:
    """Return the events that can be encoded; the others are logged.

    Any program may have written a message, with half a character in the id of its run. One such
    event would keep all others of the process from the stream.
    """
    found = []
    for event in events:
        try:
            encode(event)
        except ValueError as error:
            name = type(event).__name__
            log.error("an event %s cannot be written, and is dropped: %s", name, error)
        else:
            found.append(event)
    return found


class EventBuffer:
    """Buffered events of a process, for any number of threads."""

    def __init__(
        self, stream: Stream, *, most: int = MOST, wait: Callable[[float], object] | None = None
    ) -> None:
        self._stream = stream
        self._most = most
        self._wait = wait or threading.Event().wait
        self._waiting_events: list[Event] = []
        self._lock = threading.RLock()
        self._away = False

    @property
    def waiting(self) -> int:
        """Number of events in the buffer."""
        return len(self._waiting_events)

    def offer(self, *events: Event) -> None:
        """Send the events if the stream answers at once; buffer the events otherwise."""
        with self._lock:
            self._waiting_events.extend(events)
            if not self._away:
                self._send_waiting()
            is_full = len(self._waiting_events) >= self._most
        if is_full:
            self._send_until_done()

    def add(self, *events: Event) -> None:
        """Buffer the events, to be sent with later events in one round trip."""
        with self._lock:
            self._waiting_events.extend(events)

    def deliver(self, *events: Event) -> None:
        """Send the buffered events and then `events`; return when the stream has all."""
        self.add(*events)
        self._send_until_done()

    def flush(self) -> bool:
        """Try once to send the buffered events. True when the buffer is empty."""
        with self._lock:
            return self._send_waiting()

    def _send_until_done(self) -> None:
        # Without the lock between two tries: the heartbeat, which stops the jobs of a worker that
        # is cut off, offers events meanwhile.
        pause = FIRST_WAIT
        while not self.flush():
            self._wait(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def _send_waiting(self) -> bool:
        if not self._waiting_events:
            return True
        try:
            self._send()
        except ValueError:
            rest = writable(self._waiting_events)
            if len(rest) == len(self._waiting_events):
                raise
            self._waiting_events = rest
            return self._send_waiting()
        except (RedisError, Unavailable, OSError) as error:
            if not self._away:
                log.warning(
                    "the event stream does not answer, %d events wait: %s",
                    len(self._waiting_events),
                    error,
                )
            self._away = True
            return False
        if self._away:
            log.info("the event stream is back, %d events sent", len(self._waiting_events))
        self._away = False
        self._waiting_events = []
        return True

    def _send(self) -> None:
        if len(self._waiting_events) == 1:
            # The usual case: without a transaction it costs little more than half.
            self._stream.append(self._waiting_events[0])
        else:
            self._stream.append_many(self._waiting_events)
