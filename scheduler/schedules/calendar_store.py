"""Exclusion calendars in Redis: list, read and change. Schedules name them, and Beat obeys.

Changes are saved like changes of schedules. A script compares the calendar with its text as read,
and writes calendar and event together. A calendar in use by a schedule is not deleted. A schedule
saved at the same moment may still name the deleted calendar: Beat then holds the schedule, with a
message, until a calendar of the name exists.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from scheduler.errors import Refused, UnreadableEntry
from scheduler.rules.calendars.exclusions import Calendar, SavedCalendar
from scheduler.rules.model.edit import Edit
from scheduler.rules.phrases import joined, plural
from scheduler.schedules.batch import BatchEdit
from scheduler.schedules.calendar_cache import CalendarCache, StoredCalendar
from scheduler.schedules.calendar_changes import CalendarWish, unknown
from scheduler.schedules.reads import CHUNK, Listing, utf8_names
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

MOST_NAMED = 10
"""The most schedules that a refusal names."""


class CalendarStore:
    """The only writer of calendars, apart from the healer."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._listing = Listing(redis)
        self._together = BatchEdit(redis, self._listing)
        self._cache = CalendarCache()

    def names(self) -> list[str]:
        """Return the names of all calendars, in order, if the name is UTF-8."""
        with answering():
            found: Any = self._redis.hkeys(keys.CALENDARS_HASH)
        return utf8_names(sorted(found), keys.CALENDARS_HASH)

    def stored(self) -> list[StoredCalendar]:
        """Return all calendars as stored in Redis, in order of names."""
        return self._together.read_calendars(self.names())

    def get(self, name: str) -> SavedCalendar:
        """Return the calendar called `name`. Raises NotFound or UnreadableEntry."""
        (stored,) = self._together.read_calendars([name])
        if stored.text is None:
            raise unknown(name)
        return stored.decode()

    def existing(self, names: Collection[str]) -> dict[str, Calendar]:
        """Return the readable calendars by name, without missing and damaged calendars."""
        with answering():
            return self._cache.existing(self._redis, names)

    def save(self, calendar: Calendar, *, revision: int | None, edit: Edit) -> SavedCalendar:
        """Save a calendar: a new calendar for `revision` None, else the revision after `revision`.

        Raises NameTaken, StaleRevision or Refused.
        """
        wish = CalendarWish(calendar.name, calendar, revision)
        (saved,) = self._together.save_calendars([wish], edit=edit)
        return saved

    def delete(self, name: str, *, revision: int | None = None, edit: Edit) -> None:
        """Delete a calendar, readable or not.

        `revision` is the revision to delete; None means the stored one. Raises NotFound,
        StaleRevision, or Refused while a schedule names the calendar.
        """
        (stored,) = self._together.read_calendars([name])
        if stored.text is None:
            raise unknown(name)
        named = self.used_by().get(name, [])
        if named:
            raise Refused(in_use(name, named), field="name")
        if revision is None:
            try:
                revision = stored.decode().revision
            except UnreadableEntry:
                revision = 0
        wish = CalendarWish(name, None, revision)
        self._together.save_calendars([wish], edit=edit)

    def used_by(self) -> dict[str, list[str]]:
        """Return the names of schedules by calendar, in order. Unused calendars are left out."""
        used: dict[str, list[str]] = {}
        names = self._listing.names()
        for begin in range(0, len(names), CHUNK):
            for stored in self._listing.read_all(names[begin : begin + CHUNK]):
                schedule = stored.schedule() if '"calendar"' in (stored.raw.extra or "") else None
                if schedule is not None and schedule.window.calendar is not None:
                    used.setdefault(schedule.window.calendar, []).append(stored.name)
        return used


def in_use(name: str, schedules: Sequence[str]) -> str:
    """Return the reason why a calendar cannot be deleted, with at most `MOST_NAMED` schedules."""
    more = [f"{len(schedules) - MOST_NAMED} more"] if len(schedules) > MOST_NAMED else []
    named = joined([*map(repr, schedules[:MOST_NAMED]), *more])
    verb = plural(len(schedules), "names", "name")
    return (
        f"the calendar {name!r} cannot be deleted: {named} {verb} it; give them another calendar, "
        "or none, first"
    )
