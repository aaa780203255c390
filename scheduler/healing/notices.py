"""Summaries of recent repairs, one per look with repairs. Redis keeps them for an hour.

Every repair is also a change in the history; the console shows the summaries.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scheduler.rules.phrases import counted
from scheduler.storage import keys, records

if TYPE_CHECKING:
    from redis import Redis

SHOWN_FOR = timedelta(hours=1)
MOST = 20
"""Most summaries in Redis."""

_NAMED = 3


@dataclass(frozen=True)
class Repair:
    """A repaired schedule, with the repair and the reason."""

    name: str
    done: str
    why: str


@dataclass(frozen=True)
class Notice:
    """The summary of a look."""

    at: datetime
    text: str


class Notices:
    """The summaries in Redis."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def add(self, repairs: Sequence[Repair], now: datetime) -> None:
        """Store the summary of a look at `now`. Raises redis.RedisError."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lpush(
                keys.NOTICES_LIST, json.dumps({"at": now.isoformat(), "text": summary(repairs)})
            )
            pipe.ltrim(keys.NOTICES_LIST, 0, MOST - 1)
            pipe.expire(keys.NOTICES_LIST, SHOWN_FOR)
            pipe.execute()

    def recent(self, now: datetime) -> list[Notice]:
        """Return the summaries of the last hour, newest first. Raises redis.RedisError."""
        texts: Any = self._redis.lrange(keys.NOTICES_LIST, 0, -1)
        notices = map(notice_of, texts)
        return [notice for notice in notices if notice is not None and now - notice.at <= SHOWN_FOR]


def summary(repairs: Sequence[Repair]) -> str:
    """Return the repairs of a look in a sentence or two. Pure."""
    groups: dict[str, list[Repair]] = {}
    for repair in repairs:
        groups.setdefault(repair.done, []).append(repair)
    return " ".join(_sentence(done, group) for done, group in groups.items())


def _sentence(done: str, group: Sequence[Repair]) -> str:
    named = ", ".join(repair.name for repair in group[:_NAMED])
    more = f" and {len(group) - _NAMED} more" if len(group) > _NAMED else ""
    why, times = Counter(repair.why for repair in group).most_common(1)[0]
    mostly = "" if times == len(group) else "mostly because "
    return f"{counted(len(group), 'schedule')} {done} ({mostly}{why}): {named}{more}."


def notice_of(text: str) -> Notice | None:
    """Return the summary in a record; None for a text not written by Beatdesk."""
    read = records.object_in(text) or {}
    at, words = records.moment_in(read.get("at")), records.text_in(read.get("text"))
    return None if at is None or words is None else Notice(at, words)
