"""The exclusion calendars in Redis: list, read, and change them. Schedules name them, Beat keeps to
them.

Saved like schedules: decided from what was read, then written by one script that compares it first,
together with the event that says so. A calendar that a schedule names is not deleted. Whoever saves
a schedule at that very moment may still name it: the schedule then waits, and says so, until there
is such a calendar again.
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
from scheduler.schedules.reads import CHUNK, Listing
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

MOST_NAMED = 10
"""Schedules that a refusal names."""


class CalendarStore:
    """The only writer of calendars, but for what was lost."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._listing = Listing(redis)
        self._together = BatchEdit(redis, self._listing)
        self._shelf = CalendarCache()

    def names(self) -> list[str]:
        """The names of all calendars, readable or not, in order."""
        with answering():
            found: Any = self._redis.hkeys(keys.CALENDARS_HASH)
        return sorted(found)

    def stored(self) -> list[StoredCalendar]:
        """All calendars as they lie in Redis, in order of names."""
        return self._together.read_calendars(self.names())

    def get(self, name: str) -> SavedCalendar:
        """The calendar called `name`. Raises NotFound, or UnreadableEntry with what is wrong."""
        (stored,) = self._together.read_calendars([name])
        if stored.text is None:
            raise unknown(name)
        return stored.decode()

    def known(self, names: Collection[str]) -> dict[str, Calendar]:
        """Those of these calendars that are there and can be read, by name."""
        with answering():
            return self._shelf.known(self._redis, names)

    def save(self, calendar: Calendar, *, revision: int | None, edit: Edit) -> SavedCalendar:
        """Save a new calendar, or the next revision of one. Raises NameTaken, StaleRevision or
        Refused.
        """
        wish = CalendarWish(calendar.name, calendar, revision)
        (saved,) = self._together.save_calendars([wish], edit=edit)
        return saved

    def delete(self, name: str, *, revision: int | None = None, edit: Edit) -> None:
        """Delete a calendar, readable or not, that no schedule names."""
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
        """The schedules that name each calendar, in order; calendars that none names are left
        out.
        """
        used: dict[str, list[str]] = {}
        names = self._listing.names()
        for begin in range(0, len(names), CHUNK):
            for stored in self._listing.read_all(names[begin : begin + CHUNK]):
                schedule = stored.schedule() if '"calendar"' in (stored.raw.extra or "") else None
                if schedule is not None and schedule.window.calendar is not None:
                    used.setdefault(schedule.window.calendar, []).append(stored.name)
        return used


def in_use(name: str, schedules: Sequence[str]) -> str:
    """Why a calendar cannot be deleted."""
    more = [f"{len(schedules) - MOST_NAMED} more"] if len(schedules) > MOST_NAMED else []
    named = joined([*map(repr, schedules[:MOST_NAMED]), *more])
    verb = plural(len(schedules), "names", "name")
    return (
        f"the calendar {name!r} cannot be deleted: {named} {verb} it; give them another calendar, "
        "or none, first"
    )
