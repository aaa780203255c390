"""Entries that were set aside come back by themselves: when what is stored is not what the reason
was told of.
"""

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
"""Seconds between two looks at what is set aside."""

_MOST = 1000


class Mending:
    """Looks after what is set aside, for the Beat that leads."""

    def __init__(self, redis: "Redis", names: keys.Names) -> None:
        self._redis, self._names = redis, names

    def retry_all(self, now: datetime) -> None:
        """Look at all of them again: this Beat may be one that can read them."""
        self._wake(self._names_aside(), now)

    def look(self, now: datetime) -> None:
        """Look again at those that are not what they were. What is mended is free, what is gone is
        forgotten.
        """
        reasons = self._names_aside()
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

    def _names_aside(self) -> dict[bytes, str]:
        answer: Any = self._ask("HGETALL", keys.ASIDE_HASH)
        pairs = (
            answer.items()
            if isinstance(answer, dict)
            else zip(answer[::2], answer[1::2], strict=True)
        )
        return {name: text_of(text) or "" for name, text in list(pairs)[:_MOST]}

    def _read(self, names: list[bytes]) -> dict[bytes, Raw]:
        """What is stored now; nothing where the key is gone, or no hash."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                fields = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
                pipe.execute_command("HMGET", self._key(name), *fields, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]
            answers = pipe.execute(raise_on_error=False)
        return {
            name: Raw(None, None, None)
            if isinstance(answer, Exception)
            else Raw(*map(text_of, answer))
            for name, answer in zip(names, answers, strict=True)
        }

    def _wake(self, names: Iterable[bytes], now: datetime) -> None:
        """Let Beat look at them at once. Those that have a due time by now keep it."""
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

    def _ask(self, *command: Any) -> Any:
        return self._redis.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]
