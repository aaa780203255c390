"""Real sockets without answers: a server that accepts and stays silent, and a road to a server that
can swallow.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.support.ports import free_port


class Silent:
    """Listens on a port of its own, accepts, reads, and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self._open: list[socket.socket] = []
        self._work(self._accept)

    @property
    def port(self) -> int:
        """The port."""
        return int(self._listener.getsockname()[1])

    @property
    def visits(self) -> int:
        """The number of connections so far."""
        return len(self._open)

    def end(self) -> None:
        """Close the listener and all connections."""
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                self._open.append(visitor)
                self._met(visitor)

    def _met(self, visitor: socket.socket) -> None:
        self._work(self._carry, visitor, None)

    def _carry(self, source: socket.socket, target: socket.socket | None) -> None:
        """Read to the end; forward to `target`, unless None."""
        with suppress(OSError):
            while data := source.recv(65536):
                if target is not None and not self._swallows():
                    target.sendall(data)

    def _swallows(self) -> bool:
        return True

    def _work(self, task: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=task, args=arguments, daemon=True).start()


class Road(Silent):
    """Forwards to a port and back; with `swallows` set nothing arrives any more, and nothing is
    refused.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self.swallows = threading.Event()
        super().__init__()

    def _swallows(self) -> bool:
        return self.swallows.is_set()

    def _met(self, visitor: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        self._open.append(server)
        self._work(self._carry, visitor, server)
        self._work(self._carry, server, visitor)
