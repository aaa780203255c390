"""The audit of the past: ticks without a row get a verdict.

A look counts the ticks between the last verified place and the newest row, and compares the number
with the ticks of the rows. Where the numbers differ, and after each change of a schedule, the rows
are compared with the ticks of the revisions, one by one (`holes`).
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.events.schema import TicksEvent
from scheduler.ledger.holes import Absence, Life, Row, Surroundings, holes
from scheduler.ledger.lives import Change, is_deleted
from scheduler.ledger.spans import GRACE
from scheduler.redbeat import codec, waiting
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Schedule, When
from scheduler.rules.ticks import count_ticks, has_computable_ticks, ticks_between
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.ledger import LedgerRows, TickRow
    from scheduler.history.queries.outages import Outages
    from scheduler.schedules.reads import Listing

log = logging.getLogger(__name__)

MOST_ROWS = 20_000
"""Most rows read in a look."""

MOST_COMPARED = 20
"""Most schedules compared tick by tick in a look."""

MOST_DOUBTS = 1000
"""Most ticks without a row whose leases are looked up in a comparison."""

MOST_ABSENCES = 200
MOST_WITHHELD = 1000

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class Audit:
    """The audit of a process."""

    def __init__(
        self,
        redis: "Redis",
        rows: "LedgerRows",
        stream: "EventStream",
        listing: "Listing",
        outages: "Outages",
    ) -> None:
        self._redis = redis
        self._rows = rows
        self._stream = stream
        self._listing = listing
        self._outages = outages
        self.forget()

    def forget(self) -> None:
        """Begin anew, where the last audit ended."""
        self._began: datetime | None = None
        self._key = 0
        self._right_until: dict[str, datetime] = {}
        self._whens: dict[str, tuple[str, When]] = {}
        self._unseen: dict[str, list[TickRow]] = {}
        self._suspects: dict[str, str] = {}
        self._advanced: dict[str, datetime] = {}
        self._absences: deque[Absence] = deque(maxlen=MOST_ABSENCES)
        self._withheld: deque[TicksEvent] = deque(maxlen=MOST_WITHHELD)

    def learn(self, entry: StoredSchedule) -> None:
        """Remember the rule of a schedule, unless only RedBeat computes its ticks."""
        schedule = entry.schedule
        when = codec.anchored(schedule.when, entry.meta)
        if has_computable_ticks(when):
            self._whens[schedule.uid] = (schedule.name, when)
        else:
            self._whens.pop(schedule.uid, None)

    def note_advance(self, name: str, now: datetime) -> None:
        """Expect a row: Beat has moved the due time of the schedule."""
        self._advanced.setdefault(name, now)

    def suspect(self, uid: str, name: str) -> None:
        """Have the ticks of a schedule compared with the rows, tick by tick, soon."""
        self._suspects[uid] = name

    def note_absence(self, began: datetime, until: datetime) -> None:
        """Record that no Beat led from `began` to `until`; the newest end of an absence counts."""
        if self._absences and self._absences[-1].began == began:
            self._absences.pop()
        self._absences.append(Absence(began, until))

    def run_once(self, now: datetime) -> int:
        """Run the audit once. Returns the number of appended verdicts."""
        if self._began is None:
            self._began = self._read_began(now)
            self._key = self._rows.key_before(self._began)
        self._read_rows()
        self._count()
        self._suspect_silent(now)
        written = self._compare_withheld(now)
        for uid in list(self._suspects)[:MOST_COMPARED]:
            name = self._suspects.pop(uid)
            written += self._compare(uid, name, now)
        if not self._suspects and not self._withheld:
            self._redis.set(keys.LEDGER_CHECKED, (now - GRACE).isoformat())
        return written

    def _read_began(self, now: datetime) -> datetime:
        """Return the start of the audit: the end of the last audit, at most a day ago.

        Without an earlier audit the start is `now`.
        """
        text: Any = self._redis.get(keys.LEDGER_CHECKED)
        try:
            began = datetime.fromisoformat(str(text))
        except ValueError:
            return now
        return max(min(began, now), now - _DAY)

    def _read_rows(self) -> None:
        self._key, rows = self._rows.since(self._key, MOST_ROWS)
        for row in rows:
            self._unseen.setdefault(row.uid, []).append(row)

    def _count(self) -> None:
        """Count ticks and rows of the schedules with new rows; suspect those with a difference."""
        for uid, rows in self._unseen.items():
            name, when = self._whens.get(uid, ("", None))
            self._advanced.pop(name, None)
            newest = max(row.last for row in rows)
            right = self._right_until.get(uid, self._began)
            if when is None or right is None:
                self._right_until[uid] = newest
                continue
            counted = sum(row.ticks for row in rows if row.first > right)
            if counted == count_ticks(when, right, newest, MOST_ROWS):
                self._right_until[uid] = max(newest, right)
            else:
                self.suspect(uid, name)
        self._unseen = {}

    def _suspect_silent(self, now: datetime) -> None:
        """Suspect schedules advanced by Beat without a new row."""
        silent = {name for name, since in self._advanced.items() if now - since > GRACE}
        if not silent:
            return
        for uid, (name, _) in self._whens.items():
            if name in silent:
                self.suspect(uid, name)
        for name in silent:
            del self._advanced[name]

    def _compare(self, uid: str, name: str, now: datetime) -> int:
        """Compare a schedule's ticks with the rows, and append the missing verdicts.

        Returns the number of verdicts.
        """
        right = self._right_until.get(uid, self._began or now)
        (stored,) = self._listing.read_all([name])
        waiting_texts: Any = self._redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)
        changes = self._changes(uid)
        until = self._settled_until(stored, uid, changes, now)
        if until is None or until <= right:
            return 0
        life = Life(changes, right, until)
        busy = set() if life.is_deleted else {one.tick for one in waiting.readable(waiting_texts)}
        found, leased = self._holes(uid, life, busy, now)
        busy |= leased
        if busy:
            until = min(until, min(busy) - _MICROSECOND)
        written = self._write(name, found)
        self._right_until[uid] = max(until, right)
        return written

    def _compare_withheld(self, now: datetime) -> int:
        """Compare the ticks of withheld verdicts again, once no dead letter is left.

        Returns the number of verdicts. Ticks older than a day are given up: retention may have
        deleted their rows meanwhile.
        """
        if not self._withheld or self._stream.dead_letter_count():
            return 0
        written = 0
        for event in self._withheld.copy():
            if event.tick_to >= now - _DAY:
                changes = self._changes(event.schedule_uid)
                life = Life(changes, event.tick_from - _MICROSECOND, event.tick_to)
                found, _ = self._holes(event.schedule_uid, life, set(), now)
                written += self._write(event.schedule, found)
            self._withheld.remove(event)
        return written

    def _holes(
        self, uid: str, life: Life, busy: set[datetime], now: datetime
    ) -> tuple[list[TicksEvent], set[datetime]]:
        """Return the verdicts on the ticks of a life without a row, and the ticks with a lease.

        `busy` ticks, and those with a lease, get no verdict.
        """
        rows = [row for row in self._rows.of(uid, MOST_ROWS) if row.last > life.after]
        surroundings = self._surroundings(life.changes, now)
        ranges = [Row(row.first, row.last) for row in rows]
        found = holes(life, ranges, busy, surroundings, now)
        if not found:
            return [], set()
        leased, recorded = self._with_run(uid, found, life.changes)
        return holes(life, ranges, busy | leased | recorded, surroundings, now), leased

    def _write(self, name: str, verdicts: list[TicksEvent]) -> int:
        """Append verdicts; withhold `unrecorded` ones while a dead letter may hold the event.

        Returns the number of appended verdicts.
        """
        certain = verdicts
        if verdicts and self._stream.dead_letter_count():
            certain = [event for event in verdicts if event.reason != "unrecorded"]
            self._withheld.extend(event for event in verdicts if event.reason == "unrecorded")
        if certain:
            self._stream.append_many(certain)
            count = sum(event.ticks for event in certain)
            log.warning("%d ticks of %r had no row in the history and have one now", count, name)
        return len(certain)

    def _changes(self, uid: str) -> list[Change]:
        """Return the readable revisions of a schedule, oldest first."""
        changes: list[Change] = []
        for revision in self._rows.revisions(uid):
            try:
                schedule = Schedule.model_validate(revision.definition)
            except (ValidationError, BeatdeskError):
                continue
            changes.append(Change(revision.at, revision.action == "deleted", schedule))
        return changes

    def _settled_until(
        self, stored: Any, uid: str, changes: list[Change], now: datetime
    ) -> datetime | None:
        """Return the time up to which every tick should have a row; None where unknown.

        For a schedule without revisions, written by plain RedBeat code, the present definition is
        added to `changes`.
        """
        try:
            entry: StoredSchedule | None = stored.decode()
        except UnreadableEntry:
            entry = None
        if entry is not None and entry.schedule.uid == uid:
            last = entry.meta.last_run_at
            when = codec.anchored(entry.schedule.when, entry.meta)
            if last is None or not has_computable_ticks(when):
                return None
            if not changes and self._began is not None:
                anchored = entry.schedule.model_copy(update={"when": when})
                changes.append(Change(self._began, False, anchored))
            return min(last, now - GRACE)
        return changes[-1].at if is_deleted(changes) else None

    def _surroundings(self, changes: Sequence[Change], now: datetime) -> Surroundings:
        names = {change.schedule.window.calendar for change in changes} - {None}
        calendars: dict[str, Calendar] = self._listing.existing([name for name in names if name])
        since = self._began or now
        recorded = [
            Absence(outage.began_at, outage.ended_at or now)
            for outage in self._outages.since(since - _DAY, of="beat")
        ]
        return Surroundings(calendars, [*recorded, *self._absences])

    def _with_run(
        self, uid: str, found: Sequence[TicksEvent], changes: Sequence[Change]
    ) -> tuple[set[datetime], set[datetime]]:
        """Return the ticks in the verdicts whose run has a lease, and those with a recorded run."""
        ticks: set[datetime] = set()
        for event in found:
            for when in {change.schedule.when for change in changes}:
                ticks.update(_ticks_of(when, event))
        by_run = {run_id(uid, tick): tick for tick in sorted(ticks)[:MOST_DOUBTS]}
        if not by_run:
            return set(), set()
        leases: Any = self._redis.hmget(keys.LEASE_OWNERS_HASH, list(by_run))
        leased = {
            by_run[run] for run, lease in zip(by_run, leases, strict=True) if lease is not None
        }
        return leased, {by_run[run] for run in self._rows.recorded(list(by_run))}


def _ticks_of(when: When, event: TicksEvent) -> Iterator[datetime]:
    """The ticks of a rule in the range of an event."""
    if has_computable_ticks(when):
        yield from ticks_between(when, event.tick_from - _MICROSECOND, event.tick_to)
