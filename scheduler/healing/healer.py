"""Repairs schedules and calendars lost by Redis: emptied, restored from a copy, or damaged.

    look       entries that differ from the history
    reconcile  the action on each: pure
    repair     writes, unless another writer was faster
    loop       times of looks, and turns among recorders

Beat's metadata changes with each tick. The healer compares the metadata when Beat asks, at Beat's
start (`startup_check`).

During an outage of SQL or Redis nothing is decided. Must not publish messages, nor decide about
entries itself.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.errors import Unavailable
from scheduler.healing.calendar_healer import CalendarFinding, CalendarHealer
from scheduler.healing.look import Finding, Look
from scheduler.healing.notices import Notices, Repair
from scheduler.healing.repair import Repairer
from scheduler.history import outage
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.definitions import Definitions

log = logging.getLogger(__name__)

_RACES = 3
"""The most looks in a row while other writers are faster."""


class WrongHistory(Unavailable):
    """The database is another history, or an older copy, and may have schedules deleted since."""


class Healer:
    """Makes single looks, each with its repairs."""

    def __init__(
        self,
        redis: "Redis",
        stream: "EventStream",
        definitions: "Definitions",
        calendars: CalendarHealer,
        history_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`history_problem` returns why the database is not the recorded history, or None.

        A database restored from a copy is not the recorded history. Nothing is repaired from a
        wrong history.
        """
        self._history_problem = history_problem
        self._calendars = calendars
        self._look = Look(redis, stream, definitions)
        self._repairer = Repairer(redis, stream, definitions, self._look)
        self._notices = Notices(redis)

    @property
    def entries(self) -> int:
        """The number of entries at the last look."""
        return self._look.entries

    def stop_with(self, stop: threading.Event) -> None:
        """End a wait for the history when `stop` is set."""
        self._look.stop = stop

    def forget(self) -> None:
        """Compare every entry at the next look."""
        self._look.forget()

    def run_once(self, now: datetime) -> list[Repair]:
        """Look once, and repair. Returns the repairs made.

        Raises Unavailable while Redis or SQL does not answer, WrongHistory while an operator has
        to decide about the history.
        """
        with answering(), outage.answering():
            self._refuse_wrong_history()
            done: list[Repair] = []
            calendars = self._calendars.findings(self._look.wait_for_history)
            for _ in range(_RACES):
                findings = self._look.findings()
                done += self._calendars.repair(calendars, now)
                calendars = []
                repaired = self._repairer.repair(findings, now)
                done += repaired.done
                if not repaired.was_late:
                    break
            if done:
                self._notices.add(done, now)
        return done

    def _refuse_wrong_history(self) -> None:
        """Raise WrongHistory where the database is not the recorded history."""
        problem = self._history_problem()
        if problem is not None:
            raise WrongHistory(f"nothing is put back into Redis: {problem}")

    def findings(self) -> list[Finding]:
        """Return the entries that a look would repair; changes nothing. Raises Unavailable."""
        with answering(), outage.answering():
            self._look.forget()
            return self._look.findings()

    def calendar_findings(self) -> list[CalendarFinding]:
        """Return the calendars that a look would repair; changes nothing. Raises Unavailable."""
        with answering(), outage.answering():
            self._calendars.forget()
            return self._calendars.findings(self._look.wait_for_history)

    def remind(self, now: datetime) -> int:
        """Write ticks from the history into Beat's metadata, where missing.

        Returns the number of entries written. Raises Unavailable.
        """
        with answering(), outage.answering():
            self._refuse_wrong_history()
            reminded = self._repairer.remind(now)
        if reminded:
            log.warning(
                "Beat was about to fire ticks of %d schedules again; they are marked as fired",
                reminded,
            )
        return reminded
