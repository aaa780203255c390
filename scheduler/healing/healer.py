"""Looks at all entries every few seconds, and repairs what Redis has lost: emptied, set back, or
damaged.

    fingerprints of all entries ─▶ those that changed ─▶ read ─▶ has the history heard of all that came before?
                                                                 └▶ decide (`reconcile`) ─▶ repair (`heal.lua`)

The order is what makes it safe: the entries are read first, then the stream is seen to have passed
the end that it had after that, then the history is asked. So an edit or a deletion is never taken
for damage, and what changes after the entry was read makes the script refuse, which compares every
byte. One recorder looks at a time; two would do no harm.

Beat's own memory changes with each tick, and is compared when Beat asks for it, at its start
(`vouching`).

While SQL or Redis is away, nothing is decided. Must not publish messages, nor decide anything about
entries itself.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.clock import utc_now
from scheduler.errors import Unavailable, UnreadableEntry
from scheduler.events.schema import FIELD, encode
from scheduler.healing import (
    reconcile,
    repairs,
    startup_check,
    wait_for_history,
)
from scheduler.healing.calendar_healer import CalendarFinding, CalendarHealer
from scheduler.healing.notices import Notices, Repair
from scheduler.healing.reconcile import Book, Damage, What
from scheduler.history import outage
from scheduler.history.views import Saved
from scheduler.redbeat import static_set
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.redbeat.fingerprints import NOTHING, Fingerprints, fingerprint
from scheduler.schedules.changes import Change
from scheduler.schedules.reads import (
    CHUNK,
    Listing,
    RawEntry,
    remains_of,
)
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.entry_fields import entry_arguments
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.definitions import Definitions

log = logging.getLogger(__name__)

EVERY = 3.5
"""Seconds between two looks at everything."""

GLANCE_EVERY = 0.5
"""Seconds between two glances at how many entries there are: an emptied Redis is seen at once."""

_LOCK_MS = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)
_RACES = 3
"""How often a look is repeated at once where somebody was quicker."""


@dataclass(frozen=True)
class Finding:
    """An entry that is not as it should be, and what is to be done."""

    stored: RawEntry
    verdict: Damage


class Write(NamedTuple):
    """What is to stand in place of what was found."""

    found: RawEntry
    raw: Raw
    score: float
    event: str = ""
    static: bool = False


class Healer:
    """One healer. `name` tells who it is among those that take turns."""

    def __init__(
        self,
        redis: "Redis",
        stream: "EventStream",
        definitions: "Definitions",
        calendars: CalendarHealer,
        name: str,
    ) -> None:
        self._redis = redis
        self._calendars = calendars
        self._stream = stream
        self._definitions = definitions
        self._name = name
        self._listing = Listing(redis)
        self._prints = Fingerprints(redis)
        self._heal = redis.register_script(script_text(__package__, "heal.lua"))
        self._notices = Notices(redis)
        self._wait = threading.Event()
        self._book = Book()
        self._read_to = self._heard_to = 0
        self._well: dict[str, str] = {}
        self._looked_at = _NEVER

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Outlives Redis and SQL being away."""
        problem = None
        self._wait = stop
        while not stop.wait(GLANCE_EVERY):
            try:
                if self._is_my_turn():
                    self._glance(utc_now())
                problem = None
            except wait_for_history.Behind as error:
                self._looked_at = _NEVER
                log.debug("healing waits: %s", error)
            except Unavailable as error:
                if problem != str(error):
                    log.warning("schedules are not watched: %s", error)
                problem = str(error)
            except Exception:
                log.exception("schedules could not be compared with the history; tried again")
                self._forget()

    def run_once(self, now: datetime) -> list[Repair]:
        """One look, and all repairs that it calls for. Raises Unavailable while Redis or SQL cannot
        serve.
        """
        with answering(), outage.answering():
            done: list[Repair] = []
            calendars = self._calendars.findings(self._wait_for_history)
            for _ in range(_RACES):
                found, well = self._look()
                done += self._calendars.repair(calendars, now)
                calendars = []
                self._well = {**well, **dict.fromkeys((one.stored.name for one in found), "")}
                was_late = self._repair(found, now, done)
                if not was_late:
                    break
            if done:
                self._notices.add(done, now)
        return done

    def findings(self) -> list[Finding]:
        """What a look at all schedules would repair; changes nothing."""
        with answering(), outage.answering():
            self._forget()
            return self._look()[0]

    def calendar_findings(self) -> list[CalendarFinding]:
        """What a look at all calendars would repair; changes nothing."""
        with answering(), outage.answering():
            self._calendars.forget()
            return self._calendars.findings(self._wait_for_history)

    def remind(self, now: datetime) -> int:
        """Tell Beat's memory of ticks that the history has heard of, and that it lacks. How many
        entries it lacked.
        """
        reminded = 0
        with answering(), outage.answering():
            for names in _parts(self._listing.names(), CHUNK):
                found = [
                    (one, entry)
                    for one in self._listing.read_all(names)
                    if (entry := _readable(one))
                ]
                ticks = self._definitions.last_ticks({entry.schedule.uid for _, entry in found})
                writes = []
                for one, entry in found:
                    raw_and_score = repairs.reminded(entry, one.raw, ticks, now)
                    if raw_and_score is not None:
                        writes.append(Write(one, *raw_and_score))
                reminded += sum(self._run(writes))
        if reminded:
            log.warning(
                "Beat was about to fire ticks of %d schedules again; they are marked as fired",
                reminded,
            )
        return reminded

    def _forget(self) -> None:
        """Begin anew: trust no earlier look."""
        self._book = Book()
        self._read_to = self._heard_to = 0
        self._well = {}

    def _look(self) -> tuple[list[Finding], dict[str, str]]:
        """Everything that is wrong, and the fingerprints of what is well."""
        if self._definitions.newest_key() < self._heard_to:
            log.warning("the history lacks what it had; everything is compared anew")
            self._forget()
        if not self._heard_to:
            self._hear()
        prints = self._prints.read()
        suspects = {name for name, print_ in prints.items() if self._well.get(name) != print_}
        suspects |= self._well.keys() - prints.keys()
        suspects |= {name for name in self._book.living() if name not in prints}
        if not suspects:
            return [], prints
        stored = [
            one for part in _parts(sorted(suspects), CHUNK) for one in self._listing.read_all(part)
        ]
        self._wait_for_history()
        self._hear()
        spoken = static_set.has_spoken(self._redis)
        found = list(
            self._compared(
                Finding(one, reconcile.decide(one, self._book, spoken)) for one in stored
            )
        )
        return found, prints

    def _hear(self) -> None:
        """Read on in the history. A little of the last time is read again: keys are not committed
        in their order.
        """
        facts = self._definitions.facts(self._read_to)
        self._book.take(facts)
        self._read_to, self._heard_to = (
            self._heard_to,
            max([self._heard_to, *(fact.key for fact in facts)]),
        )

    def _compared(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings that call for something, once contents are compared where that is what
        matters.
        """
        compare: list[Finding] = []
        for finding in findings:
            if finding.verdict.what is What.COMPARE:
                compare.append(finding)
            elif finding.verdict.what is not What.LEAVE:
                yield finding
        for part in _parts(compare, CHUNK):
            saved = self._definitions.definitions([_fact(finding).key for finding in part])
            for finding in part:
                schedule, definition = finding.stored.schedule(), saved.get(_fact(finding).key)
                if schedule is not None and not reconcile.same_content(schedule, definition):
                    yield Finding(
                        finding.stored, Damage(What.RESTORE, finding.verdict.why, _fact(finding))
                    )

    def _repair(self, findings: list[Finding], now: datetime, done: list[Repair]) -> bool:
        """Do what is to be done, and note it in `done`. True where somebody was quicker."""
        was_late = False
        for part in _parts(findings, CHUNK):
            planned = list(self._changes(part, now))
            writes = [
                _write_of(finding.stored, change)
                for finding, change in planned
                if change is not None
            ]
            answers = iter(self._run(writes))
            for finding, change in planned:
                name, verdict = finding.stored.name, finding.verdict
                if change is None:
                    self._stream.append(repairs.told(finding.stored.decode(), now))
                    self._note(name, finding.stored.raw)
                elif next(answers):
                    self._note(name, change.raw)
                else:
                    was_late = True
                    continue
                log.warning("schedule %r: %s; %s", name, verdict.why, _DONE[verdict.what])
                done.append(Repair(name, _DONE[verdict.what], verdict.why))
        return was_late

    def _note(self, name: str, written: Raw) -> None:
        """Remember an entry as it was left, so that a repair is never done over and over."""
        if written == NOTHING:
            self._well.pop(name, None)
        else:
            self._well[name] = fingerprint(written)

    def _changes(
        self, findings: list[Finding], now: datetime
    ) -> Iterator[tuple[Finding, Change | None]]:
        """What is to be written for each; none where only the history is to be told."""
        wanted = [
            _fact(finding)
            for finding in findings
            if finding.verdict.what in (What.RESTORE, What.DROPPED)
        ]
        definitions = self._definitions.definitions([fact.key for fact in wanted])
        ticks = self._definitions.last_ticks([fact.uid for fact in wanted])
        for finding in findings:
            verdict, stored = finding.verdict, finding.stored
            if verdict.what is What.TELL:
                yield finding, None
            elif verdict.what is What.DELETE:
                schedule = stored.schedule() or remains_of(stored)
                yield finding, repairs.delete_again(schedule, _fact(finding), verdict.why, now)
            else:
                fact = _fact(finding)
                saved = reconcile.saved_schedule(definitions.get(fact.key))
                if saved is None:
                    log.error(
                        "schedule %r cannot be put back: its revision cannot be read by this "
                        "version",
                        fact.name,
                    )
                    continue
                if verdict.what is What.DROPPED:
                    yield finding, repairs.dropped(saved, fact, now)
                    continue
                runs = self._definitions.run_count(fact.uid) if saved.window.max_runs else None
                last = ticks.get(fact.uid)
                yield (
                    finding,
                    repairs.put_back(
                        saved, stored, verdict.why, last_tick=last, runs=runs, now=now
                    ),
                )

    def _run(self, writes: Sequence[Write]) -> list[bool]:
        """Write, in one round trip. False for each where somebody else was quicker."""
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

    def _wait_for_history(self) -> None:
        wait_for_history.wait_for_history(self._stream, self._wait)

    def _glance(self, now: datetime) -> None:
        """Look, if it is time or if Beat asks."""
        with answering(), outage.answering():
            question = startup_check.asked(self._redis)
        if question is not None:
            self.run_once(now)
            self.remind(now)
            startup_check.answer(self._redis, question)
        elif self._is_time(now):
            self.run_once(now)

    def _is_time(self, now: datetime) -> bool:
        """Whether the last look is long ago, or there are more or fewer entries than there were."""
        with answering():
            entries = self._redis.zcard(keys.SCHEDULE_ZSET)
        is_time = entries != len(self._well) or now - self._looked_at >= timedelta(seconds=EVERY)
        if is_time:
            self._looked_at = now
        return is_time

    def _is_my_turn(self) -> bool:
        """Hold the lock, or take it."""
        with answering():
            if self._redis.set(keys.HEALER_LOCK, self._name, nx=True, px=_LOCK_MS):
                return True
            if self._redis.get(keys.HEALER_LOCK) != self._name:
                self._forget()
                return False
            self._redis.pexpire(keys.HEALER_LOCK, _LOCK_MS)
            return True


PLANNED = {
    What.RESTORE: "put back as it was saved",
    What.DELETE: "delete again",
    What.DROPPED: "tell the history that code has dropped it",
    What.TELL: "tell the history",
}

_DONE = {
    What.RESTORE: "put back as it was saved",
    What.DELETE: "deleted again",
    What.DROPPED: "dropped by code",
    What.TELL: "recovered for the history",
}


def _write_of(found: RawEntry, change: Change) -> Write:
    static = change.schedule.origin == "code"
    return Write(found, change.raw, change.score, encode(change.event)[FIELD], static)


def _readable(stored: RawEntry) -> StoredSchedule | None:
    try:
        return stored.decode()
    except UnreadableEntry:
        return None


def _fact(finding: Finding) -> Saved:
    """The history's word; decisions that need it have it."""
    fact = finding.verdict.fact
    if fact is None:
        raise UnreadableEntry(f"nothing is known of {finding.stored.name!r}")
    return fact


def _parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
