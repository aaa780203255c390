"""What a process that lives on remembers of each entry, so that a list with filters reads what it
shows, and no more.

    a list is asked for ─▶ what has the server told? ─▶ what changed is read again
                                                        ─▶ names that may pass the filters

The server tells of each key that changes (`watching`), whoever has changed it, before it answers
what is asked after the change. So nothing is remembered longer than it is true, and nothing has to
be waited for. What is remembered only says which entries are worth reading. Where the server does
not tell, or does not answer here, nothing is remembered, and a list reads everything.
"""

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from scheduler.redbeat.codec import Raw
from scheduler.schedules.client_tracking import Watch
from scheduler.schedules.entry_summary import Fact, fact, may_pass
from scheduler.schedules.filters import Filter
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

CHUNK = 500
"""Entries that are read in one round trip."""

_FIELDS = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
_SPARE = 1000


class ListCache:
    """The facts of one process. Any number of threads may ask, one after the other."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._facts: dict[str, Fact] = {}
        self._statics: frozenset[str] = frozenset()
        self._told: str | None = None

    def __len__(self) -> int:
        """Of how many entries something is remembered."""
        return len(self._facts)

    def passing(self, names: Sequence[str], filters: Filter) -> list[str] | None:
        """Those of these names that may pass, in their order. None where nothing is known, and all
        must be read.
        """
        with self._lock:
            try:
                aside = self._refresh(names)
            except RedisError as error:
                self._begin_anew()
                self._tell(error)
                return None
            except BaseException:
                self._begin_anew()
                raise
            self._told = None
            facts = self._facts
            return [
                name for name in names if may_pass(facts[name], filters, is_aside=name in aside)
            ]

    def _refresh(self, names: Sequence[str]) -> frozenset[str]:
        """Bring the facts of these names up to date. Answers which entries Beat has set aside."""
        watch = self._watch
        if watch is None:
            watch = self._watch = Watch(self._redis)
            self._facts_are_old(watch)
        answers = watch.ask(
            [
                ("SMEMBERS", keys.STATICS_SET),
                ("HKEYS", keys.ASIDE_HASH),
                ("ZCARD", keys.SCHEDULE_ZSET),
            ]
        )
        statics, aside, count = [_checked(answer) for answer in answers]
        statics = frozenset(statics)
        if watch.all_told:
            self._facts_are_old(watch)
        if len(self._facts) > 2 * count + _SPARE:  # many have come and gone
            self._facts.clear()
        watch.told.update(keys.entry(name) for name in statics ^ self._statics)
        self._statics = statics
        stale = [
            name for name in names if name not in self._facts or keys.entry(name) in watch.told
        ]
        for begin in range(0, len(stale), CHUNK):
            self._read(watch, stale[begin : begin + CHUNK])
        return frozenset(aside)

    def _read(self, watch: Watch, names: Sequence[str]) -> None:
        """Read entries anew. What is told after an answer counts for that entry again."""
        answers = watch.ask([("HMGET", keys.entry(name), *_FIELDS) for name in names])
        for name, answer in zip(names, answers, strict=True):
            watch.told.discard(keys.entry(name))
            raw = Raw(None, None, None) if isinstance(answer, RedisError) else Raw(*answer)
            self._facts[name] = fact(
                name, raw, static=name in self._statics, known=self._facts.get(name)
            )

    def _facts_are_old(self, watch: Watch) -> None:
        """Read each entry again that is asked for, since it is not known which have changed."""
        watch.told.update(map(keys.entry, self._facts))
        watch.all_told = False

    def _begin_anew(self) -> None:
        """Watch by another connection next time. The facts stay: of most entries they will prove to
        be true.
        """
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _tell(self, error: RedisError) -> None:
        """Say once why lists are slow."""
        if self._told != str(error):
            log.warning(
                "lists with filters read everything, since the server does not tell what changes: "
                "%s",
                error,
            )
        self._told = str(error)


def _checked(answer: Any) -> Any:
    """The answer to what concerns all entries."""
    if isinstance(answer, RedisError):
        raise answer
    return answer
