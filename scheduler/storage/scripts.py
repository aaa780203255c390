"""A script on the server, whose answer is read as bytes: an entry that is no text must not hide
others.
"""

from hashlib import sha1
from typing import TYPE_CHECKING, Any

from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError

from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis


class Script:
    """A script of a package, and the name by which a server knows it once it has seen it."""

    def __init__(self, package: str, name: str) -> None:
        self.text = script_text(package, name)
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class ServerScript:
    """One script, sent whole only to a server that has not seen it."""

    def __init__(self, redis: "Redis", package: str, name: str) -> None:
        self._redis = redis
        self._script = Script(package, name)

    def __call__(self, keys: list[Any], args: list[Any]) -> Any:
        """Run it. Raises redis.RedisError."""
        try:
            return self._ask("EVALSHA", self._script.sha, keys, args)
        except NoScriptError:
            return self._ask("EVAL", self._script.text, keys, args)

    def _ask(self, command: str, script: str, keys: list[Any], args: list[Any]) -> Any:
        return self._redis.execute_command(
            command, script, len(keys), *keys, *args, **{NEVER_DECODE: []}
        )  # type: ignore[no-untyped-call]


def text_of(value: bytes | None) -> str | None:
    """What the server answered, as text that keeps bytes that are none."""
    return None if value is None else value.decode("utf-8", "surrogateescape")
