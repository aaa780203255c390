"""A moment until which all of a request has to be done, and what ends it then.

A time-out of sockets is one of a single read or write: a server that sends a byte now and then
outlasts any number of them, in its TLS handshake, its headers or its body. So at the deadline a
thread of its own shuts the connection down, whatever is going on over it.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic


class Deadline:
    """A moment on the steady clock, `seconds` after the object was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError where there are none."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def over(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self._end

    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.seconds - (self._end - monotonic())


@contextmanager
def cut_off(sock: socket.socket, deadline: Deadline) -> Iterator[None]:
    """Shut the connection down at the deadline, if the block has not ended by then.

    What reads or writes in that moment gets an OSError or the end of the stream, so whoever used
    the connection looks at the deadline afterwards. Uses a second handle of the connection, which
    stays valid when TLS takes the first one over.
    """
    with sock.dup() as handle:

        def end() -> None:
            with suppress(OSError):  # the other side was faster
                handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(deadline.left(), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
