"""The watcher of the ledger: one look at the schedules, their rows and their open spans.

    1. changes: due times in Redis, revisions and rows in SQL
    2. entries that rest, or are overdue while no Beat leads ─▶ their open spans
    3. schedules whose rows do not add up to their ticks     ─▶ verdicts on holes (`audit`)

A look reads only what changed since the look before; a schedule that rests is read again when the
next tick is old enough. Nothing is written unless the history has recorded the stream up to the
look.
"""

import heapq
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scheduler.errors import UnreadableEntry
from scheduler.history.recording.open_spans import OpenSpan
from scheduler.ledger.audit import Audit
from scheduler.ledger.spans import GRACE, Outlook, outlook
from scheduler.schedules.raw_entry import RawEntry
from scheduler.storage import keys

if TYPE_CHECKING:
    import threading

    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.definitions import Definitions
    from scheduler.history.recording.open_spans import OpenSpans
    from scheduler.schedules.reads import Listing

log = logging.getLogger(__name__)

AWAY_AFTER = timedelta(seconds=30)
"""The time without a leading Beat after which ticks count as missed; a change of leader is shorter.
"""

MOST_ENTRIES = 1000
"""Most entries read in a look; the others come with the next look."""

CHUNK = 500
PATIENCE = 1.0


class Watcher:
    """The watcher of a process. A restarted watcher finds the remembered state again."""

    def __init__(
        self,
        redis: "Redis",
        stream: "EventStream",
        *,
        spans: "OpenSpans",
        definitions: "Definitions",
        listing: "Listing",
        audit: Audit,
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._spans = spans
        self._definitions = definitions
        self._listing = listing
        self._audit = audit
        self.forget()

    def forget(self) -> None:
        """Begin anew: another process has watched meanwhile."""
        self._is_new = True
        self._key = 0
        self._scores: dict[str, float] = {}
        self._open: dict[str, tuple[OpenSpan, ...]] = {}
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._away_since: datetime | None = None
        self._audit.forget()

    def run_once(self, now: datetime, stop: "threading.Event") -> int:
        """Take a look. Returns the number of written spans and verdicts.

        Raises the errors of Redis and SQL; nothing is lost then, and the next look sees the same.
        """
        scores = self._read_scores()
        is_away = self._note_absence(now)
        self._note_changes(scores, now, is_away=is_away)
        names = self._take_due(now)
        entries = self._read(names)
        if not self._is_recorded(stop):
            for name in names:
                self._look_at(name, now)
            return 0
        written = self._write_spans(entries, now, is_away=is_away)
        written += self._audit.run_once(now)
        self._scores = scores
        return written

    def _read_scores(self) -> dict[str, float]:
        """The due time of each schedule, by name, in seconds."""
        found: Any = self._redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True)
        return {keys.schedule_name(key): score for key, score in found}

    def _note_absence(self, now: datetime) -> bool:
        """Note whether a Beat leads. Returns whether none has led for `AWAY_AFTER`."""
        if self._redis.exists(keys.BEAT_LOCK):
            if self._away_since is not None:
                self._audit.note_absence(self._away_since, now)
            self._away_since = None
            return False
        if self._away_since is None:
            self._away_since = now
        is_away = now - self._away_since >= AWAY_AFTER
        if is_away:
            self._audit.note_absence(self._away_since, now)
        return is_away

    def _note_changes(self, scores: dict[str, float], now: datetime, *, is_away: bool) -> None:
        """Find the schedules to look at."""
        if self._is_new:
            self._begin(scores, now)
        for fact in self._definitions.facts(self._key):
            self._key = fact.key
            self._look_at(fact.name, now)
            self._audit.suspect(fact.uid, fact.name)
        for name in (scores.keys() ^ self._scores.keys()) - self._due_at.keys():
            self._look_at(name, now)
        for name, score in scores.items():
            if score != self._scores.get(name, score):
                self._audit.note_advance(name, now)
        for name, spans in self._open.items():
            moved = scores.get(name) != self._scores.get(name)
            if moved or (spans[-1].reason == "scheduler_down" and not is_away):
                self._look_at(name, now)
        if is_away:
            self._note_overdue(scores, now)

    def _begin(self, scores: dict[str, float], now: datetime) -> None:
        """Read all schedules, and the spans written by an earlier watcher."""
        for span in self._spans.load():
            self._open[span.schedule] = (*self._open.get(span.schedule, ()), span)
        self._key = self._definitions.newest_key()
        self._is_new = False
        for name in scores.keys() | self._open.keys():
            self._look_at(name, now)

    def _note_overdue(self, scores: dict[str, float], now: datetime) -> None:
        """Look at the schedules whose due time nobody has met for longer than the grace."""
        overdue = (now - GRACE).timestamp()
        for name, score in scores.items():
            if 0 <= score < overdue and name not in self._due_at:
                self._look_at(name, now)

    def _look_at(self, name: str, moment: datetime) -> None:
        """Have a schedule read at `moment`, or earlier."""
        at = moment.timestamp()
        if at < self._due_at.get(name, float("inf")):
            self._due_at[name] = at
            heapq.heappush(self._due, (at, name))

    def _take_due(self, now: datetime) -> list[str]:
        """The schedules to read now, the longest due first."""
        names: list[str] = []
        while self._due and self._due[0][0] <= now.timestamp() and len(names) < MOST_ENTRIES:
            at, name = heapq.heappop(self._due)
            if self._due_at.get(name) == at:
                del self._due_at[name]
                names.append(name)
        return names

    def _read(self, names: Sequence[str]) -> list[RawEntry]:
        chunks = (names[begin : begin + CHUNK] for begin in range(0, len(names), CHUNK))
        return [entry for chunk in chunks for entry in self._listing.read_all(chunk)]

    def _is_recorded(self, stop: "threading.Event") -> bool:
        """Whether the history has all events up to now; waits `PATIENCE` seconds at most."""
        return self._stream.wait_until_recorded(self._stream.end(), PATIENCE, stop)

    def _write_spans(self, entries: Iterable[RawEntry], now: datetime, *, is_away: bool) -> int:
        """Write the open spans of the entries, and remove spans that are no longer open."""
        spans: list[OpenSpan] = []
        gone: list[str] = []
        for entry, found in self._outlooks(entries, now, is_away=is_away):
            if found.next is not None:
                self._look_at(entry.name, max(found.next, now))
            old = self._open.pop(entry.name, ())
            stays = {span.id for span in found.spans}
            gone += [span.id for span in old if span.id not in stays]
            spans += [span for span in found.spans if span not in old]
            if found.spans:
                self._open[entry.name] = found.spans
        self._spans.write(spans, gone, now)
        return len(spans) + len(gone)

    def _outlooks(
        self, entries: Iterable[RawEntry], now: datetime, *, is_away: bool
    ) -> Iterator[tuple[RawEntry, Outlook]]:
        for stored in entries:
            try:
                entry = stored.decode()
            except UnreadableEntry:
                yield stored, Outlook()
                continue
            self._audit.learn(entry)
            yield stored, outlook(entry, now, beat_is_away=is_away)
