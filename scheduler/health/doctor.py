"""Checks of `beatdesk doctor` beyond `status`: the set-up of the servers, beside their answering.

Each check is a part with a remedy. Reads only.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError, ResponseError

from scheduler.errors import Refused
from scheduler.health import status
from scheduler.health.broker import broker
from scheduler.health.redis_sizes import redis_sizes
from scheduler.health.sql_in_time import sql_part_within
from scheduler.health.status import Part
from scheduler.history import outage
from scheduler.services.services import Services
from scheduler.settings import user_modules
from scheduler.settings.errors import PREFIX
from scheduler.settings.schema import Settings
from scheduler.storage.waiting_time import WaitingTime, limited_to

EVICTION = "redis eviction"
OLDEST_PYTHON = (3, 11)
OLDEST_REDIS = (6, 2)
"""The first version with XAUTOCLAIM."""

REDIS_SECONDS = 20.0
EACH_SECONDS = 5.0
SQL_SECONDS = 5.0

NEWEST_ROWS = 10_000
"""Rows of the access log that `doctor` compares with their digests."""


def check_all(services: Services, now: datetime) -> list[Part]:
    """Return every part that a run needs, in the order of a run's way from Beat to the history.

    Redis has REDIS_SECONDS for all its answers, the database SQL_SECONDS for its first ones.
    """
    with limited_to(WaitingTime(REDIS_SECONDS, each=EACH_SECONDS)):
        return _check_all(services, now)


def _check_all(services: Services, now: datetime) -> list[Part]:
    state = status.status(services, now, read_sql=sql_part_within(SQL_SECONDS))
    parts = [python(), settings(services.settings), own_modules(Path.cwd()), state.redis]
    if state.redis.ok:
        parts += [redis_version(state.redis), *redis_setup(services), _sizes(services)]
    parts.append(broker(services))
    parts += [lock_timeout(services.settings), healing(services.settings)]
    parts.append(state.sql)
    if state.sql.ok:
        parts.append(access_log(services))
    return [*parts, state.beat, state.workers, state.recorder]


def access_log(services: Services) -> Part:
    """Whether the newest rows of the access log are whole."""
    try:
        chain = services.access_history.verify(newest=NEWEST_ROWS)
    except Exception as error:
        reason = outage.reason(error)
        if reason is None:
            raise
        return Part(name="access log", ok=False, summary=reason, remedy="Run doctor again")
    summary = chain.fault or f"whole, {chain.rows} rows"
    remedy = (
        ""
        if chain.fault is None
        else "Compare it with the console's log lines and a backup; `beatdesk audit verify` "
        "compares all rows"
    )
    return Part(name="access log", ok=chain.fault is None, summary=summary, remedy=remedy)


def python() -> Part:
    """Whether Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= OLDEST_PYTHON
    return Part(
        name="python", ok=ok, summary=version, remedy="" if ok else "Use Python 3.11 or newer"
    )


def own_modules(folder: Path) -> Part:
    """Whether a module in the working folder has the name of one of Beatdesk's packages."""
    collisions = user_modules.collisions(folder)
    return Part(
        name="own modules",
        ok=not collisions,
        summary=", ".join(str(each.path) for each in collisions) or "none has a name of Beatdesk's",
        remedy=". ".join(map(str, collisions)),
    )


def settings(settings: Settings) -> Part:
    """Return environment, settings that differ from their defaults, and data folder."""
    changed = sorted(settings.model_fields_set - {"data_dir", "secret_key"})
    listed = ", ".join(PREFIX + name.upper() for name in changed) or "all default"
    return Part(
        name="settings",
        ok=True,
        summary=f"{settings.environment}; {listed}; data in {settings.data_dir}",
    )


def healing(settings: Settings) -> Part:
    """Return whether healing is on.

    Switching healing off is a choice: the part is well, and names the consequence.
    """
    off = (
        f"switched off by {PREFIX}HEALING: what Redis loses stays lost until `beatdesk schedules "
        "rebuild`"
    )
    return Part(name="healing", ok=True, summary="on" if settings.healing else off)


def redis_version(redis: Part) -> Part:
    """Return whether the server has all commands that Beatdesk uses. Every Valkey server has."""
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
    """Return the parts for the server's eviction and persistence.

    A managed server, or a login without the right, may hide the set-up, which is not a fault. INFO
    shows whether the server evicts then, too.
    """
    try:
        memory: dict[Any, Any] = services.redis.info("memory")
    except RedisError as error:
        return [_no_setup(error)]
    try:
        config: dict[Any, Any] = {
            **services.redis.config_get("maxmemory*"),
            **services.redis.config_get("append*"),
        }
    except RedisError as error:
        return [eviction({}, memory), _no_setup(error)]
    return [eviction(config, memory), append_only(config)]


def _no_setup(error: RedisError) -> Part:
    """The part of a server that does not show its set-up, or does not answer."""
    if isinstance(error, ResponseError):
        summary = f"the server does not say how it is set up: {error}"
        return Part(name="redis set-up", ok=True, summary=summary)
    return Part(name="redis set-up", ok=False, summary=str(error), remedy="Run doctor again")


def _sizes(services: Services) -> Part:
    try:
        return redis_sizes(services)
    except RedisError as error:
        return Part(name="redis sizes", ok=False, summary=str(error), remedy="Run doctor again")


def refuse_eviction(services: Services) -> None:
    """Refuse to start in production on a Redis that evicts keys. Raises Refused."""
    for part in redis_setup(services) if services.settings.environment == "production" else ():
        if part.name == EVICTION and not part.ok:
            raise Refused(
                f"Redis evicts what it is given ({part.summary}). {part.remedy}", field="redis_url"
            )


def eviction(config: dict[Any, Any], memory: dict[Any, Any]) -> Part:
    """Whether the server evicts, and so silently loses schedules and queued runs."""
    policy = str(config.get("maxmemory-policy") or memory.get("maxmemory_policy") or "unknown")
    limit = int(config.get("maxmemory") or memory.get("maxmemory") or 0)
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


def append_only(config: dict[Any, Any]) -> Part:
    """Whether schedules survive a restart of the server."""
    ok = config.get("appendonly") == "yes"
    summary = (
        f"appendonly {config.get('appendonly', 'unknown')}, fsync "
        f"{config.get('appendfsync', 'unknown')}"
    )
    remedy = (
        "" if ok else "CONFIG SET appendonly yes, and the same in the server's configuration file"
    )
    return Part(name="redis persistence", ok=ok, summary=summary, remedy=remedy)


def lock_timeout(settings: Settings) -> Part:
    """Whether a stand-by takes over soon enough; stock RedBeat's default is 25 minutes."""
    seconds = settings.beat_lock_timeout
    ok = seconds <= 120
    remedy = "" if ok else f"Set {PREFIX}BEAT_LOCK_TIMEOUT to 10 or so"
    return Part(
        name="beat lock", ok=ok, summary=f"a stand-by takes over after {seconds} s", remedy=remedy
    )
