"""A client's connection: its phase, and until when it may stay in it."""

import errno
import socket
from dataclasses import dataclass
from enum import Enum
from typing import Any

from webadmin.sockets.arrival import Arrival, Stage
from webadmin.sockets.outgoing import Outgoing

SLOWEST = 10_000
"""Bytes a second that a client must send or take, beside the seconds of `Times`."""


@dataclass(frozen=True)
class Times:
    """Seconds that a client has."""

    head: float = 10.0
    """For the head of a request, from the connection's start or the head's first byte."""
    body: float = 30.0
    """For a body, beside the time by SLOWEST."""
    answer: float = 30.0
    """For reading an answer, beside the time by SLOWEST."""
    leaving: float = 2.0
    """For taking the end of a connection, so that it can read the answer before."""


_READ = 65_536


class Phase(Enum):
    """What a connection waits for."""

    READING = "the client sends a request"
    SERVING = "a thread answers"
    SENDING = "the client takes the rest of the answer"
    LEAVING = "the client closes its side"
    CLOSED = "nothing"


class Connection:
    """A client's connection. Its phase belongs to the loop; threads use `sock` only."""

    def __init__(
        self, raw: socket.socket, sock: Outgoing, client: Any, server: Any, times: Times
    ) -> None:
        self._times = times
        self.raw = raw
        self.sock = sock
        self.client = client
        self.server = server
        self.arrival = Arrival()
        self.phase = Phase.READING
        self.since = 0.0
        """When the present phase began, in seconds of the monotonic clock."""
        self.deadline: float | None = None
        """When the connection ends; None while a thread computes."""
        self.stays = False
        """Whether the connection waits for another request after the answer."""
        self.rest = b""
        """What had arrived beyond the request."""
        self.events = 0
        """Events of the socket for which the loop waits, as a mask of `selectors`."""
        self.was_encouraged = False
        """Whether `100 Continue` was sent for this request."""
        self._sent_before = 0

    @property
    def address(self) -> str:
        """Return the client's address; empty for a Unix socket."""
        return str(self.client[0]) if isinstance(self.client, tuple) else ""

    @property
    def is_waiting(self) -> bool:
        """Whether the connection waits for its client, and not for a thread."""
        return self.phase is not Phase.SERVING or self.sock.waiting > 0

    @property
    def size(self) -> int:
        """Bytes in memory for this connection."""
        return len(self.arrival.data) + len(self.rest) + self.sock.waiting

    def enter(self, phase: Phase, now: float, seconds: float | None) -> None:
        """Begin a phase that ends after so many seconds."""
        self.phase = phase
        self.since = now
        self.deadline = None if seconds is None else now + seconds

    def read(self, now: float) -> Stage | None:
        """Read what has arrived. Returns the stage of the request; None at the client's end."""
        before = self.arrival.stage
        try:
            data = self.raw.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return before
        except OSError:
            return None
        if not data:
            return None
        return self.take(data, now)

    def take(self, data: bytes, now: float) -> Stage:
        """Take bytes of a request. Returns its stage, and sets the deadline of that stage."""
        before = self.arrival.stage
        stage = self.arrival.feed(data)
        if before is Stage.SILENT:
            self.since = now
            self.deadline = now + self._times.head
        if stage is Stage.BODY:
            if before is not Stage.BODY:
                self.since = now
            self.deadline = self.since + self._times.body + len(self.arrival.data) / SLOWEST
        return stage

    def renew(self) -> None:
        """Forget the request, for another one."""
        self.arrival = Arrival()
        self.rest = b""
        self.was_encouraged = False

    def begin_sending(self, now: float) -> None:
        """Start the time that the client has to take what waits."""
        self.since = now
        self._sent_before = self.sock.sent

    def takes_too_long(self, now: float) -> bool:
        """Whether the client takes what waits more slowly than SLOWEST."""
        fair = self._times.answer + (self.sock.sent - self._sent_before) / SLOWEST
        return self.sock.waiting > 0 and now - self.since > fair

    def end_sending(self) -> bool:
        """Tell the client that nothing more comes. Returns False where it has gone already."""
        try:
            self.raw.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def drop_arrivals(self) -> bool:
        """Throw away what still arrives. Returns False at the client's end."""
        try:
            return bool(self.raw.recv(_READ))
        except OSError as error:
            return error.errno in (errno.EAGAIN, errno.EINTR)
