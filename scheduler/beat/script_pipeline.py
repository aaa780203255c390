"""The connection on which Beat asks the scripts of its rounds: in order, and without waiting for
the answers.

While the server carries out one chunk, Beat plans the next. Answers are bytes, as those of
`scripts.ServerScript`.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

from hiredis import pack_command
from redis.exceptions import NoScriptError, ResponseError

from scheduler.storage.scripts import Script

if TYPE_CHECKING:
    from redis import Redis


class PendingReply:
    """A question that is on its way."""

    def __init__(self, line: "ScriptPipeline", script: Script, arguments: list[Any]) -> None:
        self._line, self._script, self._arguments = line, script, arguments
        self.said: Any = None
        """What the server has answered, an error too."""

    def packed(self, *, whole: bool = False) -> bytes:
        """The command, with the script's name or with its text."""
        named = ("EVAL", self._script.text) if whole else ("EVALSHA", self._script.sha)
        packed: bytes = pack_command((*named, *self._arguments))
        return packed

    def answer(self) -> Any:
        """Wait for the answer. Raises redis.RedisError, and OSError where the connection breaks."""
        self._line.read_until(self)
        if isinstance(self.said, NoScriptError):
            self._line.ask_whole(self)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


class ScriptPipeline:
    """The connection. When it breaks, whatever was asked is forgotten, and the next question opens
    it anew.
    """

    def __init__(self, redis: "Redis") -> None:
        self._pool: Any = redis.connection_pool
        self._connection: Any = None
        self._open: deque[PendingReply] = deque()
        self._told: set[str] = set()
        """The scripts that the server at the other end has been sent whole."""

    def ask(self, script: Script, keys: list[Any], arguments: list[Any]) -> PendingReply:
        """Send a question: names and texts as bytes or as text that is UTF-8. Raises as
        `PendingReply.answer`.
        """
        asked = PendingReply(self, script, [len(keys), *keys, *arguments])
        self._send(asked, asked.packed(whole=script.sha not in self._told))
        self._told.add(script.sha)
        return asked

    def ask_whole(self, asked: PendingReply) -> None:
        """Ask again, with the whole script: the server has forgotten it. All others are answered
        before.
        """
        while self._open:
            self._read()
        self._send(asked, asked.packed(whole=True))
        self._read()

    def read_until(self, asked: PendingReply) -> None:
        """Read the answers up to this one's."""
        while asked in self._open:
            self._read()

    def drop(self) -> None:
        """Forget what is not answered yet, and with it the connection, on which the answers would
        still come.

        The pool may close the connection below us; whoever waited for an old answer then would wait
        for nothing.
        """
        if self._open:
            self._leave()

    def _send(self, asked: PendingReply, packed: bytes) -> None:
        try:
            if self._connection is None:
                self._connection = self._pool.get_connection()
            self._connection.send_packed_command([packed], check_health=not self._open)
        except BaseException:
            self._leave()
            raise
        self._open.append(asked)

    def _read(self) -> None:
        try:
            said = self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            said = error
        except BaseException:
            self._leave()
            raise
        self._open.popleft().said = said

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        self._open.clear()
        self._told.clear()
        if connection is not None:
            connection.disconnect()
            self._pool.release(connection)
