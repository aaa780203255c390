"""Repairs schedules and calendars that Redis has lost: emptied, restored from a copy, or damaged.

    look       entries that differ from the history
    reconcile  the action on each: pure
    repair     writes, unless another writer was faster
    loop       times of looks, and turns among recorders

Beat's metadata changes with each tick. The healer compares it when Beat asks, at Beat's start
(`startup_check`).

During an outage of SQL or Redis nothing is decided. Must not publish messages, nor decide about
entries itself.
"""

import logging
import threading
from datetime import datetime
from typing import TYPE_CHECKING

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


class Healer:
    """Makes single looks, each with its repairs."""

    def __init__(
        self,
        redis: "Redis",
        stream: "EventStream",
        definitions: "Definitions",
        calendars: CalendarHealer,
    ) -> None:
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

        Raises Unavailable while Redis or SQL does not answer.
        """
        with answering(), outage.answering():
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
            reminded = self._repairer.remind(now)
        if reminded:
            log.warning(
                "Beat was about to fire ticks of %d schedules again; they are marked as fired",
                reminded,
            )
        return reminded
