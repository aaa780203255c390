"""Free ports: the wished port, or another if taken."""

import errno
import socket

NEIGHBOURS = 20


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, else on one of the next `NEIGHBOURS` ports, else on any free
    port.

    The console's process inherits the socket: no other process takes the port meanwhile, and
    requests wait during a restart of the console. Raises OSError without a free port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wished in (*range(port, min(port + NEIGHBOURS, 65536)), 0):
        found = _bound(family, host, wished)
        if found is not None:
            found.listen(128)
            found.setblocking(False)
            return found
    raise OSError(f"no port is free on {host}")


def free_port(host: str, wished: int | None) -> int:
    """The wished port if free, or else any free one. Raises OSError."""
    for port in (wished, 0) if wished else (0,):
        found = _bound(socket.AF_INET, host, port)
        if found is not None:
            with found:
                number: int = found.getsockname()[1]
                return number
    raise OSError(f"no port is free on {host}")


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket | None:
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        if port and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    return found
