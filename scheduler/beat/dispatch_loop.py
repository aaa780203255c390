"""Passes over the due entries: read, plan and carry out batch after batch.

Within a pass each due entry is read and planned once, until a second is over. An entry still due
afterwards has `stayed`, and is read again in the next pass.

With more due entries than one batch, the server reads and fires while Beat plans the next batch:

    Beat    │ plan 1 │ plan 2         │ plan 3         │ …
    server  │ read 2 │ read 3, fire 1 │ read 4, fire 2 │ …

An entry is decided in the steps numbered 1 to 6 by `dispatch.plan`, and written in the steps
numbered 7 to 11 by `fire.lua`. An entry without progress backs off.
"""

import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import inf
from typing import NamedTuple

from redis.exceptions import RedisError

from scheduler.beat.due_entries import DueBatch, DueEntry, DueEntryReader, PendingBatch
from scheduler.beat.entry_backoff import EntryBackoff
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.planner import Planner
from scheduler.beat.script_pipeline import ScriptPipeline
from scheduler.beat.transaction import DONE, STALE, Transaction
from scheduler.beat.work_budget import WorkBudget
from scheduler.rules.model.spec import Schedule

log = logging.getLogger(__name__)

BATCH_SIZE = 100
"""Entries in a transaction."""

LONGEST_PASS = 1.0
"""Seconds after which a pass is interrupted, for Beat to renew its heartbeat."""

_SHORTEST_SLEEP = 0.0005

_REFUSES_ALL = (
    "OOM",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOPERM",
)
"""The beginnings of server errors caused by the server's own state, not by an entry."""


class Blocked(RedisError):
    """The server refuses all writes at the moment."""


