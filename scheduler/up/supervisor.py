"""The supervisor of the children: starts, watches and stops them in order.

One loop in one thread: `_pass` is a round, and each wait (for readiness, for an end, for a signal)
makes rounds, so a child dead meanwhile is started again.

Why not honcho or another runner of Procfiles: a runner ends all children at once, so Redis would be
gone before the end of a worker, and the worker's job would be lost. Here each child starts once the
child before is ready, and the children stop in a separate order, Redis last, each with enough time;
after a kill of this process, the orphan reaper stops the children. Tested with real processes in
`tests/integration/up/`, a running job among them.
"""

import logging
import signal
from collections.abc import Sequence
from time import monotonic

from scheduler.errors import Unavailable
from scheduler.up.child import STEADY_AFTER, Child, ChildProcess, Stop, ending, pause
from scheduler.up.console import Console
from scheduler.up.interrupts import Interrupts
from scheduler.up.orphan_reaper import OrphanReaper

log = logging.getLogger(__name__)

ROUND = 0.1
ATTEMPTS = 5
"""Deaths of a never ready child before the start is given up."""

IMPATIENT_AFTER = 60.0
SAY_EVERY = 15.0


class ChildState:
    """A child's process, readiness and deaths; `rank` is the place in the stop order."""

    def __init__(self, child: Child, rank: int) -> None:
        self.child = child
        self.rank = rank
        self.process: ChildProcess | None = None
        self.started_at = 0.0
        self.start_at: float | None = None
        self.was_ready = False
        self.ready = False
        self.wanted = False
        self.deaths = 0


class Supervisor:
    """The supervisor of `children`, listed in the order of their start; `stop_order` lists their
    names in the order of the stop. `lock` is the descriptor of the data folder's lock.
    """

    def __init__(
        self,
        children: Sequence[Child],
        stop_order: Sequence[str],
        interrupts: Interrupts,
        console: Console,
        lock: int,
    ) -> None:
        self._states = [ChildState(child, stop_order.index(child.name)) for child in children]
        self._interrupts = interrupts
        self._console = console
        self._reaper = OrphanReaper(lock, console)

    def start(self) -> bool:
        """Start all children, each after the readiness of the child before.

        Returns False after a stop signal meanwhile. Raises Unavailable for a child with `ATTEMPTS`
        deaths before its first readiness.
        """
        for state in self._states:
            if state.child.before is not None:
                state.child.before()
            state.wanted = True
            state.start_at = monotonic()
            patience = monotonic() + IMPATIENT_AFTER
            while not state.ready:
                if self._interrupts.count:
                    return False
                self._pass()
                if not state.was_ready and state.deaths >= ATTEMPTS:
                    raise Unavailable(
                        f"{state.child.name} has died {ATTEMPTS} times and was never ready; see "
                        "its lines"
                    )
                if monotonic() > patience:
                    log.warning(
                        "%s is not ready after %.0f s, still waiting",
                        state.child.name,
                        IMPATIENT_AFTER,
                    )
                    patience = monotonic() + IMPATIENT_AFTER
        return True

    def watch(self) -> None:
        """Restart dead children, until a stop signal comes."""
        while not self._interrupts.count:
            self._pass()

    def stop(self) -> None:
        """Stop all children in order: each has ended before the next gets its signal."""
        for state in sorted(self._states, key=lambda state: state.rank):
            state.wanted = False
            if state.process is not None:
                self._stop(state)
        self._reaper.dismiss()

    def _pass(self) -> None:
        """Make a round: wait `ROUND` seconds or for a signal, then reap the dead children, start
        the due ones, and probe the children not yet ready.
        """
        self._interrupts.wait(ROUND)
        self._reaper.ensure()
        for state in self._states:
            if state.process is not None and (code := state.process.code()) is not None:
                self._reap(state, code)
            if (
                state.wanted
                and state.process is None
                and state.start_at is not None
                and monotonic() >= state.start_at
            ):
                self._launch(state)
            if state.process is not None and state.wanted and not state.ready:
                self._ask_ready(state)

    def _launch(self, state: ChildState) -> None:
        state.process = ChildProcess(state.child, self._console)
        state.started_at = monotonic()
        state.start_at = None
        state.ready = False
        self._reaper.watch(
            state.process.pid, state.rank, sum(stop.seconds for stop in state.child.stops)
        )
        log.debug("%s started as process %d", state.child.name, state.process.pid)

    def _ask_ready(self, state: ChildState) -> None:
        assert state.process is not None  # noqa: S101 - the caller probes living children only
        if state.child.is_ready(state.process.pid):
            log.info("%s is ready (process %d)", state.child.name, state.process.pid)
            state.ready = state.was_ready = True

    def _reap(self, state: ChildState, code: int) -> None:
        """Clear up after an ended child, and plan its next start unless stopped on purpose."""
        process = state.process
        assert process is not None  # noqa: S101 - the caller has read its exit code
        process.end_group()
        process.finish_output()
        self._reaper.forget(process.pid)
        state.process = None
        state.ready = False
        if not state.wanted:
            log.info("%s has stopped (%s)", state.child.name, ending(code))
            return
        state.deaths = 1 if monotonic() - state.started_at > STEADY_AFTER else state.deaths + 1
        wait = pause(state.deaths)
        state.start_at = monotonic() + wait
        log.error(
            "%s (process %d) died: %s; started again in %.1f s",
            state.child.name,
            process.pid,
            ending(code),
            wait,
        )

    def _stop(self, state: ChildState) -> None:
        """End a child; by the next harder signal at the end of its time, or at another
        stop signal.
        """
        stops = [*state.child.stops, Stop(signal.SIGKILL, 10)]
        for step, stop in enumerate(stops):
            if state.process is None:
                return
            if step:
                log.warning("%s is still there, now %s", state.child.name, stop.signal.name)
            else:
                log.info("stopping %s (process %d)", state.child.name, state.process.pid)
            state.process.send(stop.signal)
            self._wait_for_end(state, stop.seconds)

    def _wait_for_end(self, state: ChildState, seconds: float) -> None:
        """Wait for the child's end, for the end of its `seconds`, or for another stop signal.

        Logs every `SAY_EVERY` seconds that the child is still finishing.
        """
        signals_before = self._interrupts.count
        began = monotonic()
        logged_at = began
        while (
            state.process is not None
            and monotonic() < began + seconds
            and self._interrupts.count <= signals_before
        ):
            self._pass()
            if monotonic() > logged_at + SAY_EVERY:
                logged_at = monotonic()
                log.info(
                    "%s is still finishing, %.0f s of at most %.0f s",
                    state.child.name,
                    logged_at - began,
                    seconds,
                )
