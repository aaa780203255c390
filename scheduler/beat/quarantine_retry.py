"""The retry of entries in quarantine, after a change of their stored fields."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from redis.client import NEVER_DECODE

from scheduler.redbeat import quarantine
from scheduler.redbeat.codec import Raw
from scheduler.storage import keys
from scheduler.storage.scripts import text_of

if TYPE_CHECKING:
    from redis import Redis

EVERY = 2.0
"""Seconds between two reads of the quarantine."""

_MOST_ENTRIES = 1000


class QuarantineRetry:
    """The retry of entries in quarantine by the leading Beat. Raises redis.RedisError."""

    def __init__(self, redis: "Redis", names: keys.Names) -> None:
        self._redis = redis
        self._names = names

    def retry_all(self, now: datetime) -> None:
        """Retry every entry in quarantine: a new version of Beat may read more."""
        self._wake(self._reasons(), now)

    def retry_changed(self, now: datetime) -> None:
        """Retry entries whose stored fields changed since their quarantine; forget deleted ones."""
        reasons = self._reasons()
        if not reasons:
            return
        raws = self._read(list(reasons))
        self._wake(
            (
                name
                for name, text in reasons.items()
                if quarantine.reason_of(text, raws[name]) is None
            ),
            now,
        )

    def _reasons(self) -> dict[bytes, str]:
        reply: Any = self._execute("HGETALL", keys.ASIDE_HASH)
        pairs = (
            reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
        )
        return {name: text_of(text) or "" for name, text in list(pairs)[:_MOST_ENTRIES]}

    def _read(self, names: list[bytes]) -> dict[bytes, Raw]:
        """The stored fields by name; empty where the key is gone, or is not a hash."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                fields = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
                pipe.execute_command("HMGET", self._key(name), *fields, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]
            replies = pipe.execute(raise_on_error=False)
        return {
            name: Raw(None, None, None)
            if isinstance(reply, Exception)
            else Raw(*map(text_of, reply))
            for name, reply in zip(names, replies, strict=True)
        }

    def _wake(self, names: Iterable[bytes], now: datetime) -> None:
        """Make entries due at once and end their quarantine; a due time set meanwhile stays."""
        chosen = list(names)
        if not chosen:
            return
        with self._redis.pipeline(transaction=False) as pipe:
            for name in chosen:
                pipe.zscore(self._names.schedule, cast(str, self._key(name)))
            scores = pipe.execute()
        with self._redis.pipeline(transaction=True) as pipe:
            for name, score in zip(chosen, scores, strict=True):
                if score is not None and score < 0:
                    pipe.zadd(self._names.schedule, {self._key(name): now.timestamp()}, xx=True)
                pipe.hdel(keys.ASIDE_HASH, cast(str, name))
            pipe.execute()

    def _key(self, name: bytes) -> bytes:
        return self._names.prefix.encode() + name

    def _execute(self, *command: Any) -> Any:
        return self._redis.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]
