"""Classification of errors that mean an outage of Redis or the broker, and the refusal.

The database has a classification of its own in `history.outage`, where SQLAlchemy may be imported.
No client is imported here either: without the import of a client no error of the client can occur,
and commands must start quickly.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scheduler.errors import Unavailable
from scheduler.storage.connection_faults import fault_of, missing_right


@dataclass(frozen=True)
class Server:
    """A required server, and the remedy for an outage."""

    name: str
    remedy: str
    setting: str


REDIS = Server("Redis", "start it, or set BEATDESK_REDIS_URL to where it is", "BEATDESK_REDIS_URL")
BROKER = Server(
    "the broker",
    "look at `beatdesk doctor`, and try again when it is back",
    "BEATDESK_BROKER_URL",
)

_WAIT = frozenset({"other", "refused", "time-out", "loading", "TLS expected"})
"""Kinds of faults mended by bringing the server back; one that restarts closes connections too."""


@contextmanager
def answering(consequence: str = "", *, server: Server = REDIS) -> Iterator[None]:
    """Turn errors of a server in an outage, or of a refused command, into Unavailable.

    `consequence` states the uncertainty and the first thing to check. Errors that waiting does not
    mend pass: a value that cannot be sent (DataError), and a transaction ended by another client's
    write (WatchError).
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and server_of(error) is None:
            raise
        raise Unavailable(_sentence(error, server, consequence)) from error


def server_of(error: BaseException) -> Server | None:
    """Return the server in an outage, by the client's error; None for any other error."""
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
    right = missing_right(error)
    fault = fault_of(error)
    if right is not None:
        return (
            f"{server.name} refused the command, nothing was saved: the login may not {right}"
            f"{because}; {fault.remedy_for(server.setting)}"
        )
    # A server that refuses is full, read-only, or has a value of another type under the key.
    if _is_refusal(error):
        return f"{server.name} refused the command, nothing was saved: {error}{because}"
    if fault.kind not in _WAIT:
        remedy = fault.remedy_for(server.setting)
        return f"{server.name} cannot be used, {fault.words} ({error}){because}; {remedy}"
    remedy = server.remedy
    if fault.kind == "time-out":  # it runs, and hangs
        words = fault.remedy_for(server.setting)
        remedy = words[:1].lower() + words[1:]
    return f"{server.name} does not answer ({error}){because}; {remedy}"


def _is_refusal(error: Exception) -> bool:
    if "redis.exceptions" not in sys.modules:
        return False
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)
