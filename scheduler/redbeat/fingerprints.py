"""Fingerprints of entries: they change with every edit, but not when Beat fires an entry.

Cheap enough to be computed every few seconds.
"""

from hashlib import sha1
from itertools import count
from typing import TYPE_CHECKING, Any

from scheduler.redbeat.codec import Raw
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

NOTHING = Raw(None, None, None)
_AT_ONCE = 500


class Fingerprints:
    """The reader of fingerprints, computed by a script on the server without sending entries."""

    def __init__(self, redis: "Redis") -> None:
        self._digests = redis.register_script(script_text(__package__, "digests.lua"))

    def read(self) -> dict[str, str]:
        """Return the fingerprints of all entries in the list of due times, by name.

        Raises redis.RedisError.
        """
        found: dict[str, str] = {}
        for begin in count(0, _AT_ONCE):
            answer: Any = self._digests(keys=[keys.SCHEDULE_ZSET], args=[begin, _AT_ONCE])
            found.update(zip(map(keys.schedule_name, answer[::2]), answer[1::2], strict=True))
            if len(answer) < 2 * _AT_ONCE:
                break
        return found


def fingerprint(raw: Raw) -> str:
    """Return the fingerprint of an entry, as computed by `digests.lua`."""
    if raw == NOTHING:
        return "-"
    whole = "+" if '"last_run_at"' in (raw.meta or "") else "-"
    text = (raw.definition or "") + "\0" + (raw.extra or "-")
    return (
        whole
        + sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:16]
    )
