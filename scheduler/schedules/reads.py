"""Reading entries from Redis: a single entry, or a page of a list. Writes nothing.

A list reads the names first, then only the entries of its page. An unreadable entry becomes a row
with its problem. Rows are in order of names, and a page begins after a name, so that entries
created or deleted meanwhile do not shift the page.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from scheduler.errors import Unavailable
from scheduler.redbeat.codec import Raw
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.schedules.calendar_cache import CalendarCache
from scheduler.schedules.filters import Filter
from scheduler.schedules.list_cache import ListCache
from scheduler.schedules.raw_entry import RawEntry, SchedulePage, ScheduleRow, sendable
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

CHUNK = 500
"""Entries read in a round trip."""

FIRST_CHUNK = 100
"""Entries read in the first round trip of a filtered page, which may be full early."""

_FIELDS = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)


class Listing:
    """Reads entries. With a `ListCache`, a filtered list reads only entries that may pass."""

    def __init__(self, redis: "Redis", memory: ListCache | None = None) -> None:
        self._redis = redis
        self._calendars = CalendarCache()
        self._memory = memory

    def names(self) -> list[str]:
        """Return all names, in order.

        Names that are not UTF-8 text are left out: such an entry can be neither shown nor linked
        to.
        """
        with answering():
            members = cast("list[str]", self._redis.zrange(keys.SCHEDULE_ZSET, 0, -1))
        return sorted(_texts(members))

    def read(self, name: str) -> RawEntry:
        """Return the entry called `name`; an absent entry has empty fields."""
        return self.read_all([name])[0]

    def read_all(self, names: Sequence[str]) -> list[RawEntry]:
        """Return the entries called `names`, in the same order, read in a single round trip.

        Raises Unavailable where Redis does not answer, or where RedBeat's keys have another type.
        """
        if not names:
            return []
        with answering(), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hmget(keys.entry(name), _FIELDS)
            pipe.smismember(keys.STATICS_SET, list(names))
            pipe.zmscore(keys.SCHEDULE_ZSET, [keys.entry(name) for name in names])
            pipe.hmget(keys.ASIDE_HASH, list(names))
            *fields, statics, scores, aside = pipe.execute(raise_on_error=False)
        return [
            _stored(name, found, bool(static), score, why)
            for name, found, static, score, why in zip(
                names, fields, _found(statics), _found(scores), _found(aside), strict=True
            )
        ]

    def listed(self, name: str) -> ScheduleRow:
        """Return the row of a list for `name`. Raises NotFound."""
        stored = self.read(name)
        stored.check_exists()
        (line,) = self._lines([stored])
        return line

    def page(self, filters: Filter, *, search: str, after: str | None, limit: int) -> SchedulePage:
        """Return a page of at most `limit` rows after the name `after`.

        Filters that look into entries read on until the page is full.
        """
        names = self._found(search)
        if not filters.is_open:
            return self._filtered(names, filters, after, limit)
        begin = 0 if after is None else sum(name <= after for name in names)
        page = names[begin : begin + limit]
        more = begin + limit < len(names)
        return SchedulePage(
            self._lines(self.read_all(page)), page[-1] if more else None, len(names)
        )

    def due(self, until: datetime, limit: int) -> list[ScheduleRow]:
        """Return the schedules that Beat fires until `until`, soonest first, at most `limit`.

        The cost depends on `limit`, not on the number of schedules. Ticks suppressed by a calendar,
        a pause or a skip are left out.
        """
        with answering():
            members = self._redis.zrange(
                keys.SCHEDULE_ZSET, 0, int(until.timestamp()), byscore=True, offset=0, num=limit
            )
        lines = self._lines(self.read_all(_texts(cast("list[str]", members))))
        fired = [line for line in lines if line.next is not None and line.next <= until]
        return sorted(fired, key=lambda line: cast(datetime, line.next))

    def existing(self, names: Collection[str]) -> dict[str, Calendar]:
        """Return the readable calendars by name; missing and damaged calendars are left out."""
        with answering():
            return self._calendars.existing(self._redis, names)

    def _lines(self, stored: Sequence[RawEntry]) -> list[ScheduleRow]:
        """Return rows for entries. Calendars are read only where a schedule names a calendar."""
        lines = [one.listed() for one in stored]
        schedules = [line.schedule for line in lines if line.schedule is not None]
        named = {
            schedule.window.calendar
            for schedule in schedules
            if schedule.window.calendar is not None
        }
        if not named:
            return lines
        calendars = self.existing(named)
        return [
            one.listed(calendars)
            if line.schedule is not None and line.schedule.window.calendar
            else line
            for one, line in zip(stored, lines, strict=True)
        ]

    def matching(self, filters: Filter, search: str = "") -> list[str]:
        """Return the names of all entries that pass the filters, in order."""
        names = self._found(search)
        return (
            names if filters.is_open else [stored.name for stored in self._matching(names, filters)]
        )

    def _found(self, search: str) -> list[str]:
        wanted = search.strip().casefold()
        return [name for name in self.names() if wanted in name.casefold()]

    def _matching(self, names: list[str], filters: Filter) -> Iterator[RawEntry]:
        """Yield the entries that pass, in order. The first round trip is small, for short pages."""
        names = self._worth_reading(names, filters)
        begin, size = 0, FIRST_CHUNK
        while begin < len(names):
            for stored in self.read_all(names[begin : begin + size]):
                if filters.may_match(stored.raw, static=stored.static) and self._passes(
                    stored, filters
                ):
                    yield stored
            begin, size = begin + size, CHUNK

    def _passes(self, stored: RawEntry, filters: Filter) -> bool:
        """Whether an entry passes the filters."""
        schedule = stored.schedule()
        if filters.state == "problem" and stored.why_aside is not None:
            return schedule is not None and filters.names(schedule)
        return filters.matches(schedule) and (
            filters.state != "finished" or self._is_finished(stored)
        )

    def _worth_reading(self, names: list[str], filters: Filter) -> list[str]:
        """Return the names without entries already certain not to pass."""
        if filters.state == "finished" and filters.now is not None:
            names = self._not_asleep(names, filters.now)
        passing = self._memory.passing(names, filters) if self._memory is not None else None
        return names if passing is None else passing

    def _not_asleep(self, names: list[str], now: datetime) -> list[str]:
        """Return the names due or asleep in Beat's list; an entry due later has a tick left."""
        with answering():
            members: Any = self._redis.zrange(
                keys.SCHEDULE_ZSET, "-inf", now.timestamp(), byscore=True
            )
        due = set(_texts(members))
        return [name for name in names if name in due]

    def _is_finished(self, stored: RawEntry) -> bool:
        """Whether no tick is left. A schedule that waits for a missing calendar is not finished."""
        (line,) = self._lines([stored])
        return line.next is None and line.problem is None and not line.lacks_calendar

    def _filtered(
        self, names: list[str], filters: Filter, after: str | None, limit: int
    ) -> SchedulePage:
        """Return a page of the entries that pass. Rows are built only for the page."""
        coming = names if after is None else [name for name in names if name > after]
        found = list(islice(self._matching(coming, filters), limit + 1))
        more = len(found) > limit
        shown = self._lines(found[:limit])
        return SchedulePage(
            shown,
            shown[-1].name if more else None,
            len(shown),
            is_counted=not more and after is None,
        )


def _texts(members: list[str]) -> list[str]:
    """Return the names of entries. Names that are not UTF-8 text are left out, with a warning."""
    return utf8_names([keys.schedule_name(member) for member in members], keys.SCHEDULE_ZSET)


def utf8_names(names: list[str], key: str) -> list[str]:
    """Return the names that a page can show; others in the key are left out, with a warning."""
    if sendable("".join(names)) == "".join(names):
        return names
    log.warning("%s holds names that are not UTF-8 text; they are left out", key)
    return [name for name in names if sendable(name) == name]


def _stored(
    name: str, found: Any, static: bool, score: float | None, aside: str | None
) -> RawEntry:
    """Return the entry for a name from the replies of a round trip."""
    if isinstance(found, Exception):
        return RawEntry(
            name,
            Raw(None, None, None),
            static,
            score,
            f"the key {keys.entry(name)!r} is not a hash: {found}",
        )
    return RawEntry(name, Raw(*found), static, score, aside=aside)


def _found(answer: Any) -> Any:
    """Return the reply to a command about all names. Raises Unavailable for an error reply."""
    if isinstance(answer, Exception):
        raise Unavailable(f"a key of RedBeat has an unexpected type: {answer}")
    return answer
