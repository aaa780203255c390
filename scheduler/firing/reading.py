"""One look at the schedule: what is due, with all that is needed to decide about it, in one round trip."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler import keys
from scheduler.firing.leader import Leader, LostLock
from scheduler.firing.scripts import ServerScript, text_of
from scheduler.rules.identity import NAMESPACE
from scheduler.schedules.codec import Raw

if TYPE_CHECKING:
    from redis import Redis


class Seen(NamedTuple):
    """An entry that is due, as it was read. `fault` is what is wrong with its key."""

    key: str
    name: str
    score: float
    raw: Raw
    static: bool
    alive: int
    waiting: tuple[str, ...]
    fault: str | None


class Look(NamedTuple):
    """What was seen, the longest due first. `coming` is the next due time that has not come, `oldest` the longest due.

    `now` is the server's time.
    """

    now: datetime
    coming: float | None
    oldest: float | None
    seen: list[Seen]


class Eye:
    """Looks. Each look renews the leader's lock."""

    def __init__(self, redis: "Redis", leader: Leader, names: keys.Names) -> None:
        self._leader, self._names = leader, names
        self._look = ServerScript(redis, "look.lua")

    def look(self, passed: int, most: int) -> Look:
        """Up to `most` due entries after the first `passed`. Raises LostLock, redis.RedisError."""
        names = self._names
        answer = self._look(
            [names.lock, names.schedule, names.statics],
            [
                self._leader.token or "",
                self._leader.ttl_ms,
                passed,
                most,
                keys.ALIVE_PREFIX,
                keys.WAITING_PREFIX,
                names.prefix,
                NAMESPACE.bytes,
            ],
        )
        if not answer:
            raise LostLock
        now, coming, oldest, *entries = answer
        seconds, micros = now.split(b".")
        return Look(
            now=datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros)),
            coming=None if coming is None else float(coming),
            oldest=None if oldest is None else float(oldest),
            seen=[self._seen(entry) for entry in entries],
        )

    def _seen(self, entry: list[Any]) -> Seen:
        key, score, definition, meta, extra, static, alive, waiting, fault = entry
        text = key.decode("utf-8", "surrogateescape")
        return Seen(
            key=text,
            name=text.removeprefix(self._names.prefix),
            score=float(score),
            raw=Raw(text_of(definition), text_of(meta), text_of(extra)),
            static=bool(static),
            alive=alive,
            waiting=tuple(tick.decode("utf-8", "surrogateescape") for tick in waiting),
            fault=text_of(fault),
        )
