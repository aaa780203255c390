"""Heartbeats: each Beat of Beatdesk writes its state to Redis once a second."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from scheduler.publishing.calls import Way
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

ALIVE_FOR = timedelta(seconds=15)
_FORGOTTEN_AFTER = timedelta(hours=1)


class Heartbeat(BaseModel):
    """The state of a Beat at `at`, by the server's clock."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    name: str
    at: AwareDatetime
    host: str
    pid: int
    leads: bool
    epoch: int = 0
    delivery_mode: Way | None = Field(None, alias="way")
    lag: float = 0.0
    """Seconds since the due time of the longest due entry that could not be advanced."""

    due: int = 0
    """The number of due entries that could not be advanced."""

    sent: int = 0
    """Runs sent since the start of the process."""

    waiting: int = 0
    """Runs in the outbox, not yet with the broker."""

    waiting_seconds: float = 0.0
    """Seconds since the first run in the outbox was put there."""

    blocked_by: str = Field("", alias="hindered")
    """The reason why nothing is published at the moment; empty without one."""


def write(redis: "Redis", heartbeat: Heartbeat) -> None:
    """Write a heartbeat. Raises redis.RedisError, as all functions here."""
    redis.hset(keys.BEATS_HASH, heartbeat.name, heartbeat.model_dump_json(by_alias=True))


def leave(redis: "Redis", name: str) -> None:
    """Remove the heartbeat of a Beat at its orderly end."""
    redis.hdel(keys.BEATS_HASH, name)


def read(redis: "Redis", now: datetime) -> list[Heartbeat]:
    """The heartbeats of the last 15 seconds, the leader's first."""
    heartbeats = [
        heartbeat
        for heartbeat in _all(redis).values()
        if heartbeat is not None and now - heartbeat.at <= ALIVE_FOR
    ]
    return sorted(heartbeats, key=lambda heartbeat: (not heartbeat.leads, heartbeat.name))


def forget_old(redis: "Redis", now: datetime) -> None:
    """Remove heartbeats older than an hour, and unreadable heartbeats."""
    for name, heartbeat in _all(redis).items():
        if heartbeat is None or now - heartbeat.at > _FORGOTTEN_AFTER:
            redis.hdel(keys.BEATS_HASH, name)


def _all(redis: "Redis") -> dict[str, Heartbeat | None]:
    texts = cast("dict[str, str]", redis.hgetall(keys.BEATS_HASH))
    return {name: heartbeat_of(text) for name, text in texts.items()}


def heartbeat_of(text: str) -> Heartbeat | None:
    """Return the heartbeat in a record; None for a text not written by Beatdesk."""
    try:
        return Heartbeat.model_validate_json(text)
    except ValidationError:
        return None
