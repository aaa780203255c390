"""Reading entries from Redis: one, or a page of a list. Writes nothing.

A list reads the names, then only what it shows; an entry that cannot be read is a line with its
problem. The order is that of names, and a page begins after a name, so that entries that come and
go do not shift it.
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
"""Entries that are read in one round trip."""

FIRST_CHUNK = 100
"""Entries that are read first where a page may be full before all are read."""

_FIELDS = (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)


class Listing:
    """Reads entries. With a memory, lists with filters read only what they may show."""

    def __init__(self, redis: "Redis", memory: ListCache | None = None) -> None:
        self._redis = redis
        self._calendars = CalendarCache()
        self._memory = memory

    def names(self) -> list[str]:
        """All names, in order. A name of bytes that are no text cannot be shown, asked for or
        linked to.
        """
        with answering():
            members = cast("list[str]", self._redis.zrange(keys.SCHEDULE_ZSET, 0, -1))
        return sorted(_texts(members))

    def read(self, name: str) -> RawEntry:
        """One entry."""
        return self.read_all([name])[0]

    def read_all(self, names: Sequence[str]) -> list[RawEntry]:
        """Entries, in one round trip."""
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
        """One line of a list."""
        stored = self.read(name)
        stored.check_exists()
        (line,) = self._lines([stored])
        return line

    def page(self, filters: Filter, *, search: str, after: str | None, limit: int) -> SchedulePage:
        """A page. Filters that look into entries read them until the page is full."""
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
        """What Beat fires until then, soonest first. Costs what it shows, however many schedules
        there are.

        Ticks that Beat looks at and that do not run, because of a calendar, a pause or a skip, are
        none.
        """
        with answering():
            members = self._redis.zrange(
                keys.SCHEDULE_ZSET, 0, int(until.timestamp()), byscore=True, offset=0, num=limit
            )
        lines = self._lines(self.read_all(_texts(cast("list[str]", members))))
        fired = [line for line in lines if line.next is not None and line.next <= until]
        return sorted(fired, key=lambda line: cast(datetime, line.next))

    def known(self, names: Collection[str]) -> dict[str, Calendar]:
        """Those of these calendars that are there and can be read, by name."""
        with answering():
            return self._calendars.known(self._redis, names)

    def _lines(self, stored: Sequence[RawEntry]) -> list[ScheduleRow]:
        """Lines of a list. The calendars are read where some schedule names one."""
        lines = [one.listed() for one in stored]
        schedules = [line.schedule for line in lines if line.schedule is not None]
        named = {
            schedule.window.calendar
            for schedule in schedules
            if schedule.window.calendar is not None
        }
        if not named:
            return lines
        calendars = self.known(named)
        return [
            one.listed(calendars)
            if line.schedule is not None and line.schedule.window.calendar
            else line
            for one, line in zip(stored, lines, strict=True)
        ]

    def matching(self, filters: Filter, search: str = "") -> list[str]:
        """The names of all that pass."""
        names = self._found(search)
        return (
            names if filters.is_open else [stored.name for stored in self._matching(names, filters)]
        )

    def _found(self, search: str) -> list[str]:
        wanted = search.strip().casefold()
        return [name for name in self.names() if wanted in name.casefold()]

    def _matching(self, names: list[str], filters: Filter) -> Iterator[RawEntry]:
        """The entries that pass, in order. Few are read first, since few may be all that is
        wanted.
        """
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
        """Whether an entry belongs to the list."""
        schedule = stored.schedule()
        if filters.state == "problem" and stored.why_aside is not None:
            return schedule is not None and filters.names(schedule)
        return filters.matches(schedule) and (
            filters.state != "finished" or self._is_finished(stored)
        )

    def _worth_reading(self, names: list[str], filters: Filter) -> list[str]:
        """Without those of which it is known that they do not pass."""
        if filters.state == "finished" and filters.now is not None:
            names = self._not_asleep(names, filters.now)
        known = self._memory.passing(names, filters) if self._memory is not None else None
        return names if known is None else known

    def _not_asleep(self, names: list[str], now: datetime) -> list[str]:
        """Without those of which Beat's own list tells already: what it looks at later has a tick
        left.
        """
        with answering():
            members: Any = self._redis.zrange(
                keys.SCHEDULE_ZSET, "-inf", now.timestamp(), byscore=True
            )
        due = set(_texts(members))
        return [name for name in names if name in due]

    def _is_finished(self, stored: RawEntry) -> bool:
        """Whether no tick is left. What waits for a calendar that is gone is not finished."""
        (line,) = self._lines([stored])
        return line.next is None and line.problem is None and not line.lacks_calendar

    def _filtered(
        self, names: list[str], filters: Filter, after: str | None, limit: int
    ) -> SchedulePage:
        """A page of the entries that pass; lines are made only for what is shown."""
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
    """The names of entries. One of bytes that are no text cannot be shown, asked for or linked
    to.
    """
    names = [keys.schedule_name(member) for member in members]
    if sendable("".join(names)) == "".join(names):
        return names
    log.warning("%s holds names that are no text; they are left out", keys.SCHEDULE_ZSET)
    return [name for name in names if sendable(name) == name]


def _stored(
    name: str, found: Any, static: bool, score: float | None, aside: str | None
) -> RawEntry:
    """What a round trip brought for one name."""
    if isinstance(found, Exception):
        return RawEntry(
            name,
            Raw(None, None, None),
            static,
            score,
            f"the key {keys.entry(name)!r} is no hash: {found}",
        )
    return RawEntry(name, Raw(*found), static, score, aside=aside)


def _found(answer: Any) -> Any:
    """The answer to a command that concerns all names; an error in it is everybody's."""
    if isinstance(answer, Exception):
        raise Unavailable(f"the keys of RedBeat are not what RedBeat makes of them: {answer}")
    return answer
