"""Start children in order, watch them, stop them in order. Knows nothing of what they do.

One loop in one thread: `_pass` is a single round of it, and everything that waits (for a child to
be ready, to end, or for a signal) makes rounds while it waits, so that a child that dies meanwhile
is seen and started again.

Why not honcho or another runner of Procfiles: they end all children at once, so that Redis is gone
before a worker has finished and its job is lost. Here each child starts when the one before is
ready, and they stop in an order of their own, Redis last, each with the time that it needs; where
this process itself is killed, the warden does that. Tested with real processes in
`tests/integration/up/`, the running job among them.
"""

import logging
import signal
from collections.abc import Sequence
from time import monotonic

from scheduler.errors import Unavailable
from scheduler.up.child import STEADY_AFTER, Child, Running, Stop, ending, pause
from scheduler.up.console import Console
from scheduler.up.interrupts import Interrupts
from scheduler.up.warden import Warden

log = logging.getLogger(__name__)

ROUND = 0.1
ATTEMPTS = 5
"""How often a child may die before it was ever ready, until starting is given up."""

IMPATIENT_AFTER = 60.0
SAY_EVERY = 15.0


class ChildState:
    """A child and its fortunes."""

    def __init__(self, child: Child, rank: int) -> None:
        self.child, self.rank = child, rank
        self.process: Running | None = None
        self.started_at = 0.0
        self.start_at: float | None = None
        self.was_ready = False
        self.ready = False
        self.wanted = False
        self.deaths = 0


class Supervisor:
    """Children in the order of their start, and the names in the order of their stop."""

    def __init__(
        self,
        children: Sequence[Child],
        stop_order: Sequence[str],
        interrupts: Interrupts,
        console: Console,
        lock: int,
    ) -> None:
        self._seats = [ChildState(child, stop_order.index(child.name)) for child in children]
        self._interrupts = interrupts
        self._console = console
        self._warden = Warden(lock, console)

    def start(self) -> bool:
        """Start all, each when the one before is ready. False where we were asked to stop
        meanwhile.
        """
        for seat in self._seats:
            if seat.child.before is not None:
                seat.child.before()
            seat.wanted, seat.start_at = True, monotonic()
            patience = monotonic() + IMPATIENT_AFTER
            while not seat.ready:
                if self._interrupts.count:
                    return False
                self._pass()
                if not seat.was_ready and seat.deaths >= ATTEMPTS:
                    raise Unavailable(
                        f"{seat.child.name} has died {ATTEMPTS} times and was never ready; see "
                        "its lines"
                    )
                if monotonic() > patience:
                    log.warning(
                        "%s is not ready after %.0f s, still waiting",
                        seat.child.name,
                        IMPATIENT_AFTER,
                    )
                    patience = monotonic() + IMPATIENT_AFTER
        return True

    def watch(self) -> None:
        """Keep all of them running until we are asked to stop."""
        while not self._interrupts.count:
            self._pass()

    def stop(self) -> None:
        """Stop all, in order: each has ended before the next is asked to."""
        for seat in sorted(self._seats, key=lambda seat: seat.rank):
            seat.wanted = False
            if seat.process is not None:
                self._stop(seat)
        self._warden.dismiss()

    def _pass(self) -> None:
        """One round: wait a little or for a signal, collect the dead, start who is due, ask who is
        not ready yet.
        """
        self._interrupts.wait(ROUND)
        self._warden.ensure()
        for seat in self._seats:
            if seat.process is not None and (code := seat.process.code()) is not None:
                self._bury(seat, code)
            if (
                seat.wanted
                and seat.process is None
                and seat.start_at is not None
                and monotonic() >= seat.start_at
            ):
                self._launch(seat)
            if seat.process is not None and seat.wanted and not seat.ready:
                self._ask(seat)

    def _launch(self, seat: ChildState) -> None:
        seat.process = Running(seat.child, self._console)
        seat.started_at, seat.start_at, seat.ready = monotonic(), None, False
        self._warden.watch(
            seat.process.pid, seat.rank, sum(stop.seconds for stop in seat.child.stops)
        )
        log.debug("%s started as process %d", seat.child.name, seat.process.pid)

    def _ask(self, seat: ChildState) -> None:
        assert seat.process is not None  # noqa: S101 - asked of living ones only
        if seat.child.is_ready(seat.process.pid):
            log.info("%s is ready (process %d)", seat.child.name, seat.process.pid)
            seat.ready = seat.was_ready = True

    def _bury(self, seat: ChildState, code: int) -> None:
        """Collect a child that has ended; when it was not asked to, it is to be started again."""
        process = seat.process
        assert process is not None  # noqa: S101 - the caller has asked it for its code
        process.end_group()
        process.finish_output()
        self._warden.forget(process.pid)
        seat.process, seat.ready = None, False
        if not seat.wanted:
            log.info("%s has stopped (%s)", seat.child.name, ending(code))
            return
        seat.deaths = 1 if monotonic() - seat.started_at > STEADY_AFTER else seat.deaths + 1
        wait = pause(seat.deaths)
        seat.start_at = monotonic() + wait
        log.error(
            "%s (process %d) died: %s; started again in %.1f s",
            seat.child.name,
            process.pid,
            ending(code),
            wait,
        )

    def _stop(self, seat: ChildState) -> None:
        """Ask a child to end; harder when its time is over, or when we are asked to stop once
        more.
        """
        stops = [*seat.child.stops, Stop(signal.SIGKILL, 10)]
        for step, stop in enumerate(stops):
            if seat.process is None:
                return
            if step:
                log.warning("%s is still there, now %s", seat.child.name, stop.signal.name)
            else:
                log.info("stopping %s (process %d)", seat.child.name, seat.process.pid)
            seat.process.send(stop.signal)
            self._wait_for_end(seat, stop.seconds)

    def _wait_for_end(self, seat: ChildState, seconds: float) -> None:
        """Until the child has ended, its time is over, or somebody is in a hurry. What takes long
        is said.
        """
        asked, began = self._interrupts.count, monotonic()
        told = began
        while (
            seat.process is not None
            and monotonic() < began + seconds
            and self._interrupts.count <= asked
        ):
            self._pass()
            if monotonic() > told + SAY_EVERY:
                told = monotonic()
                log.info(
                    "%s is still finishing, %.0f s of at most %.0f s",
                    seat.child.name,
                    told - began,
                    seconds,
                )
