"""Looks at the exclusion calendars, and repairs what Redis has lost of them: before the schedules
that name them.

| Redis has | the history's newest word | then |
| --- | --- | --- |
| nothing | saved | put back: it was lost |
| an earlier revision | saved later | put back: Redis was set back |
| the same revision, unreadable or with other content | saved | put back: it was damaged |
| an earlier revision | deleted later | delete again: it came back with an old copy |
| a later revision, or one that it never heard of | anything | tell the history |

Redis is read first; then the history is seen to have heard of all that was said until then; then it
is asked. So no edit is taken for damage. What changes meanwhile makes the script refuse, which
compares every byte.
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
    """A calendar that is not as it should be, and what is to be done. `saved` is the calendar that
    this is about.
    """

    stored: StoredCalendar
    what: What
    why: str
    saved: SavedCalendar

    @property
    def name(self) -> str:
        """What a list of repairs calls it."""
        return f"calendar {self.stored.name}"

    @property
    def planned(self) -> str:
        """What a repair would do."""
        return PLANNED[self.what]


class CalendarHealer:
    """Compares and repairs. Remembers what was well, so that a look at unchanged calendars costs
    little.
    """

    def __init__(self, redis: "Redis", stream: "EventStream", history: "CalendarHistory") -> None:
        self._redis, self._stream, self._history = redis, stream, history
        self._together = BatchEdit(redis, Listing(redis))
        self._well: tuple[dict[str, str], int] | None = None

    def forget(self) -> None:
        """Begin anew: trust no earlier look."""
        self._well = None

    def findings(self, wait_for_history: Callable[[], None]) -> list[CalendarFinding]:
        """All that is wrong."""
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
        """Repair what was found, and tell what was done. Where somebody was quicker, the next look
        sees to it.
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
        """What changes whenever a calendar does: here, or in the history."""
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
    """What to do about a calendar, which may be nothing at all. `facts` are the newest words, in
    order. Pure.
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
    """What is wrong with a calendar that was last heard of as `saved`."""
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
    """The calendar of a fact; none where another version wrote what this one cannot read."""
    try:
        return SavedCalendar.model_validate(fact.definition)
    except ValidationError:
        return None
