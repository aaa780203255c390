"""Pause and resume of all schedules: each schedule gets a pause of its own, and Beat needs no flag.

A record in Redis holds author, reason and start of the common pause. Schedules that were paused
before, or paused anew since, stay paused at the common resume. Schedules created during the common
pause are not paused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from scheduler.errors import BeatdeskError, NotFound, Refused, UnreadableEntry
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Pause, Schedule
from scheduler.rules.policies.window import is_paused
from scheduler.schedules.operations import Missed, Operations, check_pause
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.schedules.store import ScheduleStore


@dataclass
class Outcome:
    """The names of the changed schedules, the ids of started runs, and the refusals by name."""

    names: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class PauseAll:
    """Pauses and resumes all schedules."""

    def __init__(self, redis: "Redis", store: "ScheduleStore", operations: Operations) -> None:
        self._redis = redis
        self._store = store
        self._operations = operations

    def paused(self, now: datetime) -> Pause | None:
        """Return the common pause in force at `now`; None without a common pause."""
        with answering():
            text = cast("str | None", self._redis.get(keys.EVERYTHING_PAUSED))
        pause = None if text is None else pause_of(text)
        if pause is None:
            return None
        return pause if pause.until is None or now < pause.until else None

    def pause(self, *, reason: str, until: datetime | None = None, edit: Edit) -> Outcome:
        """Pause every schedule that is enabled and not paused.

        `until` is aware; None means until the common resume. Raises Refused for a bad reason or
        end, or while a common pause is in force.
        """
        check_pause(reason, until, edit.now)
        if self.paused(edit.now) is not None:
            raise Refused("everything is paused already; resume it first", field="reason")
        pause = Pause(reason=reason.strip(), by=edit.actor, since=edit.now, until=until)
        with answering():
            self._redis.set(keys.EVERYTHING_PAUSED, pause.model_dump_json())

        def act(name: str) -> list[str]:
            self._operations.pause(name, reason=reason, until=until, edit=edit)
            return []

        return self._each(
            lambda schedule: schedule.enabled and not is_paused(schedule, edit.now), act
        )

    def resume(self, *, missed: Missed = "skip", edit: Edit) -> Outcome:
        """Resume every schedule of the common pause, except schedules paused anew since.

        `missed` decides about ticks of the pause, as for a single schedule. Raises Refused where no
        common pause is in force.
        """
        pause = self.paused(edit.now)
        if pause is None:
            raise Refused(
                "everything is not paused; schedules that are paused on their own are resumed by "
                "name"
            )
        outcome = self._each(
            lambda schedule: is_paused(schedule, edit.now) and _is_part_of(schedule.paused, pause),
            lambda name: self._operations.resume(name, missed=missed, edit=edit).runs,
        )
        with answering():
            self._redis.delete(keys.EVERYTHING_PAUSED)
        return outcome

    def _each(self, wanted: Callable[[Schedule], bool], act: Callable[[str], list[str]]) -> Outcome:
        """Apply `act` to each wanted schedule. A refusal does not stop the others."""
        names, refused = self._chosen(wanted)
        outcome = Outcome(refused=refused)
        for name in names:
            try:
                outcome.runs += act(name)
            except (Refused, NotFound, UnreadableEntry) as error:
                outcome.refused[name] = str(error)
            else:
                outcome.names.append(name)
        return outcome

    def _chosen(self, wanted: Callable[[Schedule], bool]) -> tuple[list[str], dict[str, str]]:
        """Return the wanted schedules' names, and the errors of unreadable entries by name."""
        names: list[str] = []
        unreadable: dict[str, str] = {}
        for stored in self._store.stored():
            try:
                schedule = stored.decode().schedule
            except BeatdeskError as error:
                unreadable[stored.name] = str(error)
                continue
            if wanted(schedule):
                names.append(stored.name)
        return names, unreadable


def pause_of(text: str) -> Pause | None:
    """Return the pause in the record; None for a text not written by Beatdesk."""
    try:
        return Pause.model_validate_json(text)
    except ValidationError:
        return None


def _is_part_of(pause: Pause | None, everything: Pause) -> bool:
    """Whether a schedule's pause is the common pause."""
    return pause is not None and (pause.since, pause.by) == (everything.since, everything.by)
