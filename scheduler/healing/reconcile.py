"""What Redis holds, held against what the history knows: which entries were lost, set back or
damaged. Pure.

Redis is the truth about the future, so that the rule is: what somebody may have done on purpose
stands.

| Redis has | the history's newest word | then | | --- | --- | --- | | nothing | saved | put back:
it was lost | | nothing | saved, of an entry that code owned and names no more | tell the history:
the code has dropped it | | an earlier revision | saved later | put back: Redis was set back | | the
same revision, unreadable or with other content | saved | put back: it was damaged | | an earlier
revision | deleted later | delete again: it came back with an old copy | | a later revision, or a
schedule of ours that it never heard of | anything | tell the history | | a definition that plain
RedBeat code has rewritten | saved | leave: that is an edit | | an entry of plain RedBeat code |
nothing, or deleted | leave |

The history must have heard of everything that happened to an entry before it was read; the caller
sees to that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
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
    """What is to be done about an entry."""

    LEAVE = "leave"
    COMPARE = "compare"
    """Leave it, if its content is that of the history's revision; otherwise it was damaged."""

    RESTORE = "restore"
    DELETE = "delete"
    TELL = "tell"
    DROPPED = "dropped"
    """Tell the history that code has dropped the entry."""


@dataclass(frozen=True)
class Damage:
    """A decision, and why. `fact` is the history's newest word, where it matters."""

    what: What
    why: str = ""
    fact: Saved | None = None


LEAVE = Damage(What.LEAVE)


class Book:
    """The history's newest word about each schedule, and about each name."""

    def __init__(self) -> None:
        self._by_uid: dict[str, Saved] = {}
        self._by_name: dict[str, Saved] = {}

    def take(self, facts: Iterable[Saved]) -> None:
        """Read on."""
        for fact in facts:
            known = self._by_uid.get(fact.uid)
            if known is None or is_newer(fact, known):
                self._by_uid[fact.uid] = fact
            named = self._by_name.get(fact.name)
            if named is None or is_newer(fact, named):
                self._by_name[fact.name] = fact

    def of(self, uid: str) -> Saved | None:
        """The newest word about a schedule."""
        return self._by_uid.get(uid)

    def named(self, name: str) -> Saved | None:
        """The newest word about whatever schedule had this name."""
        return self._by_name.get(name)

    def living(self) -> list[str]:
        """The names of all schedules that were not deleted."""
        return [name for name, fact in self._by_name.items() if fact.action != "deleted"]


def is_newer(fact: Saved, known: Saved) -> bool:
    """Which of two facts about one schedule, or one name, is the last word."""
    if fact.uid != known.uid:
        return (fact.at, fact.key) > (known.at, known.key)
    return supersedes(fact, known)


def decide(stored: RawEntry, book: Book, code_has_spoken: bool = False) -> Damage:
    """What to do about the entry `stored`, which may be nothing at all.

    `code_has_spoken`: a Beat has told which static entries there are, so that one that is none has
    been dropped.
    """
    if stored.fault:
        return LEAVE  # the key is somebody else's
    if stored.raw == NOTHING:
        return _about_nothing(stored, book.named(stored.name), code_has_spoken)
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


def _about_nothing(stored: RawEntry, fact: Saved | None, code_has_spoken: bool) -> Damage:
    """An entry that is not there."""
    if fact is None or _is_gone(fact):
        return LEAVE
    if fact.origin == "code" and code_has_spoken and not stored.static:
        return Damage(What.DROPPED, "code (beat_schedule) has it no more", fact)
    return Damage(What.RESTORE, "it was gone from Redis", fact)


def _about_ours(entry: StoredSchedule, fact: Saved | None) -> Damage:
    """An entry that can be read, with our field."""
    schedule = entry.schedule
    if fact is None:
        return Damage(What.TELL, "the history did not know it")
    if fact.name != schedule.name:
        return LEAVE  # a copy of another entry; nobody knows which of the two is meant
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
    """An entry of ours that the history knows to be deleted."""
    if revision > fact.revision:
        return Damage(What.TELL, "the history knew it as deleted only")
    came_back = revision < fact.revision
    return (
        Damage(What.DELETE, "it came back with an older copy of Redis", fact)
        if came_back
        else LEAVE
    )


def _about_unreadable(stored: RawEntry, book: Book, problem: str) -> Damage:
    """An entry that Beat cannot run."""
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
    """Whether an entry says what its revision in the history says; yes where that cannot be
    compared.
    """
    saved = saved_schedule(definition)
    return saved is None or json_value(schedule.to_json()) == json_value(saved.to_json())


def saved_schedule(definition: Any) -> Schedule | None:
    """The schedule of a revision; none where another version wrote what this one cannot read."""
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
