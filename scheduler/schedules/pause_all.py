"""Pause everything, and resume it: each schedule is paused by itself, so that each says so, and
Beat knows no more.

A flag in Redis remembers by whom, why and since when; those that were paused before, or again
since, are not touched when everything is resumed. Schedules that are made in the meantime are not
paused.
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
    """The schedules that it was done to, the runs that it started, and what was refused, by
    name.
    """

    names: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class PauseAll:
    """All schedules at once."""

    def __init__(self, redis: "Redis", store: "ScheduleStore", operations: Operations) -> None:
        self._redis = redis
        self._store = store
        self._operations = operations

    def paused(self, now: datetime) -> Pause | None:
        """Why everything is paused, by whom and since when; none where it is not."""
        with answering():
            text = cast("str | None", self._redis.get(keys.EVERYTHING_PAUSED))
        if text is None:
            return None
        try:
            pause = Pause.model_validate_json(text)
        except ValidationError:
            return None
        return pause if pause.until is None or now < pause.until else None

    def pause(self, *, reason: str, until: datetime | None = None, edit: Edit) -> Outcome:
        """Pause every schedule that is on and not paused."""
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
        """Resume every schedule that was paused with everything, and not on its own since."""
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
        """Do it to each that is wanted; one that is refused does not keep the others from it."""
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
        """The names of those that are wanted, and why others cannot be read."""
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


def _is_part_of(pause: Pause | None, everything: Pause) -> bool:
    """Whether a schedule's pause is the one of everything."""
    return pause is not None and (pause.since, pause.by) == (everything.since, everything.by)
