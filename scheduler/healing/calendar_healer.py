"""Repairs exclusion calendars lost by Redis, before the schedules that name the calendars.

| Redis has | the history's newest fact | then |
| --- | --- | --- |
| nothing | saved | put back: the calendar was lost |
| an earlier revision | saved later | put back: Redis has an older copy |
| the same revision, unreadable or different | saved | put back: the calendar was damaged |
| an earlier revision | deleted later | delete again: back with an older copy of Redis |
| a later or unrecorded revision | any or none | tell the history |

Redis is read first; then the history catches up with all events up to the read; then the history is
read. So no edit is taken for damage. A script compares every byte before writing, and refuses after
a change in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from scheduler.errors import StaleRevision, UnreadableEntry
from scheduler.events.schema import CalendarDeleted, CalendarHealed, CalendarSaved
from scheduler.healing.notices import Repair
from scheduler.healing.repairs import ACTOR
from scheduler.history.recording.column_values import json_value
from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.schedules.batch import BatchEdit
from scheduler.schedules.calendar_cache import StoredCalendar, encode, fingerprint
from scheduler.schedules.calendar_changes import CalendarChange
from scheduler.schedules.reads import Listing
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.events.stream import EventStream
    from scheduler.history.queries.calendars import CalendarFact, CalendarHistory

What = Literal["restore", "delete", "tell"]

PLANNED: dict[What, str] = {
    "restore": "put back as it was saved",
    "delete": "delete again",
    "tell": "tell the history",
}
_DONE: dict[What, str] = {
    "restore": "put back as it was saved",
    "delete": "deleted again",
    "tell": "recovered for the history",
}


@dataclass(frozen=True)
class CalendarFinding:
    """A calendar that differs from the history, and the repair. `saved` is the desired calendar."""

    stored: StoredCalendar
    what: What
    why: str
    saved: SavedCalendar

    @property
    def name(self) -> str:
        """The calendar's name in a list of repairs."""
        return f"calendar {self.stored.name}"

    @property
    def planned(self) -> str:
        """The planned repair, in words."""
        return PLANNED[self.what]


class CalendarHealer:
    """Compares and repairs calendars. A look at unchanged calendars costs little."""

    def __init__(self, redis: "Redis", stream: "EventStream", history: "CalendarHistory") -> None:
        self._redis, self._stream, self._history = redis, stream, history
        self._together = BatchEdit(redis, Listing(redis))
        self._well: tuple[dict[str, str], int] | None = None

    def forget(self) -> None:
        """Compare every calendar at the next look."""
        self._well = None

    def findings(self, wait_for_history: Callable[[], None]) -> list[CalendarFinding]:
        """Return all calendars that differ now.

        `wait_for_history` is called between the read of Redis and the read of the history.
        """
        looked = self._look_well()
        if looked == self._well:
            return []
        names = self._together.calendar_names()
        stored = {one.name: one for one in self._together.read_calendars(sorted(names))}
        wait_for_history()
        facts = self._history.facts()
        for fact in facts:
            stored.setdefault(fact.name, StoredCalendar(fact.name, None, None))
        found = [finding for one in stored.values() if (finding := decide(one, facts)) is not None]
        self._well = looked if not found else None
        return found

    def repair(self, findings: Sequence[CalendarFinding], now: datetime) -> list[Repair]:
        """Repair the findings. Returns the repairs made.

        A calendar that changed meanwhile is left to the next look.
        """
        done: list[Repair] = []
        for finding in findings:
            try:
                self._mend(finding, now)
            except StaleRevision:
                continue
            done.append(Repair(finding.name, _DONE[finding.what], finding.why))
        return done

    def _look_well(self) -> tuple[dict[str, str], int]:
        """Return a state that changes with every calendar, in Redis or in the history."""
        versions: Any = self._redis.hgetall(keys.CALENDAR_VERSIONS_HASH)
        texts: Any = self._redis.hlen(keys.CALENDARS_HASH)
        return {**versions, "": str(texts)}, self._history.newest_key()

    def _mend(self, finding: CalendarFinding, now: datetime) -> None:
        saved, stored = finding.saved, finding.stored
        about: dict[str, Any] = {"uid": saved.uid, "revision": saved.revision, "calendar": saved}
        if finding.what == "tell":
            self._stream.append(
                CalendarSaved(
                    **about,
                    at=saved.updated_at,
                    actor=saved.updated_by,
                    comment="recovered from Redis: the history did not have it",
                    action="recovered",
                )
            )
            return
        kind = CalendarHealed if finding.what == "restore" else CalendarDeleted
        event = kind(**about, at=now, actor=ACTOR, comment=finding.why)
        text = encode(saved) if finding.what == "restore" else None
        self._together.write_calendars(
            [CalendarChange(stored.name, stored.text, text, saved, event)]
        )


def decide(stored: StoredCalendar, facts: "list[CalendarFact]") -> CalendarFinding | None:
    """Return the finding for a calendar, which may be absent; None for a calendar in order. Pure.

    `facts` are the history's newest facts, in order.
    """
    named = [fact for fact in facts if fact.name == stored.name]
    newest = named[-1] if named else None
    held = _held(stored)
    known = next((fact for fact in facts if held is not None and fact.uid == held.uid), newest)
    saved = None if known is None else _saved(known)
    if held is not None and (
        known is None or known.uid != held.uid or held.revision > known.revision
    ):
        return CalendarFinding(stored, "tell", "the history did not know it", held)
    if known is None or saved is None:
        return None
    if known.action == "deleted":
        if held is None or held.revision >= known.revision:
            return None
        gone = saved.model_copy(update={"revision": known.revision})
        return CalendarFinding(stored, "delete", "it came back with an older copy of Redis", gone)
    why = _harm(stored, held, saved)
    return None if why is None else CalendarFinding(stored, "restore", why, saved)


def _harm(stored: StoredCalendar, held: SavedCalendar | None, saved: SavedCalendar) -> str | None:
    """Return the damage of a calendar last saved as `saved`; None for a calendar in order."""
    if stored.text is None:
        return "it was gone from Redis"
    if held is not None and held.revision < saved.revision:
        return f"Redis had an older copy, of revision {held.revision}"
    if held is None or json_value(held.to_json()) != json_value(saved.to_json()):
        return "what Redis had was not what was saved"
    return None if stored.version == fingerprint(stored.text) else "its fingerprint was not its own"


def _held(stored: StoredCalendar) -> SavedCalendar | None:
    try:
        return None if stored.text is None else stored.decode()
    except UnreadableEntry:
        return None


def _saved(fact: "CalendarFact") -> SavedCalendar | None:
    """Return the calendar of a fact; None for a definition that this version cannot read."""
    try:
        return SavedCalendar.model_validate(fact.definition)
    except ValidationError:
        return None
