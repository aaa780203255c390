"""What `beatdesk doctor` checks beyond `status`: how the servers are set up, not only whether they
answer.

Each check is a part with a remedy. Asks, changes nothing.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError, ResponseError

from scheduler.errors import Refused
from scheduler.health import status
from scheduler.health.broker import broker
from scheduler.health.status import Part
from scheduler.services.services import Services
from scheduler.settings import user_modules
from scheduler.settings.errors import PREFIX
from scheduler.settings.schema import Settings

EVICTION = "redis eviction"
OLDEST_PYTHON = (3, 11)
OLDEST_REDIS = (6, 2)
"""XAUTOCLAIM came with it."""


def check_all(services: Services, now: datetime) -> list[Part]:
    """Everything a run needs, in the order in which a run meets it."""
    state = status.status(services, now)
    parts = [python(), settings(services.settings), own_modules(Path.cwd()), state.redis]
    if state.redis.ok:
        parts += [redis_version(state.redis), *redis_setup(services)]
    parts.append(broker(services))
    parts += [lock_timeout(services.settings), healing(services.settings)]
    return [*parts, state.sql, state.beat, state.workers, state.recorder]


def python() -> Part:
    """Is Python new enough?"""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= OLDEST_PYTHON
    return Part(
        name="python", ok=ok, summary=version, remedy="" if ok else "Use Python 3.11 or newer"
    )


def own_modules(folder: Path) -> Part:
    """Does a module in the working folder have the name of one of Beatdesk's packages?"""
    found = user_modules.collisions(folder)
    return Part(
        name="own modules",
        ok=not found,
        summary=", ".join(str(each.path) for each in found) or "none has a name of Beatdesk's",
        remedy=". ".join(map(str, found)),
    )


def settings(settings: Settings) -> Part:
    """The settings could be read; which of them are not the default?"""
    changed = sorted(settings.model_fields_set - {"data_dir", "secret_key"})
    said = ", ".join(PREFIX + name.upper() for name in changed) or "all default"
    return Part(
        name="settings",
        ok=True,
        summary=f"{settings.environment}; {said}; data in {settings.data_dir}",
    )


def healing(settings: Settings) -> Part:
    """Does anybody put back what Redis loses? That it is switched off is somebody's choice, and is
    said.
    """
    off = (
        f"switched off by {PREFIX}HEALING: what Redis loses stays lost until `beatdesk schedules "
        "rebuild`"
    )
    return Part(name="healing", ok=True, summary="on" if settings.healing else off)


def redis_version(redis: Part) -> Part:
    """Does the server know the commands that we use? Every Valkey does."""
    numbers = tuple(
        int(number) for number in str(redis.facts["version"]).split(".")[:2] if number.isdecimal()
    )
    ok = redis.facts["product"] == "Valkey" or numbers >= OLDEST_REDIS
    remedy = "" if ok else "Use Valkey, or Redis 6.2 or newer"
    return Part(
        name="redis version",
        ok=ok,
        summary=f"{redis.facts['product']} {redis.facts['version']}",
        remedy=remedy,
    )


def redis_setup(services: Services) -> list[Part]:
    """Does the server keep what it is given? Managed servers may not say; that is no fault."""
    try:
        said: dict[Any, Any] = {
            **services.redis.config_get("maxmemory*"),
            **services.redis.config_get("append*"),
        }
        memory: dict[Any, Any] = services.redis.info("memory")
    except ResponseError as error:
        return [
            Part(
                name="redis set-up",
                ok=True,
                summary=f"the server does not say how it is set up: {error}",
            )
        ]
    except RedisError as error:
        return [Part(name="redis set-up", ok=False, summary=str(error), remedy="Run doctor again")]
    return [eviction(said, memory), append_only(said)]


def refuse_eviction(services: Services) -> None:
    """Production does not start on a server that evicts."""
    for part in redis_setup(services) if services.settings.environment == "production" else ():
        if part.name == EVICTION and not part.ok:
            raise Refused(
                f"Redis evicts what it is given ({part.summary}). {part.remedy}", field="redis_url"
            )


def eviction(said: dict[Any, Any], memory: dict[Any, Any]) -> Part:
    """A server that evicts loses schedules and queued runs without a word."""
    policy = str(said.get("maxmemory-policy") or memory.get("maxmemory_policy") or "unknown")
    limit = int(said.get("maxmemory") or memory.get("maxmemory") or 0)
    ok = policy in ("noeviction", "unknown") or limit == 0
    remedy = (
        ""
        if ok
        else (
            "CONFIG SET maxmemory-policy noeviction, and the same in the server's configuration "
            "file"
        )
    )
    facts = {"policy": policy, "maxmemory": limit}
    return Part(
        name=EVICTION, ok=ok, summary=f"{policy}, maxmemory {limit}", remedy=remedy, facts=facts
    )


def append_only(said: dict[Any, Any]) -> Part:
    """Schedules live in this server and must survive its restart."""
    ok = said.get("appendonly") == "yes"
    summary = (
        f"appendonly {said.get('appendonly', 'unknown')}, fsync "
        f"{said.get('appendfsync', 'unknown')}"
    )
    remedy = (
        "" if ok else "CONFIG SET appendonly yes, and the same in the server's configuration file"
    )
    return Part(name="redis persistence", ok=ok, summary=summary, remedy=remedy)


def lock_timeout(settings: Settings) -> Part:
    """A stand-by waits that long; stock's default is 25 minutes."""
    seconds = settings.beat_lock_timeout
    ok = seconds <= 120
    remedy = "" if ok else f"Set {PREFIX}BEAT_LOCK_TIMEOUT to 10 or so"
    return Part(
        name="beat lock", ok=ok, summary=f"a stand-by takes over after {seconds} s", remedy=remedy
    )
