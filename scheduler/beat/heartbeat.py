"""What each Beat of ours says of itself in Redis, once a second, for console, commands and
metrics.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from scheduler.publishing.calls import Way
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

ALIVE_FOR = timedelta(seconds=15)
_FORGOTTEN_AFTER = timedelta(hours=1)


class Heartbeat(BaseModel):
    """A Beat, as it was at `at` by the server's clock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    at: AwareDatetime
    host: str
    pid: int
    leads: bool
    epoch: int = 0
    way: Way | None = None
    lag: float = 0.0
    """Seconds since the longest due entry was due that could not be dealt with."""

    due: int = 0
    """How many such entries there are."""

    sent: int = 0
    """How many runs it has sent since it started."""

    waiting: int = 0
    """How many runs are in the outbox, not yet with the broker."""

    waiting_seconds: float = 0.0
    """For how long the first of them has been."""

    hindered: str = ""
    """Why nothing is published at the moment."""


def say(redis: "Redis", pulse: Heartbeat) -> None:
    """Write it down."""
    redis.hset(keys.BEATS_HASH, pulse.name, pulse.model_dump_json())


def leave(redis: "Redis", name: str) -> None:
    """A Beat that ends in order is no more."""
    redis.hdel(keys.BEATS_HASH, name)


def read(redis: "Redis", now: datetime) -> list[Heartbeat]:
    """The Beats that have been heard of lately, the leader first."""
    pulses = [
        pulse for pulse in _all(redis).values() if pulse is not None and now - pulse.at <= ALIVE_FOR
    ]
    return sorted(pulses, key=lambda pulse: (not pulse.leads, pulse.name))


def forget_old(redis: "Redis", now: datetime) -> None:
    """Take away what long dead Beats have said."""
    for name, pulse in _all(redis).items():
        if pulse is None or now - pulse.at > _FORGOTTEN_AFTER:
            redis.hdel(keys.BEATS_HASH, name)


def _all(redis: "Redis") -> dict[str, Heartbeat | None]:
    said = cast("dict[str, str]", redis.hgetall(keys.BEATS_HASH))
    return {name: _pulse(text) for name, text in said.items()}


def _pulse(text: str) -> Heartbeat | None:
    try:
        return Heartbeat.model_validate_json(text)
    except ValidationError:
        return None
