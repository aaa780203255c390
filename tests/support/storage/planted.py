"""Foreign values under every key of Beatdesk's, as whoever may write to Redis can put them there."""

import json
from collections.abc import Iterator

from redis import Redis

from scheduler.storage import key_types
from tests.support.hostile import KINDS

UID = "00000000-0000-4000-8000-000000000000"
RUN = "0a3b"
FIELDS = (
    *("at", "since", "waiting", "name", "host", "pid", "worker", "actor", "text", "problem", "v"),
    *(
        "reason",
        "by",
        "until",
        "lag",
        "jobs",
        "queues",
        "why",
        "of",
        "parameters",
        "uid",
        "revision",
    ),
)
"""Names of fields in our records; each record of `records` has one value of another kind."""

GOOD = {
    "at": "2026-11-21T12:00:00+00:00",
    "since": "2026-11-21T12:00:00+00:00",
    "name": "n",
    "host": "h",
    "pid": 1,
    "waiting": 1,
    "actor": "a",
    "text": "t",
}
LINES = (
    *KINDS.values(),
    "",
    "no JSON",
    "\udcff",
    f"{UID} 1 @w 0 0 name",
    f"{UID} x @w 0 0 name",
    "- 1   0 nan  name",
    f"{UID} {'9' * 400} - 9 inf;%7B%22job%22%3A5%7D name",
    "2026-11-21T12:00:00Z",
    "0001-01-01T00:00:00+14:00 backfill x",
    "1 2",
)
"""Texts of no kind, of another kind, and of a lease or a tick with mistakes."""

SCORES = (float("-inf"), -1.0, 0.0, 5.0, 1e300, float("inf"))


def records() -> Iterator[str]:
    """Yield records with a foreign value in one field, and the lines."""
    yield from LINES
    for field in FIELDS:
        for kind in ('"x"', "null", "5", "[]", "{}", "1e400", '"2026-11-21T12:00:00"', '"\\ud800"'):
            yield json.dumps(GOOD | {field: "@"}).replace('"@"', kind)


def of_another_type(key: str) -> str:
    """Return a type that the key does not have."""
    return "list" if key_types.types()[key] == "string" else "string"


def put(redis: Redis, key: str, kind: str) -> None:
    """Plant foreign content of a type of Redis under a key, beside what is there of that type."""
    lines = [_stored(text) for text in LINES]
    texts = list(dict.fromkeys(map(_stored, records())))
    if redis.type(key) not in (kind, "none"):
        redis.delete(key)
    if kind == "string":
        redis.set(key, '{"at": []}')
    elif kind == "hash":
        redis.hset(key, mapping={f"foreign {at}": text for at, text in enumerate(texts)})
        redis.hset(key, mapping={text: text for text in lines})
        redis.hset(key, mapping={RUN: "no JSON", UID: "no JSON"})
    elif kind == "zset":
        redis.zadd(key, {text: SCORES[at % len(SCORES)] for at, text in enumerate(texts)})
    elif kind == "set":
        redis.sadd(key, *texts)
    elif kind == "list":
        redis.rpush(key, *texts)
    else:
        for text in lines:
            redis.xadd(key, {"event": text})
            redis.xadd(key, {"call": text, "error": text, "entry": text, "tries": text, "at": text})
            redis.xadd(key, {text: text})


def _stored(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
