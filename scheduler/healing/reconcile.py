"""Compares Redis with the history: entries lost, restored from an older copy, or damaged. Pure.

Redis is the truth about the future. The rule is therefore: any state that an operator or code may
have caused on purpose stays.

| Redis has | the history's newest fact | then |
| --- | --- | --- |
| nothing | saved | put back: the entry was lost |
| nothing | saved; code owned the entry, and no longer has it | tell the history: dropped |
| nothing, and a tombstone | saved, with no later revision | tell the history: deleted |
| an earlier revision | saved later | put back: Redis has an older copy |
| the same revision, unreadable or different | saved | put back: the entry was damaged |
| an earlier revision | deleted later | delete again: back with an older copy of Redis |
| a later revision, or an unrecorded schedule of Beatdesk | any or none | tell the history |
| a definition rewritten by plain RedBeat code | saved | leave: an edit |
| an entry of plain RedBeat code | none, or deleted | leave |

The caller makes sure that the history includes all events about an entry up to its read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from scheduler.errors import UnreadableEntry
from scheduler.history.queries.last_word import supersedes
from scheduler.history.queries.views import Saved
from scheduler.history.recording.column_values import json_value
from scheduler.redbeat import extra_field
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.redbeat.fingerprints import NOTHING
from scheduler.rules.model.identity import plain_uid
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.raw_entry import RawEntry


class What(Enum):
    """The action on an entry."""

    LEAVE = "leave"
    COMPARE = "compare"
    """Leave an entry with the content of the history's revision; restore any other as damaged."""

    RESTORE = "restore"
    DELETE = "delete"
    TELL = "tell"
    DROPPED = "dropped"
    """Tell the history that code has dropped the entry."""

    BURIED = "buried"
    """Tell the history of a deletion; the history itself was restored from an older copy."""


@dataclass(frozen=True)
class Damage:
    """A decision with the reason. `fact` is the history's newest fact, where needed."""

    what: What
    why: str = ""
    fact: Saved | None = None
    buried: int = 0
    """The revision of the deletion, for `BURIED`."""


LEAVE = Damage(What.LEAVE)


class Book:
    """The history's newest fact about each schedule, and about each name."""

    def __init__(self) -> None:
        self._by_uid: dict[str, Saved] = {}
        self._by_name: dict[str, Saved] = {}

    def take(self, facts: Iterable[Saved]) -> None:
        """Add facts, in any order."""
        for fact in facts:
            known = self._by_uid.get(fact.uid)
            if known is None or is_newer(fact, known):
                self._by_uid[fact.uid] = fact
            named = self._by_name.get(fact.name)
            if named is None or is_newer(fact, named):
                self._by_name[fact.name] = fact

    def of(self, uid: str) -> Saved | None:
        """Return the newest fact about the schedule with the id `uid`; None without a fact."""
        return self._by_uid.get(uid)

    def named(self, name: str) -> Saved | None:
        """Return the newest fact about any schedule called `name`; None without a fact."""
        return self._by_name.get(name)

    def living(self) -> list[str]:
        """Return the names of all schedules not deleted."""
        return [name for name, fact in self._by_name.items() if fact.action != "deleted"]


def is_newer(fact: Saved, known: Saved) -> bool:
    """Whether `fact` is newer than `known`, for the same schedule or the same name."""
    if fact.uid != known.uid:
        return (fact.at, fact.key) > (known.at, known.key)
    return supersedes(fact, known)


def decide(
    stored: RawEntry,
    book: Book,
    statics_published: bool = False,
    tombstones: Mapping[str, int] = MappingProxyType({}),
) -> Damage:
    """Return the action on the entry `stored`, which may be absent.

    `tombstones` has revisions of deletions by uid. `statics_published` is true once a Beat has
    published the static entries; a static entry missing from the published ones was dropped by
    code.
    """
    if stored.fault:
        return LEAVE  # the key belongs to another program
    if stored.raw == NOTHING:
        return _about_nothing(stored, book.named(stored.name), statics_published, tombstones)
    try:
        entry = stored.decode()
    except UnreadableEntry as error:
        return _about_unreadable(stored, book, str(error))
    if stored.score is None:
        fact = book.named(stored.name)
        return (
            LEAVE
            if _is_gone(fact)
            else Damage(What.RESTORE, "Beat's list of due times lacked it", fact)
        )
    if stored.raw.extra is None:
        fact = book.of(plain_uid(stored.name)) or book.named(stored.name)
        return (
            LEAVE
            if _is_gone(fact)
            else Damage(What.RESTORE, "what is ours of the entry was gone", fact)
        )
    return _about_ours(entry, book.of(entry.schedule.uid))


