"""Repairs what Redis has lost of schedules and calendars: emptied, set back, or damaged.

    look       what is not as the history has it
    reconcile  what is to be done about it: pure
    repair     writes it, unless somebody was quicker
    loop       when to look, and whose turn it is

Beat's own memory changes with each tick, and is compared when Beat asks for it, at its start
(`startup_check`).

While SQL or Redis is away, nothing is decided. Must not publish messages, nor decide anything about
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
"""How often a look is repeated at once where somebody was quicker."""


class Healer:
    """One healer: single looks, each with its repairs."""

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
        """How many entries the last look saw."""
        return self._look.entries

    def stop_with(self, stop: threading.Event) -> None:
        """End a wait for the history when `stop` is set."""
        self._look.stop = stop

    def forget(self) -> None:
        """Trust no earlier look."""
        self._look.forget()

    def run_once(self, now: datetime) -> list[Repair]:
        """One look, and all repairs that it calls for. Raises Unavailable while Redis or SQL cannot
        serve.
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
        """What a look at all schedules would repair; changes nothing. Raises Unavailable."""
        with answering(), outage.answering():
            self._look.forget()
            return self._look.findings()

    def calendar_findings(self) -> list[CalendarFinding]:
        """What a look at all calendars would repair; changes nothing. Raises Unavailable."""
        with answering(), outage.answering():
            self._calendars.forget()
            return self._calendars.findings(self._look.wait_for_history)

    def remind(self, now: datetime) -> int:
        """Tell Beat's memory of ticks that the history has heard of, and that it lacks. Returns how
        many entries it lacked. Raises Unavailable.
        """
        with answering(), outage.answering():
            reminded = self._repairer.remind(now)
        if reminded:
            log.warning(
                "Beat was about to fire ticks of %d schedules again; they are marked as fired",
                reminded,
            )
        return reminded
