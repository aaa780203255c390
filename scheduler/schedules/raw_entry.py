"""An entry as stored in Redis, and its row in a list. Reads and writes no Redis."""

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
    """A row of a list: the schedule, or the problem of an unreadable entry.

    `next` and `last_run_at` are Beat's.
    """

    name: str
    schedule: Schedule | None
    problem: str | None
    next: datetime | None
    last_run_at: datetime | None
    diverged: bool = False
    """Plain RedBeat code has rewritten the definition since the last save in Beatdesk."""

    code: Schedule | None = None
    """The schedule as code defines it, where an override stands on a static entry."""

    code_has_changed: bool = False
    """Whether code has changed since the override was saved."""

    runs: int = 0
    """The number of runs sent by Beat, which `max_runs` limits."""

    calendar: Calendar | None = None
    """The current calendar of the schedule."""

    @property
    def lacks_calendar(self) -> bool:
        """Whether the schedule's calendar is missing or damaged; nothing fires until its repair."""
        return (
            self.schedule is not None
            and self.schedule.window.calendar is not None
            and self.calendar is None
        )


@dataclass(frozen=True)
class SchedulePage:
    """A part of a list. `next` is the name to continue after, `total` the length of the list."""

    items: list[ScheduleRow]
    next: str | None
    total: int
    is_counted: bool = True
    """Whether `total` counts the whole list; a filtered list is read no further than its page."""


class RawEntry(NamedTuple):
    """An entry as stored in Redis. `fault` is set where the key has another type."""

    name: str
    raw: Raw
    static: bool
    score: float | None
    fault: str | None = None
    aside: str | None = None
    """Beat's record of a quarantine, with its reason."""

    def check_exists(self) -> None:
        """Raise NotFound for an absent entry."""
        if self.name.startswith(":") or (self.score is None and self.raw == Raw(None, None, None)):
            raise NotFound(
                f"there is no schedule {self.name!r}; `beatdesk schedules list` shows all"
            )

    def decode(self) -> StoredSchedule:
        """Return the schedule with definition and metadata. Raises UnreadableEntry."""
        if self.fault:
            raise UnreadableEntry(self.fault)
        return codec.decode(self.name, self.raw, static=self.static)

    def schedule(self) -> Schedule | None:
        """Return the schedule; None for an unreadable entry."""
        try:
            return self.decode().schedule
        except UnreadableEntry:
            return None

    @property
    def why_aside(self) -> str | None:
        """The reason of a quarantine; None for an entry that Beat runs, or repaired since."""
        return (
            quarantine.reason_of(self.aside, self.raw)
            if self.score is not None and self.score < 0
            else None
        )

    def listed(self, calendars: Mapping[str, Calendar] = NO_CALENDARS) -> ScheduleRow:
        """Return the row of a list. `calendars` holds the calendars that schedules may name."""
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
    """Return a schedule with the readable parts of an entry, for the event of its deletion."""
    uid, revision = plain_uid(stored.name), 0
    definition: Any = None
    text = sendable(stored.raw.definition or "")
    try:
        definition = json.loads(sendable(json.dumps(json.loads(text), ensure_ascii=False)))
        extra = extra_field.decode(stored.raw.extra) if stored.raw.extra else None
        uid, revision = (extra.uid, extra.revision) if extra is not None else (uid, revision)
    except (ValueError, RecursionError, BeatdeskError) as error:
        log.debug("of the entry %r only the text remains: %s", stored.name, error)
    fields = definition if isinstance(definition, dict) else {}
    schedule = fields.get("schedule")
    return Schedule(
        name=stored.name,
        job=str(fields.get("task") or "unknown"),
        enabled=False,
        when=RedBeatWhen(schedule=schedule if isinstance(schedule, dict) else {}),
        notes=f"unreadable: {text}"[:2000],
        uid=uid,
        revision=revision,
        origin="redbeat",
    )


def sendable(text: str) -> str:
    """Return the text with a question mark in place of each lone surrogate, fit for UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _next(entry: StoredSchedule, score: float | None, calendar: Calendar | None) -> datetime | None:
    """Return the next tick that runs; for a schedule only RedBeat computes, its score as a time."""
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
    """Whether Beat has sent a run. The `last_run_at` of an operator's new entry is not a run."""
    return entry.schedule.origin != "operator" or bool(entry.meta.total_run_count)
