"""Beat's connection for its scripts. Scripts are sent in order, without waiting for replies: the
server carries out a batch while Beat plans the next one. Replies are bytes.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

from hiredis import pack_command
from redis.exceptions import NoScriptError, ResponseError

from scheduler.storage.scripts import Script

if TYPE_CHECKING:
    from redis import Redis


class PendingReply:
    """The reply to a script, not yet read."""

    def __init__(self, pipeline: "ScriptPipeline", script: Script, arguments: list[Any]) -> None:
        self._pipeline = pipeline
        self._script = script
        self._arguments = arguments
        self.value: Any = None
        """The server's reply, or its error; None before the read."""

    def packed(self, *, with_text: bool = False) -> bytes:
        """The command in Redis's protocol, with the script's hash or with its text."""
        name = ("EVAL", self._script.text) if with_text else ("EVALSHA", self._script.sha)
        packed: bytes = pack_command((*name, *self._arguments))
        return packed

    def wait(self) -> Any:
        """The reply, after its arrival. Raises redis.RedisError, and OSError where the connection
        breaks.
        """
        self._pipeline.read_until(self)
        if isinstance(self.value, NoScriptError):
            self._pipeline.send_again(self)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class ScriptPipeline:
    """One connection. A break loses pending replies; the next script opens a new connection."""

    def __init__(self, redis: "Redis") -> None:
        self._pool: Any = redis.connection_pool
        self._connection: Any = None
        self._pending: deque[PendingReply] = deque()
        self._loaded: set[str] = set()
        """Hashes of the scripts sent with their text on this connection."""

    def send(self, script: Script, keys: list[Any], arguments: list[Any]) -> PendingReply:
        """Send a script with its keys and arguments, as bytes or as UTF-8 text. Raises as
        `PendingReply.wait`.
        """
        pending = PendingReply(self, script, [len(keys), *keys, *arguments])
        self._send(pending, pending.packed(with_text=script.sha not in self._loaded))
        self._loaded.add(script.sha)
        return pending

    def send_again(self, pending: PendingReply) -> None:
        """Send a script with its text, after the server has forgotten the hash, and read all
        replies.
        """
        while self._pending:
            self._read()
        self._send(pending, pending.packed(with_text=True))
        self._read()

    def read_until(self, pending: PendingReply) -> None:
        """Read replies up to `pending`."""
        while pending in self._pending:
            self._read()

    def drop(self) -> None:
        """Forget pending replies, and close the connection on which they would still arrive.

        The pool may close the connection at any time; waiting for an old reply would then never
        end.
        """
        if self._pending:
            self._disconnect()

    def _send(self, pending: PendingReply, packed: bytes) -> None:
        try:
            if self._connection is None:
                self._connection = self._pool.get_connection()
            self._connection.send_packed_command([packed], check_health=not self._pending)
        except BaseException:
            self._disconnect()
            raise
        self._pending.append(pending)

    def _read(self) -> None:
        try:
            reply = self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            reply = error
        except BaseException:
            self._disconnect()
            raise
        self._pending.popleft().value = reply

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._pending.clear()
        self._loaded.clear()
        if connection is not None:
            connection.disconnect()
            self._pool.release(connection)
