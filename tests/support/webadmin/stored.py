"""All that is stored, for tests that compare it before and after."""

from typing import Any

from redis import Redis
from sqlalchemy import MetaData, select

from scheduler.services.services import Services


def everything(services: Services, redis: Redis) -> dict[str, Any]:
    """All of Redis but the counts of logins, and all of SQL."""
    tables = MetaData()
    tables.reflect(services.engine)
    with services.engine.connect() as connection:
        rows = {
            name: connection.execute(select(table)).all() for name, table in tables.tables.items()
        }
    raw = Redis.from_url(services.settings.redis_url)
    values = {
        key: _value(raw, key)
        for key in sorted(raw.keys())
        if not key.startswith(b"beatdesk:limits")
    }
    return {**rows, "redis": values}


def _value(raw: Any, key: bytes) -> Any:
    """What a key holds, however the server packs it (SORT makes it pack a sorted set anew)."""
    return raw.zrange(key, 0, -1, withscores=True) if raw.type(key) == b"zset" else raw.dump(key)
