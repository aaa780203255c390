"""A connection with client-side caching (CLIENT TRACKING), on which Redis announces changed keys.

Redis 6 and later announces a key once after a read: when the key changes, expires, is deleted,
evicted or flushed, whichever client causes the change. A further announcement needs a further read,
so few messages pile up on an idle connection. An announcement arrives before the reply to any
command sent after the change. A broken connection is not repaired: the caller opens another and
starts from nothing.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from redis import Redis

_INVALIDATE = 1
"""The place of the keys in an announcement."""


class Invalidation(NamedTuple):
    """An invalidation message of the server. `keys` None means that all keys may have changed."""

    keys: list[str] | None


class Watch:
    """A connection for a single thread at a time. Raises redis-py's errors; useless afterwards."""

    def __init__(self, redis: "Redis") -> None:
        """Connect, and turn tracking on.

        Raises ResponseError where the server does not support tracking, or denies it to this user.
        """
        self.changed: set[str] = set()
        """The keys changed since their read. The caller removes a key before reading again."""

        self.all_changed = False
        """Whether every key may have changed."""

        self._connection = _new_connection(redis)
        try:
            self._connection.connect()
            self._connection._parser.set_invalidation_push_handler(_invalidation)
            (answer,) = self.ask([("CLIENT", "TRACKING", "ON")])
            if isinstance(answer, ResponseError):
                raise answer
        except BaseException:
            self.close()
            raise

    def ask(self, commands: Sequence[tuple[str, ...]]) -> Iterator[Any]:
        """Yield the reply to each command, in order, in a single round trip.

        An error reply is yielded, not raised. Invalidations before a reply are in `changed` when
        the reply is yielded.
        """
        self._connection.send_packed_command(
            self._connection.pack_commands(commands), check_health=False
        )
        for _ in commands:
            try:
                yield self._answer()
            except ResponseError as error:
                yield error

    def close(self) -> None:
        """Close the connection; the server drops its tracking."""
        self._connection.disconnect()

    def _answer(self) -> Any:
        """Return the next reply. Invalidations before the reply are recorded."""
        while True:
            answer = self._connection.read_response(push_request=True)
            if not isinstance(answer, Invalidation):
                return answer
            if answer.keys is None:
                self.all_changed = True
            else:
                self.changed.update(answer.keys)


def _new_connection(redis: "Redis") -> Any:
    """Return a connection that no other command uses."""
    return redis.connection_pool.make_connection()


def _invalidation(message: list[Any]) -> Invalidation:
    """Return the invalidation in a message of redis-py. Keys that are not text are left out."""
    keys = message[_INVALIDATE]
    return Invalidation(None if keys is None else [key for key in keys if isinstance(key, str)])
