"""One entry as Redis holds it, and the line of a list that it becomes. Reads and writes nothing."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from scheduler.errors import BeatdeskError, NotFound, UnreadableEntry
from scheduler.redbeat import codec, extra_field, overrides, quarantine
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import plain_uid
from scheduler.rules.model.spec import RedBeatWhen, Schedule
from scheduler.rules.policies.window import live_next_tick

log = logging.getLogger(__name__)

NO_CALENDARS: Mapping[str, Calendar] = {}


@dataclass(frozen=True)
class ScheduleRow:
    """A line of a list: the schedule, or what is wrong with the entry. `next` and `last_run_at` as
    Beat sees them.
    """

    name: str
    schedule: Schedule | None
    problem: str | None
    next: datetime | None
    last_run_at: datetime | None
    diverged: bool = False
    """Plain RedBeat code has rewritten the definition since it was last saved here."""

    code: Schedule | None = None
    """What code alone would have, where an override stands on a static entry."""

    code_has_changed: bool = False
    """Since the override was put."""

    runs: int = 0
    """How many runs Beat has sent, which `max_runs` counts."""

    calendar: Calendar | None = None
    """The calendar that the schedule names, as it is now."""

    @property
    def lacks_calendar(self) -> bool:
        """Whether the calendar that the schedule names is gone or damaged, so that nothing fires
        until it is back.
        """
        return (
            self.schedule is not None
            and self.schedule.window.calendar is not None
            and self.calendar is None
        )


@dataclass(frozen=True)
class SchedulePage:
    """Part of a list. `next` is the name to go on after, `total` the length of the list, as far as
    it is known.
    """

    items: list[ScheduleRow]
    next: str | None
    total: int
    is_counted: bool = True
    """Whether `total` is all; a filtered list is read no further than what is shown."""


class RawEntry(NamedTuple):
    """An entry as it lies in Redis. `fault` says that the key holds something else."""

    name: str
    raw: Raw
    static: bool
    score: float | None
    fault: str | None = None
    aside: str | None = None
    """Why Beat has set it aside, as Beat noted it."""

    def check_exists(self) -> None:
        """Raise NotFound where there is nothing under this name."""
        if self.name.startswith(":") or (self.score is None and self.raw == Raw(None, None, None)):
            raise NotFound(
                f"there is no schedule {self.name!r}; `beatdesk schedules list` shows all"
            )

    def decode(self) -> StoredSchedule:
        """The schedule with its surroundings. Raises UnreadableEntry."""
        if self.fault:
            raise UnreadableEntry(self.fault)
        return codec.decode(self.name, self.raw, static=self.static)

    def schedule(self) -> Schedule | None:
        """The schedule, none where the entry cannot be read."""
        try:
            return self.decode().schedule
        except UnreadableEntry:
            return None

    @property
    def why_aside(self) -> str | None:
        """Why Beat does not run an entry that can be read; none where it does, or was mended
        since.
        """
        return (
            quarantine.reason_of(self.aside, self.raw)
            if self.score is not None and self.score < 0
            else None
        )

    def listed(self, calendars: Mapping[str, Calendar] = NO_CALENDARS) -> ScheduleRow:
        """As a line of a list; `calendars` has those that the schedule may name."""
        try:
            entry = self.decode()
        except UnreadableEntry as error:
            return ScheduleRow(
                self.name, schedule=None, problem=str(error), next=None, last_run_at=None
            )
        named = entry.schedule.window.calendar
        calendar = None if named is None else calendars.get(named)
        return ScheduleRow(
            self.name,
            schedule=entry.schedule,
            problem=self.why_aside,
            next=None if self.why_aside else _next(entry, self.score, calendar),
            calendar=calendar,
            last_run_at=entry.meta.last_run_at if _has_run(entry) else None,
            diverged=entry.diverged and entry.schedule.origin != "code",
            code=overrides.code_of(entry) if entry.schedule.override is not None else None,
            code_has_changed=overrides.is_outdated(entry),
            runs=entry.meta.total_run_count or 0,
        )


def remains_of(stored: RawEntry) -> Schedule:
    """As much of an unreadable entry as can be told, for the event that says it was deleted."""
    uid, revision = plain_uid(stored.name), 0
    definition: Any = None
    text = sendable(stored.raw.definition or "")
    try:
        definition = json.loads(sendable(json.dumps(json.loads(text), ensure_ascii=False)))
        ours = extra_field.decode(stored.raw.extra) if stored.raw.extra else None
        uid, revision = (ours.uid, ours.revision) if ours is not None else (uid, revision)
    except (ValueError, RecursionError, BeatdeskError) as error:
        log.debug("of the entry %r only the text remains: %s", stored.name, error)
    known = definition if isinstance(definition, dict) else {}
    schedule = known.get("schedule")
    return Schedule(
        name=stored.name,
        job=str(known.get("task") or "unknown"),
        enabled=False,
        when=RedBeatWhen(schedule=schedule if isinstance(schedule, dict) else {}),
        notes=f"unreadable: {text}"[:2000],
        uid=uid,
        revision=revision,
        origin="redbeat",
    )


def sendable(text: str) -> str:
    """The text without what is no text: bytes that were not UTF-8, halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()


def _next(entry: StoredSchedule, score: float | None, calendar: Calendar | None) -> datetime | None:
    """The next tick that runs; what only RedBeat computes is taken from its score."""
    schedule, last = entry.schedule, entry.meta.last_run_at
    if not schedule.enabled or (schedule.window.calendar is not None and calendar is None):
        return None
    if last is not None and not isinstance(schedule.when, RedBeatWhen):
        return live_next_tick(
            schedule.model_copy(update={"when": codec.anchored(schedule.when, entry.meta)}),
            last,
            runs=entry.meta.total_run_count or 0,
            calendar=calendar,
        )
    return datetime.fromtimestamp(score, UTC) if score is not None and score >= 0 else None


def _has_run(entry: StoredSchedule) -> bool:
    """Whether Beat has sent it; a new entry of ours has a `last_run_at` that is no run."""
    return entry.schedule.origin != "operator" or bool(entry.meta.total_run_count)
