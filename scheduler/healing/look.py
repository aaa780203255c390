"""Finds entries that differ from the history.

    fingerprints of all entries ─▶ changed entries ─▶ read ─▶ the history has caught up
                                                           ─▶ decide (`reconcile`)

The order makes the look safe. Entries are read first; then the history catches up with the stream's
end as of the read; then the history is read. So an edit or a deletion is never taken for damage.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from scheduler.errors import UnreadableEntry
from scheduler.healing import reconcile, wait_for_history
from scheduler.healing.reconcile import Book, Damage, What
from scheduler.history.queries.views import Saved
from scheduler.redbeat import static_set
from scheduler.redbeat.codec import Raw
from scheduler.redbeat.fingerprints import NOTHING, Fingerprints, fingerprint
from scheduler.schedules.raw_entry import RawEntry
from scheduler.schedules.reads import CHUNK, Listing
from scheduler.schedules.tombstones import tombstones

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.definitions import Definitions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """An entry that differs from the history, and the action on the entry."""

    stored: RawEntry
    verdict: Damage

    @property
    def fact(self) -> Saved:
        """The history's newest fact about the entry. Raises UnreadableEntry where there is none."""
        if self.verdict.fact is None:
            raise UnreadableEntry(f"nothing is known of {self.stored.name!r}")
        return self.verdict.fact


class Look:
    """Compares all entries with the history, and remembers the entries found in order."""

    def __init__(self, redis: "Redis", stream: "EventStream", definitions: "Definitions") -> None:
        self._redis = redis
        self._stream = stream
        self._definitions = definitions
        self._listing = Listing(redis)
        self._fingerprints = Fingerprints(redis)
        self.stop = threading.Event()
        """An event that ends a wait for the history."""

        self._forget()

    def forget(self) -> None:
        """Compare every entry at the next look."""
        self._forget()

    def _forget(self) -> None:
        self._book = Book()
        self._read_to = 0
        self._newest = 0
        self._well: dict[str, str] = {}

    @property
    def entries(self) -> int:
        """The number of entries at the last look."""
        return len(self._well)

    def findings(self) -> list[Finding]:
        """Return all entries that differ now.

        Raises redis.RedisError, an error of SQL, or wait_for_history.Behind.
        """
        if self._definitions.newest_key() < self._newest:
            log.warning("the history lacks what it had; everything is compared anew")
            self._forget()
        if not self._newest:
            self._read_history()
        prints = self._fingerprints.read()
        suspects = self._suspects(prints)
        if not suspects:
            self._well = dict(prints)
            return []
        stored = [
            one for part in portions(sorted(suspects)) for one in self._listing.read_all(part)
        ]
        self.wait_for_history()
        self._read_history()
        published = static_set.is_published(self._redis)
        buried = tombstones(self._redis)
        decided = (
            Finding(one, reconcile.decide(one, self._book, published, buried)) for one in stored
        )
        findings = list(self._compared(decided))
        self._well = {**prints, **dict.fromkeys((one.stored.name for one in findings), "")}
        return findings

    def remember(self, name: str, written: Raw) -> None:
        """Record an entry as repaired, so that a repair is not repeated at each look."""
        if written == NOTHING:
            self._well.pop(name, None)
        else:
            self._well[name] = fingerprint(written)

    def wait_for_history(self) -> None:
        """Wait until the history has caught up with Redis. Raises wait_for_history.Behind."""
        wait_for_history.wait_for_history(self._stream, self.stop)

    def _suspects(self, prints: dict[str, str]) -> set[str]:
        """Return the names of entries changed, gone, or missing though the history has them."""
        changed = {name for name, print_ in prints.items() if self._well.get(name) != print_}
        gone = self._well.keys() - prints.keys()
        missing = {name for name in self._book.living() if name not in prints}
        return changed | gone | missing

    def _read_history(self) -> None:
        """Read new facts, and the previous batch again, since keys are not committed in order."""
        facts = self._definitions.facts(self._read_to)
        self._book.take(facts)
        self._read_to = self._newest
        self._newest = max([self._newest, *(fact.key for fact in facts)])

    def _compared(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings with an action. Contents are compared where the decision needs it."""
        compare: list[Finding] = []
        for finding in findings:
            if finding.verdict.what is What.COMPARE:
                compare.append(finding)
            elif finding.verdict.what is not What.LEAVE:
                yield finding
        for part in portions(compare):
            saved = self._definitions.definitions([finding.fact.key for finding in part])
            for finding in part:
                schedule = finding.stored.schedule()
                definition = saved.get(finding.fact.key)
                if schedule is not None and not reconcile.same_content(schedule, definition):
                    why = finding.verdict.why
                    yield Finding(finding.stored, Damage(What.RESTORE, why, finding.fact))


def portions(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the values in lists of at most CHUNK, for a round trip each."""
    rest = iter(values)
    while part := list(islice(rest, CHUNK)):
        yield part
