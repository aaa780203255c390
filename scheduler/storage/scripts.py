"""Lua scripts on the Redis server, with replies as bytes.

Bytes, because decoding a reply fails as a whole if any entry is not UTF-8.
"""

from functools import cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError

from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis


class Script:
    """The text of a script in a package, and the SHA-1 by which a server caches the script."""

    def __init__(self, package: str, name: str) -> None:
        self.text = script_text(package, name)
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@cache
def script_of(package: str, name: str) -> Script:
    """Return a script, read and hashed once in a process: some are called for each message."""
    return Script(package, name)


class ServerScript:
    """A callable script; the text is sent only to a server that has not cached the script."""

    def __init__(self, redis: "Redis", package: str, name: str) -> None:
        self._redis = redis
        self._script = script_of(package, name)

    def __call__(self, keys: list[Any], args: list[Any]) -> Any:
        """Run the script. Returns the reply, with texts as bytes. Raises redis.RedisError."""
        try:
            return self._execute("EVALSHA", self._script.sha, keys, args)
        except NoScriptError:
            return self._execute("EVAL", self._script.text, keys, args)

    def _execute(self, command: str, script: str, keys: list[Any], args: list[Any]) -> Any:
        return self._redis.execute_command(
            command, script, len(keys), *keys, *args, **{NEVER_DECODE: []}
        )  # type: ignore[no-untyped-call]


def text_of(value: bytes | None) -> str | None:
    """Return bytes of a reply as text; bytes that are not UTF-8 become surrogates (PEP 383)."""
    return None if value is None else value.decode("utf-8", "surrogateescape")
