"""Facts about entries, cached in a long-lived process, so that a filtered list reads few entries.

    request for a list ─▶ announced changes ─▶ changed entries are read again
                                             ─▶ names that may pass the filters

Redis announces each changed key (`client_tracking`) before the reply to any later command. A cached
fact is therefore never older than its entry, and nobody waits. Facts only choose the entries to
read. Where Redis does not track keys, or does not answer here, no fact is used and a list reads all
entries.
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
from scheduler.storage.waiting_time import acquire

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

CHUNK = 500
"""Entries read in a round trip."""

_FIELDS = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
_SPARE = 1000


class ListCache:
    """The facts of a process. Any number of threads may call; calls run in turn."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._facts: dict[str, Fact] = {}
        self._statics: frozenset[str] = frozenset()
        self._logged_error: str | None = None

    def __len__(self) -> int:
        """Return the number of entries with a fact."""
        return len(self._facts)

    def passing(self, names: Sequence[str], filters: Filter) -> list[str] | None:
        """Return the names that may pass the filters, in the given order.

        None where no facts are available, so that every entry must be read.
        """
        if not acquire(self._lock):
            return None
        try:
            aside = self._refresh(names)
            self._logged_error = None
            return self._passing(names, filters, aside)
        except RedisError as error:
            self._begin_anew()
            self._tell(error)
            return None
        except BaseException:
            self._begin_anew()
            raise
        finally:
            self._lock.release()

    def _passing(self, names: Sequence[str], filters: Filter, aside: frozenset[str]) -> list[str]:
        facts = self._facts
        return [name for name in names if may_pass(facts[name], filters, is_aside=name in aside)]

    def _refresh(self, names: Sequence[str]) -> frozenset[str]:
        """Bring the facts of `names` up to date. Returns the names in Beat's quarantine."""
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
        if watch.all_changed:
            self._facts_are_old(watch)
        if len(self._facts) > 2 * count + _SPARE:  # facts of many deleted entries
            self._facts.clear()
        watch.changed.update(keys.entry(name) for name in statics ^ self._statics)
        self._statics = statics
        stale = [
            name for name in names if name not in self._facts or keys.entry(name) in watch.changed
        ]
        for begin in range(0, len(stale), CHUNK):
            self._read(watch, stale[begin : begin + CHUNK])
        return frozenset(aside)

    def _read(self, watch: Watch, names: Sequence[str]) -> None:
        """Read entries again. A change announced after a reply makes the entry stale again."""
        answers = watch.ask([("HMGET", keys.entry(name), *_FIELDS) for name in names])
        for name, answer in zip(names, answers, strict=True):
            watch.changed.discard(keys.entry(name))
            raw = Raw(None, None, None) if isinstance(answer, RedisError) else Raw(*answer)
            self._facts[name] = fact(
                name, raw, static=name in self._statics, earlier=self._facts.get(name)
            )

    def _facts_are_old(self, watch: Watch) -> None:
        """Mark every fact as stale, where the changed keys are not reported."""
        watch.changed.update(map(keys.entry, self._facts))
        watch.all_changed = False

    def _begin_anew(self) -> None:
        """Close the connection; the next request opens another. Facts stay: most remain true."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _tell(self, error: RedisError) -> None:
        """Log once why lists are slow."""
        if self._logged_error != str(error):
            log.warning(
                "lists with filters read everything, because the server does not report changed "
                "keys: %s",
                error,
            )
        self._logged_error = str(error)


def _checked(answer: Any) -> Any:
    """Return the reply to a command about all entries. Raises RedisError for an error reply."""
    if isinstance(answer, RedisError):
        raise answer
    return answer
