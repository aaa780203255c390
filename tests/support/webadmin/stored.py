"""All that is stored, for tests that compare it before and after."""

from typing import Any

from redis import Redis
from sqlalchemy import MetaData, select

from scheduler.services.services import Services
from scheduler.storage import keys


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
    """What a key holds, however the server packs it (SORT makes it pack a sorted set anew).

    Events are those but exports: a file that is taken out by GET leaves a row in the access log.
    """
    if key == keys.EVENTS_STREAM.encode():
        events = [fields for _, fields in raw.xrange(key)]
        return [fields for fields in events if b'"access.exported"' not in fields[b"event"]]
    return raw.zrange(key, 0, -1, withscores=True) if raw.type(key) == b"zset" else raw.dump(key)
