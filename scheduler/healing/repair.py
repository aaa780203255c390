"""Writes the repairs of entries, by a script that compares every byte with the entry as read.

A faster write by an operator or Beat therefore wins.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from scheduler.errors import UnreadableEntry
from scheduler.events.schema import FIELD, encode
from scheduler.healing import reconcile, repairs
from scheduler.healing.look import Finding, Look, portions
from scheduler.healing.notices import Repair
from scheduler.healing.reconcile import What
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.schedules.changes import Change
from scheduler.schedules.raw_entry import RawEntry, remains_of
from scheduler.schedules.reads import Listing
from scheduler.storage import keys
from scheduler.storage.entry_fields import entry_arguments
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.definitions import Definitions

log = logging.getLogger(__name__)

PLANNED = {
    What.RESTORE: "put back as it was saved",
    What.DELETE: "delete again",
    What.DROPPED: "tell the history that code has dropped it",
    What.TELL: "tell the history",
}
"""The planned repairs, in words."""

_DONE = {
    What.RESTORE: "put back as it was saved",
    What.DELETE: "deleted again",
    What.DROPPED: "dropped by code",
    What.BURIED: "left deleted",
    What.TELL: "recovered for the history",
}


class Write(NamedTuple):
    """The fields to store in place of an entry as found."""

    found: RawEntry
    raw: Raw
    score: float
    event: str = ""
    static: bool = False


class Repaired(NamedTuple):
    """The repairs made. `was_late` is true where another writer was faster for a finding."""

    done: list[Repair]
    was_late: bool


class Repairer:
    """Carries out the decisions of `reconcile`."""

    def __init__(
        self, redis: "Redis", stream: "EventStream", definitions: "Definitions", look: Look
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._definitions = definitions
        self._look = look
        self._listing = Listing(redis)
        self._heal = redis.register_script(script_text(__package__, "heal.lua"))

    def repair(self, findings: list[Finding], now: datetime) -> Repaired:
        """Carry out the action of each finding. Raises redis.RedisError or an error of SQL."""
        done: list[Repair] = []
        was_late = False
        for part in portions(findings):
            planned = list(self._changes(part, now))
            writes = [_write_of(one.stored, change) for one, change in planned if change]
            answers = iter(self._write(writes))
            for finding, change in planned:
                if change is None:
                    self._stream.append(repairs.recovered(finding.stored.decode(), now))
                    self._look.remember(finding.stored.name, finding.stored.raw)
                elif next(answers):
                    self._look.remember(finding.stored.name, change.raw)
                else:
                    was_late = True
                    continue
                done.append(_repair_of(finding))
        return Repaired(done, was_late)

    def remind(self, now: datetime) -> int:
        """Write ticks from the history into Beat's metadata, where missing.

        Returns the number of entries written. Raises redis.RedisError or an error of SQL.
        """
        reminded = 0
        for names in portions(self._listing.names()):
            found = [
                (one, entry) for one in self._listing.read_all(names) if (entry := _readable(one))
            ]
            ticks = self._definitions.last_ticks({entry.schedule.uid for _, entry in found})
            writes = []
            for one, entry in found:
                raw_and_score = repairs.reminded(entry, one.raw, ticks, now)
                if raw_and_score is not None:
                    writes.append(Write(one, *raw_and_score))
            reminded += sum(self._write(writes))
        return reminded

    def _changes(
        self, findings: list[Finding], now: datetime
    ) -> Iterator[tuple[Finding, Change | None]]:
        """Yield the change for each finding; None where only the history needs an event."""
        wanted = [
            finding.fact
            for finding in findings
            if finding.verdict.what in (What.RESTORE, What.DROPPED, What.BURIED)
        ]
        definitions = self._definitions.definitions([fact.key for fact in wanted])
        ticks = self._definitions.last_ticks([fact.uid for fact in wanted])
        for finding in findings:
            verdict = finding.verdict
            stored = finding.stored
            if verdict.what is What.TELL:
                yield finding, None
                continue
            fact = finding.fact
            if verdict.what is What.DELETE:
                schedule = stored.schedule() or remains_of(stored)
                yield finding, repairs.delete_again(schedule, fact, verdict.why, now)
                continue
            saved = reconcile.saved_schedule(definitions.get(fact.key))
            if saved is None:
                log.error(
                    "schedule %r cannot be put back: its revision cannot be read by this version",
                    fact.name,
                )
                continue
            if verdict.what is What.DROPPED:
                yield finding, repairs.dropped(saved, fact, now)
                continue
            if verdict.what is What.BURIED:
                yield finding, repairs.buried(saved, fact, verdict.buried, now)
                continue
            runs = self._definitions.run_count(fact.uid) if saved.window.max_runs else None
            last = ticks.get(fact.uid)
            yield (
                finding,
                repairs.put_back(saved, stored, verdict.why, last_tick=last, runs=runs, now=now),
            )

    def _write(self, writes: Sequence[Write]) -> list[bool]:
        """Write, in a single round trip. False for each entry where another writer was faster."""
        if not writes:
            return []
        with self._redis.pipeline(transaction=False) as pipe:
            for write in writes:
                self._heal(
                    keys=[
                        keys.entry(write.found.name),
                        keys.SCHEDULE_ZSET,
                        keys.EVENTS_STREAM,
                        keys.STATICS_SET,
                    ],
                    args=[
                        *entry_arguments(write.found.raw),
                        "0" if write.found.score is None else "1",
                        *entry_arguments(write.raw),
                        repr(write.score),
                        FIELD,
                        write.event,
                        keys.WAKE_CHANNEL,
                        write.found.name,
                        "1" if write.static else "0",
                        "1" if write.found.static else "0",
                    ],
                    client=pipe,
                )
            return [bool(answer) for answer in pipe.execute()]


def _repair_of(finding: Finding) -> Repair:
    """Return the repair made for a finding, and log the repair."""
    name = finding.stored.name
    verdict = finding.verdict
    log.warning("schedule %r: %s; %s", name, verdict.why, _DONE[verdict.what])
    return Repair(name, _DONE[verdict.what], verdict.why)


def _write_of(found: RawEntry, change: Change) -> Write:
    is_static = change.schedule.origin == "code"
    return Write(found, change.raw, change.score, encode(change.event)[FIELD], is_static)


def _readable(stored: RawEntry) -> StoredSchedule | None:
    try:
        return stored.decode()
    except UnreadableEntry:
        return None
