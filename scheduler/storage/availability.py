"""Which errors mean that Redis or the broker cannot serve, and the refusal that says so.

The database has its own classification in `history.outage`, where SQLAlchemy may be imported. No
client is imported here either: an error of a client that nobody has imported cannot occur, and
commands must start quickly.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scheduler.errors import Unavailable


@dataclass(frozen=True)
class Server:
    """A server that is needed, and what an operator does when it is away."""

    name: str
    remedy: str


REDIS = Server("Redis", "start it, or set BEATDESK_REDIS_URL to where it is")
BROKER = Server("the broker", "look at `beatdesk doctor`, and try again when it is back")


@contextmanager
def answering(consequence: str = "", *, server: Server = REDIS) -> Iterator[None]:
    """Turn the errors of a server that is away, or that refuses a command, into Unavailable.

    `consequence` says what is not certain now and what to look at first. Errors that waiting does
    not mend pass: a value that cannot be sent (DataError), and a transaction that somebody else's
    write has ended (WatchError).
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and server_of(error) is None:
            raise
        raise Unavailable(_sentence(error, server, consequence)) from error


def server_of(error: BaseException) -> Server | None:
    """The server that cannot serve, by its client's error; none where that is no outage."""
    if "redis.exceptions" in sys.modules:
        from redis.exceptions import DataError, RedisError, WatchError

        if isinstance(error, RedisError):
            return None if isinstance(error, DataError | WatchError) else REDIS
    if "kombu.exceptions" in sys.modules:
        from kombu.exceptions import OperationalError

        if isinstance(error, OperationalError):
            return BROKER
    return None


def _sentence(error: Exception, server: Server, consequence: str) -> str:
    because = f"; {consequence}" if consequence else ""
    if _is_refusal(
        error
    ):  # the server is there: it is full, read-only, or holds something else under the key
        return f"{server.name} refused the command, nothing was saved: {error}{because}"
    return f"{server.name} does not answer ({error}){because}; {server.remedy}"


def _is_refusal(error: Exception) -> bool:
    if "redis.exceptions" not in sys.modules:
        return False
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)
