"""Deadline of a whole request, and the thread behind the deadline.

A socket's time-out limits a single read or write: a server with a byte now and then never exceeds
the time-out, in TLS handshake, headers or body. So a thread shuts the connection down at the
deadline, in any state of the request.
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
        """Seconds until the deadline. Raises TimeoutError afterwards."""
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

    A read or write at the deadline gets an OSError or the end of the stream, so the caller checks
    the deadline afterwards. Uses a second handle of the connection, still valid after TLS takes the
    first one over.
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
