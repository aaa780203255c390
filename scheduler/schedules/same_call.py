"""Index of schedules by call (job and arguments), for a form that warns of duplicates.

Redis computes fingerprints of all entries, and only entries with another fingerprint are read
again. A refresh happens at most every five seconds, since the form asks while an operator types.
"""

import json
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scheduler.errors import UnreadableEntry
from scheduler.redbeat.fingerprints import Fingerprints
from scheduler.rules.model.spec import Spec
from scheduler.schedules.raw_entry import RawEntry
from scheduler.schedules.reads import CHUNK, Listing
from scheduler.storage.availability import answering
from scheduler.storage.waiting_time import acquire

if TYPE_CHECKING:
    from redis import Redis

FRESH = timedelta(seconds=5)
MOST = 50
"""The most schedules that a warning compares; nobody reads longer lists of names."""


class SameCall:
    """The index. Safe for threads: one thread refreshes, the others use the index as it stands."""

    def __init__(self, redis: "Redis") -> None:
        self._listing = Listing(redis)
        self._prints = Fingerprints(redis)
        self._lock = threading.Lock()
        self._calls: dict[str, tuple[str, str]] = {}
        """Name -> fingerprint and call."""

        self._names: dict[str, set[str]] = {}
        """Call -> names."""

        self._read_at: datetime | None = None

    def others(self, spec: Spec, now: datetime) -> list[Spec]:
        """Return the other schedules with the same call, at most `MOST`, in order of names."""
        self._refresh(now)
        names = sorted(self._names.get(_call(spec.job, spec.args, spec.kwargs), ()))
        found = self._listing.read_all([name for name in names if name != spec.name][:MOST])
        return [schedule.spec() for stored in found if (schedule := stored.schedule()) is not None]

    def _refresh(self, now: datetime) -> None:
        if self._read_at is not None and abs(now - self._read_at) <= FRESH:
            return
        is_mine = acquire(self._lock) if self._read_at is None else self._lock.acquire(False)
        if not is_mine:
            return
        try:
            if self._read_at is None or abs(now - self._read_at) > FRESH:
                self._read()
                self._read_at = now
        finally:
            self._lock.release()

    def _read(self) -> None:
        """Read the entries that have changed since the last refresh."""
        with answering():
            prints = self._prints.read()
        for name in self._calls.keys() - prints.keys():
            self._forget(name)
        changed = [
            name for name, print_ in prints.items() if self._calls.get(name, ("", ""))[0] != print_
        ]
        for begin in range(0, len(changed), CHUNK):
            for stored in self._listing.read_all(changed[begin : begin + CHUNK]):
                self._forget(stored.name)
                call = call_of(stored)
                self._calls[stored.name] = (prints[stored.name], call)
                self._names.setdefault(call, set()).add(stored.name)

    def _forget(self, name: str) -> None:
        _, call = self._calls.pop(name, ("", ""))
        names = self._names.get(call, set())
        names.discard(name)
        if not names:
            self._names.pop(call, None)


def call_of(stored: RawEntry) -> str:
    """Return the call of an entry, '' for an unreadable entry.

    Only static entries are decoded in full: to decode ten thousand entries takes a second.
    """
    try:
        if stored.static:
            schedule = stored.decode().schedule  # an override may replace the definition
            return _call(schedule.job, schedule.args, schedule.kwargs)
        definition = json.loads(stored.raw.definition or "")
        return _call(
            definition["task"], definition.get("args") or [], definition.get("kwargs") or {}
        )
    except (UnreadableEntry, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _call(job: str, args: Any, kwargs: Any) -> str:
    return json.dumps([job, args, kwargs], sort_keys=True)
