"""The types of Beatdesk's keys, and keys that hold something of another type.

Redis refuses each command on such a key with WRONGTYPE, and does not name the key: whoever looks
for the reason needs the names.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

_BY_ENDING = {
    "_HASH": "hash",
    "_ZSET": "zset",
    "_SET": "set",
    "_STREAM": "stream",
    "_LIST": "list",
}
_NO_KEYS = ("_PREFIX", "_FIELD", "_GROUP", "_CHANNEL")


class Misplaced(NamedTuple):
    """A key with a value of another type than its own."""

    key: str
    wanted: str
    found: str

    @property
    def words(self) -> str:
        """The fault in a sentence."""
        return f"the key {self.key} holds a {self.found}, and not a {self.wanted}"


def types() -> dict[str, str]:
    """Return the type of each key with a fixed name, as Redis's command TYPE names it."""
    return {
        key: next((kind for end, kind in _BY_ENDING.items() if name.endswith(end)), "string")
        for name, key in vars(keys).items()
        if name.isupper()
        and isinstance(key, str)
        and not name.startswith("_")
        and not name.endswith(_NO_KEYS)
    }


def misplaced(redis: "Redis") -> list[Misplaced]:
    """Return the keys that hold something of another type. Raises redis.RedisError."""
    wanted = types()
    with redis.pipeline(transaction=False) as pipe:
        for key in wanted:
            pipe.type(key)
        found: Any = pipe.execute()
    return [
        Misplaced(key, kind, type_)
        for (key, kind), type_ in zip(wanted.items(), found, strict=True)
        if type_ not in ("none", kind)
    ]
