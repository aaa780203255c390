"""Beat's loop body: stand by, or look, plan and carry out until nothing is due, then sleep until
something is.

    tick ─▶ leads? ──no──▶ try to lead; sleep until the lock may be free, or the leader leaves
              │yes
              ▼
            look ─▶ plan ─▶ one transaction ─▶ … until nothing is due
                                                   │
                                                   ▼
                        sleep until the next due time, an edit, or the longest sleep is over

Where more is due than one chunk, the server looks and fires while the next chunk is planned:

    Beat    │ plan 1 │ plan 2         │ plan 3         │ …
    server  │ look 2 │ look 3, fire 1 │ look 4, fire 2 │ …

Nothing that a server does ends it: it backs off and goes on. What makes no progress is looked at
less and less often.
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

from scheduler.beat.due_entries import (
    DueBatch,
    DueEntry,
    DueEntryReader,
    PendingBatch,
)
from scheduler.beat.entry_backoff import EntryBackoff
from scheduler.beat.planner import Planner
from scheduler.beat.script_pipeline import ScriptPipeline
from scheduler.beat.steps import Step
from scheduler.beat.transaction import MOVED_ON, Transaction
from scheduler.rules.model.spec import Schedule

log = logging.getLogger(__name__)

CHUNK = 100
"""Entries in one transaction."""

LONGEST_PASS = 1.0
"""Seconds after which a pass over what is due is interrupted, so that others hear that Beat lives.
"""

_SHORTEST = 0.0005

_FOR_ALL = (
    "OOM",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOPERM",
)
"""How the server's refusals begin that are nobody's own fault."""


class Blocked(RedisError):
    """The server takes nothing at the moment."""


class PassResult(NamedTuple):
    """A pass that is over: what was seen first, how long to sleep (0 where more is due now), and
    what stayed due.
    """

    first: DueBatch
    wait: float
    stayed: int

    @property
    def lag(self) -> float:
        """For how many seconds the longest due entry has been due, of those that stayed; 0 where
        none did.
        """
        oldest, now = self.first.oldest, self.first.now.timestamp()
        return (
            max(now - oldest, 0.0)
            if oldest is not None and (self.stayed or self.wait == 0)
            else 0.0
        )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A pass lasts about a second, and keeps what it makes: a search for garbage takes a tenth of
    it and finds none.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class DispatchLoop:
    """Passes over what is due."""

    def __init__(
        self,
        line: ScriptPipeline,
        eye: DueEntryReader,
        planner: Planner,
        transaction: Transaction,
        cancel: Callable[[Schedule, datetime], None],
    ) -> None:
        self._line, self._eye, self._planner, self._transaction = line, eye, planner, transaction
        self._cancel = cancel
        self._held_back = EntryBackoff()
        self.sent = 0

    def run(self) -> PassResult:
        """One pass. Raises LostLock; RedisError, KombuError and OSError where a server is away or
        takes nothing.
        """
        try:
            with _no_garbage_collection():
                return self._run()
        finally:
            self._line.drop()

    def _run(self) -> PassResult:
        passed, until = 0, time.monotonic() + LONGEST_PASS
        first: DueBatch | None = None
        while True:
            asked = time.monotonic()
            look = self._eye.glance(passed, CHUNK).look()
            first = first or look
            if not look.seen:
                return PassResult(first, self._until(look, asked), passed)
            moved, stayed = self._chunks(look, passed, until)
            passed += stayed
            if time.monotonic() > until and moved:
                return PassResult(first, 0.0, passed)

    def _chunks(self, look: DueBatch, passed: int, until: float) -> tuple[int, int]:
        """Deal with a chunk and with those behind it, as long as there are any and it is not too
        late.

        How many entries have left the place that they had among those that are due, and how many
        have not.
        """
        moved, stayed = 0, 0
        behind = self._behind(look, passed + len(look.seen), until)
        steps = self._planned(look.seen, look)
        while True:
            following = None if behind is None else self._seen_behind(behind, look)
            behind, next_steps = None, []
            if (
                following is not None
            ):  # before the chunk is fired: a server answers both at once if it is asked after
                passing = passed + stayed + len(look.seen) + len(following.seen)
                behind = self._behind(following, passing, until)
            firing = self._transaction.carry_out(steps) if steps else None
            try:
                if following is not None:
                    next_steps = self._planned(following.seen, following)
            finally:
                # A broker that is away when the next chunk is planned changes nothing of what was
                # fired.
                done = 0 if firing is None else self._settled(steps, firing.each(), look)
            moved, stayed = moved + done, stayed + len(look.seen) - done
            if following is None:
                return moved, stayed
            look, steps = following, next_steps

    @staticmethod
    def _seen_behind(behind: PendingBatch, look: DueBatch) -> DueBatch:
        """What was seen behind a chunk, without what is of that chunk: meanwhile others may have
        come before it.
        """
        following, known = behind.look(), {seen.key for seen in look.seen}
        return following._replace(seen=[seen for seen in following.seen if seen.key not in known])

    def _behind(self, look: DueBatch, passed: int, until: float) -> PendingBatch | None:
        """Let the server look behind a chunk, where there may be more and it is not too late."""
        more = len(look.seen) >= CHUNK and time.monotonic() < until
        return self._eye.glance(passed, CHUNK) if more else None

    def _planned(self, seen: Sequence[DueEntry], look: DueBatch) -> list[Step]:
        """The steps that there are to carry out."""
        steps = self._planner.steps(filter(self._held_back.may, seen), look.now)
        for step in steps:
            if step.refused:
                self._refused(step.entry, step.refused, others_moved=True)
            elif not step.parts:
                self._held_back.once_more(step.entry)
        return [step for step in steps if step.parts]

    def _settled(self, steps: Sequence[Step], outcome: Sequence[str], look: DueBatch) -> int:
        """What became of a chunk; how many of its entries have left their place."""
        moved, sent = 0, self.sent
        for step, refused in zip(steps, outcome, strict=True):
            if not refused:
                moved += self._done(step, look)
            elif refused != MOVED_ON:
                self._refused(step.entry, refused, others_moved=moved > 0)
        if self.sent > sent:
            log.info("beat: sent %d runs", self.sent - sent)
        return moved

    def _done(self, step: Step, look: DueBatch) -> bool:
        """A step was carried out. Whether its entry is due no more."""
        if step.quarantined:
            log.error(
                "beat: the schedule %r is set aside until it is mended: %s",
                step.entry.name,
                step.quarantined,
            )
        elif step.gone:
            log.warning("beat: the schedule %r is gone, and is forgotten", step.entry.name)
        elif step.run:
            self.sent += 1
            log.debug("beat: sent %s as run %s", step.entry.name_bytes, step.run)
        if step.cancel is not None:
            self._cancel(step.cancel, look.now)
        self._held_back.free(step.entry.key)
        return step.gone or not 0 <= step.score <= look.now.timestamp()

    def _refused(self, seen: DueEntry, why: str, *, others_moved: bool) -> None:
        """The server did not take an entry's message: it is looked at again, later and later."""
        if why.startswith(_FOR_ALL) and not others_moved:
            raise Blocked(why)
        wait = self._held_back.once_more(seen)
        log.error("beat: the run of %r was refused, next try in %.1f s: %s", seen.name, wait, why)

    def _until(self, look: DueBatch, asked: float) -> float:
        """How long to sleep, from now on."""
        now, elapsed = look.now.timestamp(), time.monotonic() - asked
        wait = inf if look.coming is None else look.coming - now
        return max(min(wait - elapsed, self._held_back.soonest()), _SHORTEST)
