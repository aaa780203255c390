"""Deadline of a whole request, and the thread that enforces it.

A socket's time-out limits a single read or write: a server that sends a byte now and then never
exceeds it, in its TLS handshake, its headers or its body. So a thread shuts the connection down at
the deadline, whatever is in progress.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic


class Deadline:
    """A moment on the monotonic clock, `seconds` after the object was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline. Raises TimeoutError after it."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def over(self) -> bool:
        """Whether the deadline is past."""
        return monotonic() >= self._end

    def spent(self) -> float:
        """Seconds since the object was made."""
        return self.seconds - (self._end - monotonic())


@contextmanager
def cut_off(sock: socket.socket, deadline: Deadline) -> Iterator[None]:
    """Shut the connection down at the deadline, unless the block has ended before.

    A read or write at that moment gets an OSError or the end of the stream, so the caller checks
    the deadline afterwards. Uses a second handle of the connection, which stays valid when TLS
    takes the first one over.
    """
    with sock.dup() as handle:

        def end() -> None:
            with suppress(OSError):  # the other side has closed the connection already
                handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(deadline.left(), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
