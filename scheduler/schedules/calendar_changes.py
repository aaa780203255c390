"""Decisions of a calendar edit, from stored calendar to change; `batch` applies them. Pure."""

from dataclasses import dataclass
from uuid import uuid4

from scheduler.errors import NameTaken, NotFound, StaleRevision, UnreadableEntry
from scheduler.events.schema import CalendarDeleted, CalendarEvent, CalendarSaved
from scheduler.rules.calendars.exclusions import Calendar, SavedCalendar
from scheduler.rules.check import check_calendar
from scheduler.rules.model.edit import Edit
from scheduler.schedules.calendar_cache import StoredCalendar, encode, fingerprint


@dataclass(frozen=True)
class CalendarWish:
    """A desired calendar: `calendar` None deletes, `revision` None demands a new calendar."""

    name: str
    calendar: Calendar | None
    revision: int | None


@dataclass(frozen=True)
class CalendarChange:
    """The text as read and the text to write, None for an absent calendar, and the event."""

    name: str
    read: str | None
    text: str | None
    saved: SavedCalendar
    event: CalendarEvent

    @property
    def version(self) -> str:
        """The fingerprint of the new text."""
        return "" if self.text is None else fingerprint(self.text)


def decide(wish: CalendarWish, stored: StoredCalendar, *, edit: Edit) -> CalendarChange:
    """Return the desired change. Raises Refused, NameTaken, NotFound or StaleRevision."""
    old = _readable(stored)
    if wish.calendar is not None:
        check_calendar(wish.calendar)
    if wish.revision is None:
        if stored.text is not None:
            raise NameTaken(
                f"there is a calendar {wish.name!r} already; choose another name, or edit that one"
            )
    elif stored.text is None:
        raise unknown(wish.name)
    elif old is not None and old.revision != wish.revision:
        raise StaleRevision(
            f"the calendar {wish.name!r} has been changed since it was read: revision "
            f"{wish.revision} was edited, revision {old.revision} is stored; load it again and "
            "repeat the edit",
            given=wish.revision,
            current=old.revision,
        )
    number = max(old.revision if old is not None else 0, wish.revision or 0) + 1
    uid = old.uid if old is not None else str(uuid4())
    if wish.calendar is None:
        gone = old or SavedCalendar(
            name=wish.name, uid=uid, revision=number, updated_at=edit.now, updated_by=edit.actor
        )
        deletion = CalendarDeleted(
            at=edit.now,
            uid=uid,
            revision=number,
            actor=edit.actor,
            comment=edit.comment,
            calendar=gone,
        )
        return CalendarChange(wish.name, stored.text, None, gone, deletion)
    saved = SavedCalendar(
        **dict(wish.calendar), uid=uid, revision=number, updated_at=edit.now, updated_by=edit.actor
    )
    event = CalendarSaved(
        at=edit.now,
        uid=uid,
        revision=number,
        actor=edit.actor,
        comment=edit.comment,
        calendar=saved,
        action="created" if wish.revision is None else "edited",
    )
    return CalendarChange(wish.name, stored.text, encode(saved), saved, event)


def unknown(name: str) -> NotFound:
    """Return the NotFound error for a calendar's name."""
    return NotFound(
        f"there is no calendar {name!r}; `beatdesk calendars list` shows all", field="name"
    )


def _readable(stored: StoredCalendar) -> SavedCalendar | None:
    try:
        return None if stored.text is None else stored.decode()
    except UnreadableEntry:
        return None
