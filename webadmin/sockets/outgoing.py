"""Bytes of a response that the client has not taken yet.

Threads write without waiting for the client: what does not fit into the socket waits here, and the
worker's loop sends it when the client reads.
"""

import errno
import socket
import threading
from collections.abc import Callable

MOST_WAITING = 1_000_000
"""Bytes of a response that wait; a thread with more waits for the client."""

PATIENCE = 120.0
"""Seconds for which a thread waits; the loop ends slow connections long before."""


class Writers:
    """Threads that may wait for clients at the same time; the others break the connection off."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    def enter(self) -> bool:
        """Take a place. Returns False where none is free."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Give the place back."""
        self._free.release()


class Outgoing:
    """The socket that gunicorn writes a response to. Used by one thread and the loop at a time."""

    def __init__(
        self, sock: socket.socket, writers: Writers, wants_to_send: Callable[[], None]
    ) -> None:
        self._sock = sock
        self._writers = writers
        self._wants_to_send = wants_to_send
        self._waiting = bytearray()
        self._changed = threading.Condition()
        self._closed = False
        self.sent = 0
        """Bytes taken by the client's side in all."""

    @property
    def waiting(self) -> int:
        """Bytes that wait."""
        return len(self._waiting)

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._closed

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """Send or store the bytes. Raises BrokenPipeError where the connection has ended."""
        with self._changed:
            self._check_open()
            rest = data if self._waiting else data[self._send(data) :]
            if not rest:
                return
            self._wait_for_room()
            was_empty = not self._waiting
            self._waiting += rest
        if was_empty:
            self._wants_to_send()

    def send(self, data: bytes, flags: int = 0) -> int:
        """Send or store the bytes. Returns their number."""
        self.sendall(data)
        return len(data)

    def flush(self) -> int:
        """Send what the socket takes now. Returns the number of bytes that still wait."""
        with self._changed:
            if not self._closed and self._waiting:
                del self._waiting[: self._send(self._waiting)]
                self._changed.notify_all()
            return len(self._waiting)

    def close(self) -> None:
        """Let the connection end: the loop does it. A thread that writes gets BrokenPipeError."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def release(self) -> None:
        """Close the socket. For the loop only, which waits for events of the socket's number: the
        system may give it to the next connection at once.
        """
        self.close()
        self._sock.close()

    def shutdown(self, how: int) -> None:
        """Refuse: the loop ends the connection, not the thread. Raises OSError."""
        raise OSError(errno.ENOTCONN, "the loop of the worker ends this connection")

    def gettimeout(self) -> float:
        """Return 0, as for any socket that does not block."""
        return 0.0

    def _send(self, data: bytes | bytearray) -> int:
        """Return the number of bytes that the socket took; the lock is held."""
        try:
            number = self._sock.send(memoryview(data)[:MOST_WAITING])
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._closed = True
            raise BrokenPipeError(errno.EPIPE, "the client has gone") from error
        self.sent += number
        return number

    def _wait_for_room(self) -> None:
        if len(self._waiting) < MOST_WAITING:
            return
        if not self._writers.enter():
            self._closed = True
            raise BrokenPipeError(errno.EPIPE, "too many responses wait for slow clients")
        try:
            self._changed.wait_for(
                lambda: self._closed or len(self._waiting) < MOST_WAITING // 2, PATIENCE
            )
        finally:
            self._writers.leave()
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise BrokenPipeError(errno.EPIPE, "the connection has ended")
