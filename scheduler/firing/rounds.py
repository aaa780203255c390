"""Beat's loop body: stand by, or look, plan and carry out until nothing is due, then sleep until something is.

    tick ─▶ leads? ──no──▶ try to lead; sleep until the lock may be free, or the leader says that it leaves
              │yes
              ▼
            look ─▶ plan ─▶ one transaction ─▶ … until nothing is due ─▶ sleep until the next due time, an edit, or 1 s

Nothing that a server does ends it: it backs off and goes on. What makes no progress is looked at less and less often.
"""

import logging
import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from redis.exceptions import RedisError

from scheduler.firing.hold import HeldBack
from scheduler.firing.planning import Planner, Step
from scheduler.firing.reading import Eye, Look, Seen
from scheduler.firing.transaction import MOVED_ON, Transaction

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)

CHUNK = 200
"""Entries in one transaction."""

LONGEST_PASS = 1.0
"""Seconds after which a pass over what is due is interrupted, so that others hear that Beat lives."""

_SHORTEST = 0.0005

_FOR_ALL = ("OOM", "READONLY", "MISCONF", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOPERM")
"""How the server's refusals begin that are nobody's own fault."""


class Blocked(RedisError):
    """The server takes nothing at the moment."""


class Pass(NamedTuple):
    """A pass that is over: what was seen first, how long to sleep (0 where more is due now), and what stayed due."""

    first: Look
    wait: float
    stayed: int

    @property
    def lag(self) -> float:
        """For how many seconds the longest due entry has been due, of those that stayed; 0 where none did."""
        oldest, now = self.first.oldest, self.first.now.timestamp()
        return max(now - oldest, 0.0) if oldest is not None and (self.stayed or self.wait == 0) else 0.0


class Rounds:
    """Passes over what is due."""

    def __init__(
        self, eye: Eye, planner: Planner, transaction: Transaction, cancel: "Callable[[Step, datetime], None]"
    ) -> None:
        self._eye, self._planner, self._transaction, self._cancel = eye, planner, transaction, cancel
        self._held_back = HeldBack()
        self.sent = 0

    def run(self) -> Pass:
        """One pass. Raises LostLock; RedisError, KombuError and OSError where a server is away or takes nothing."""
        passed, began = 0, time.monotonic()
        first: Look | None = None
        while True:
            asked = time.monotonic()
            look = self._eye.look(passed, CHUNK)
            first = first or look
            if not look.seen:
                return Pass(first, self._until(look, asked), passed)
            moved = self._chunk(look)
            passed += len(look.seen) - moved
            if time.monotonic() - began > LONGEST_PASS and moved:
                return Pass(first, 0.0, passed)

    def _chunk(self, look: Look) -> int:
        """Deal with one chunk; how many entries have left the place that they had among those that are due."""
        ready = [seen for seen in look.seen if self._held_back.may(seen)]
        self._planner.prepare(ready)
        steps = [self._planner.step(seen, look.now) for seen in ready]
        for step in steps:
            if step.refused:
                self._refused(step.seen, step.refused, others_moved=True)
            elif step.changes_nothing:
                self._held_back.once_more(step.seen)
        steps = [step for step in steps if not step.changes_nothing]
        if not steps:
            return 0
        moved, sent = 0, self.sent
        for step, refused in zip(steps, self._transaction.carry_out(steps, look.now), strict=True):
            if not refused:
                moved += self._done(step, look)
            elif refused != MOVED_ON:
                self._refused(step.seen, refused, others_moved=moved > 0)
        if self.sent > sent:
            log.info("beat: sent %d runs", self.sent - sent)
        return moved

    def _done(self, step: Step, look: Look) -> bool:
        """A step was carried out. Whether its entry is due no more."""
        if step.aside:
            log.error("beat: the schedule %r is set aside until it is mended: %s", step.seen.name, step.aside)
        elif step.gone:
            log.warning("beat: the schedule %r is gone, and is forgotten", step.seen.name)
        elif step.sent is not None:
            self.sent += 1
            log.debug("beat: sent %s as run %s", step.seen.name, step.run)
        if step.plan.cancel:
            self._cancel(step, look.now)
        self._held_back.free(step.seen.key)
        return step.gone or not 0 <= step.plan.score <= look.now.timestamp()

    def _refused(self, seen: Seen, why: str, *, others_moved: bool) -> None:
        """The server did not take an entry's message: it is looked at again, later and later."""
        if why.startswith(_FOR_ALL) and not others_moved:
            raise Blocked(why)
        wait = self._held_back.once_more(seen)
        log.error("beat: the run of %r was refused, next try in %.1f s: %s", seen.name, wait, why)

    def _until(self, look: Look, asked: float) -> float:
        """How long to sleep, from now on."""
        now, elapsed = look.now.timestamp(), time.monotonic() - asked
        wait = inf if look.coming is None else look.coming - now
        return max(min(wait - elapsed, self._held_back.soonest()), _SHORTEST)