def _about_nothing(
    stored: RawEntry, fact: Saved | None, statics_published: bool, tombstones: Mapping[str, int]
) -> Damage:
    """Return the action on an absent entry."""
    if fact is None or _is_gone(fact):
        return LEAVE
    buried = tombstones.get(fact.uid, 0)
    if buried >= fact.revision:
        return Damage(What.BURIED, "Redis remembers that it was deleted", fact, buried)
    if fact.origin == "code" and statics_published and not stored.static:
        return Damage(What.DROPPED, "code (beat_schedule) has it no more", fact)
    return Damage(What.RESTORE, "it was gone from Redis", fact)


def _about_ours(entry: StoredSchedule, fact: Saved | None) -> Damage:
    """Return the action on a readable entry with Beatdesk's field."""
    schedule = entry.schedule
    if fact is None:
        return Damage(What.TELL, "the history did not know it")
    if fact.name != schedule.name:
        return LEAVE  # a copy of another entry; the intended one cannot be told
    revision = schedule.revision - entry.diverged
    if fact.action == "deleted":
        return _about_deleted(revision, fact)
    held, saved = (
        (revision, _or_first(schedule.updated_at)),
        (fact.revision, _or_first(fact.saved_at)),
    )
    if held > saved:
        return Damage(What.TELL, f"the history knew revision {fact.revision} of another time")
    if held < saved:
        return Damage(What.RESTORE, f"Redis had an older copy, of revision {revision}", fact)
    return (
        LEAVE
        if entry.diverged
        else Damage(What.COMPARE, "what Redis had was not what was saved", fact)
    )


def _about_deleted(revision: int, fact: Saved) -> Damage:
    """Return the action on an entry of Beatdesk deleted according to the history."""
    if revision > fact.revision:
        return Damage(What.TELL, "the history knew it as deleted only")
    came_back = revision < fact.revision
    return (
        Damage(What.DELETE, "it came back with an older copy of Redis", fact)
        if came_back
        else LEAVE
    )


def _about_unreadable(stored: RawEntry, book: Book, problem: str) -> Damage:
    """Return the action on an entry unreadable to Beat."""
    fact = book.named(stored.name)
    ours = _own_field(stored.raw)
    if ours is not None:
        fact = book.of(ours.uid)
        if (
            fact is not None
            and fact.action == "deleted"
            and fact.name == stored.name
            and ours.revision < fact.revision
        ):
            return Damage(What.DELETE, "it came back with an older copy of Redis", fact)
    if fact is None or _is_gone(fact) or fact.name != stored.name:
        return LEAVE
    return Damage(What.RESTORE, f"it could not be read: {problem}", fact)


def same_content(schedule: Schedule, definition: Any) -> bool:
    """Whether an entry equals the revision in the history; true for an unreadable revision."""
    saved = saved_schedule(definition)
    return saved is None or json_value(schedule.to_json()) == json_value(saved.to_json())


def saved_schedule(definition: Any) -> Schedule | None:
    """Return the schedule of a revision; None for a definition that this version cannot read."""
    try:
        return Schedule.model_validate(definition)
    except ValidationError:
        return None


def _own_field(raw: Raw) -> extra_field.Extra | None:
    try:
        return extra_field.decode(raw.extra) if raw.extra else None
    except UnreadableEntry:
        return None


def _is_gone(fact: Saved | None) -> bool:
    return fact is None or fact.action == "deleted"


def _or_first(moment: datetime | None) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if moment is None else moment
