"""A connection on which the server tells of each key that changes after it was read there, whoever
changes it.

Redis' tracking of keys for caches of clients, since version 6: a key that was read is told of once,
when it changes, expires, is deleted or evicted, or is emptied away with all others; it is told of
again once it has been read again. So little waits on a connection that nobody asks. What is told
stands before the answer to any command that comes after the change. A connection that broke is
never mended: whoever watches begins anew.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from redis import Redis

_INVALIDATE = 1
"""Where the keys stand in what the server tells."""


class Told(NamedTuple):
    """What the server tells between two answers. No keys are all keys."""

    keys: list[str] | None


class Watch:
    """One connection, for one thread at a time. Raises what redis-py raises; after an error it is
    of no use.
    """

    def __init__(self, redis: "Redis") -> None:
        """Connect. Raises ResponseError where the server does not track keys, or not for this
        user.
        """
        self.told: set[str] = set()
        """The keys that have changed since they were read. Who reads one again takes it out."""

        self.all_told = False
        """Whether every key may have changed."""

        self._connection = _new_connection(redis)
        try:
            self._connection.connect()
            self._connection._parser.set_invalidation_push_handler(_told)
            (answer,) = self.ask([("CLIENT", "TRACKING", "ON")])
            if isinstance(answer, ResponseError):
                raise answer
        except BaseException:
            self.close()
            raise

    def ask(self, commands: Sequence[tuple[str, ...]]) -> Iterator[Any]:
        """The answers, in one round trip; the error of one command is its answer.

        What was told before an answer is in `told` when that answer comes.
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
        """End it; the server forgets what was read."""
        self._connection.disconnect()

    def _answer(self) -> Any:
        """The next answer; what is told before it is kept."""
        while True:
            answer = self._connection.read_response(push_request=True)
            if not isinstance(answer, Told):
                return answer
            if answer.keys is None:
                self.all_told = True
            else:
                self.told.update(answer.keys)


def _new_connection(redis: "Redis") -> Any:
    """One that no other command is sent on."""
    return redis.connection_pool.make_connection()


def _told(message: list[Any]) -> Told:
    """What redis-py hands on. A key of bytes that are no text is none of ours."""
    keys = message[_INVALIDATE]
    return Told(None if keys is None else [key for key in keys if isinstance(key, str)])