class PassResult(NamedTuple):
    """The result of a pass: the `first` batch, the seconds to sleep (0 after an interrupted pass),
    and the number of entries that `stayed` due.
    """

    first: DueBatch
    wait: float
    stayed: int

    @property
    def lag(self) -> float:
        """Seconds since the earliest due time among the entries that stayed; 0 without such
        entries.
        """
        oldest = self.first.oldest_due
        if oldest is None or (not self.stayed and self.wait > 0):
            return 0.0
        return max(self.first.now.timestamp() - oldest, 0.0)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch garbage collection off: a pass leaves no garbage, and collecting would take a tenth of
    its time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class DispatchLoop:
    """The passes of one Beat process; `cancel` cancels the living runs of a schedule."""

    def __init__(
        self,
        pipeline: ScriptPipeline,
        reader: DueEntryReader,
        planner: Planner,
        transaction: Transaction,
        cancel: Callable[[Schedule, datetime], None],
    ) -> None:
        self._pipeline = pipeline
        self._reader = reader
        self._planner = planner
        self._transaction = transaction
        self._cancel = cancel
        self._backoff = EntryBackoff()
        self._budget = WorkBudget()
        self._is_cut_short = False
        """Whether entries of this pass are left to the next one, for want of time."""

        self.sent = 0
        """Runs sent by this process."""

    def run(self) -> PassResult:
        """Run a pass. Raises LostLock; RedisError, KombuError and OSError where a server is away or
        refuses all writes.
        """
        try:
            with _no_garbage_collection():
                return self._run()
        finally:
            self._pipeline.drop()

    def _run(self) -> PassResult:
        stayed = 0
        until = time.monotonic() + LONGEST_PASS
        self._is_cut_short = False
        self._budget.begin_pass()
        first: DueBatch | None = None
        while True:
            began = time.monotonic()
            batch = self._reader.fetch(stayed, BATCH_SIZE).wait()
            first = first or batch
            if not batch.entries:
                wait = 0.0 if self._is_cut_short else self._seconds_to_sleep(batch, began)
                return PassResult(first, wait, stayed)
            left, remained = self._dispatch(batch, stayed, until)
            stayed += remained
            if time.monotonic() > until and left:
                return PassResult(first, 0.0, stayed)

    def _dispatch(self, batch: DueBatch, skip: int, until: float) -> tuple[int, int]:
        """Dispatch a batch and the batches behind it, until none is left or the time `until` has
        come.

        Returns the numbers of entries that left the due ones and that stayed. `skip` entries stayed
        before the batch.
        """
        left, stayed = 0, 0
        pending = self._fetch_behind(batch, skip + len(batch.entries), until)
        writes = self._plan(batch, until)
        while True:
            following = None if pending is None else self._without_repeated(pending, batch)
            pending = None
            next_writes: list[EntryWrite] = []
            if following is not None:
                # Sent before the batch is fired, so that the server answers both at once.
                behind = skip + stayed + len(batch.entries) + len(following.entries)
                pending = self._fetch_behind(following, behind, until)
            results = self._transaction.carry_out(writes) if writes else None
            try:
                if following is not None:
                    next_writes = self._plan(following, until)
            finally:
                # What was fired counts, also where the broker is away when the next one is planned.
                done = 0 if results is None else self._settle(writes, results.wait(), batch)
            left += done
            stayed += len(batch.entries) - done
            if following is None:
                return left, stayed
            batch, writes = following, next_writes

    @staticmethod
    def _without_repeated(pending: PendingBatch, batch: DueBatch) -> DueBatch:
        """The batch behind `batch`, without entries of `batch` itself: newly due entries may have
        moved them back in the order.
        """
        following = pending.wait()
        keys = {entry.key for entry in batch.entries}
        entries = [entry for entry in following.entries if entry.key not in keys]
        return following._replace(entries=entries)

    def _fetch_behind(self, batch: DueBatch, skip: int, until: float) -> PendingBatch | None:
        """Start the read of the batch behind `batch`; None after the last batch, or once time is
        over.
        """
        more = len(batch.entries) >= BATCH_SIZE and time.monotonic() < until
        return self._reader.fetch(skip, BATCH_SIZE) if more else None

    def _plan(self, batch: DueBatch, until: float) -> list[EntryWrite]:
        """The writes of a batch; entries in back-off get none.

        Entries that are costly to plan cannot hold up a pass: after the time `until`, the rest of
        the batch is left to the next pass, and so are slow entries beyond their budget.
        """
        allowed = list(filter(self._backoff.is_allowed, batch.entries))
        writes = self._planner.entry_writes(allowed, batch.now, until, self._budget)
        self._is_cut_short = self._is_cut_short or len(writes) < len(allowed)
        for write in writes:
            if write.refused:
                self._refuse(write.entry, write.refused, server_takes_writes=True)
            elif not write.has_changes:
                self._backoff.record_failure(write.entry)
        return [write for write in writes if write.has_changes]

    def _settle(self, writes: Sequence[EntryWrite], results: Sequence[str], batch: DueBatch) -> int:
        """Record the result of each write. Returns how many entries are due no more."""
        left, sent = 0, self.sent
        for write, result in zip(writes, results, strict=True):
            if result == DONE:
                left += self._complete(write, batch)
            elif result != STALE:
                self._refuse(write.entry, result, server_takes_writes=left > 0)
        if self.sent > sent:
            log.info("beat: sent %d runs", self.sent - sent)
        return left

    def _complete(self, write: EntryWrite, batch: DueBatch) -> bool:
        """Record a finished write. Returns whether the entry is due no more."""
        if write.quarantined:
            log.error(
                "beat: the schedule %r is set aside until it is mended: %s",
                write.entry.name,
                write.quarantined,
            )
        elif write.gone:
            log.warning(
                "beat: the schedule %r was deleted, and is taken off the due times",
                write.entry.name,
            )
        elif write.run:
            self.sent += 1
            log.debug("beat: sent %s as run %s", write.entry.name_bytes, write.run)
        if write.cancel is not None:
            self._cancel(write.cancel, batch.now)
        self._backoff.clear(write.entry.key)
        return write.gone or not 0 <= write.score <= batch.now.timestamp()

    def _refuse(self, entry: DueEntry, reason: str, *, server_takes_writes: bool) -> None:
        """Start the back-off of an entry after the server refused its message. Raises Blocked where
        the server refuses all writes and has done nothing of the batch.
        """
        if reason.startswith(_REFUSES_ALL) and not server_takes_writes:
            raise Blocked(reason)
        wait = self._backoff.record_failure(entry)
        log.error(
            "beat: the run of %r was refused, next try in %.1f s: %s", entry.name, wait, reason
        )

    def _seconds_to_sleep(self, batch: DueBatch, began: float) -> float:
        """Seconds from now to the next due time or the end of a back-off; `began` is the monotonic
        time at which the read of the batch was sent.
        """
        elapsed = time.monotonic() - began
        wait = inf if batch.next_due is None else batch.next_due - batch.now.timestamp()
        return max(min(wait - elapsed, self._backoff.seconds_until_next()), _SHORTEST_SLEEP)
