"""Exclusion calendars as Redis holds them: read, and kept while they are the same.

Beside each calendar stands its fingerprint, which is all that is read where the calendar is known
already. So an edit is seen at the next look, and a long calendar costs nothing meanwhile. Writes
nothing.
"""

import logging
from collections import OrderedDict
from collections.abc import Collection
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError
from redis.exceptions import ResponseError

from scheduler.errors import Refused, UnreadableEntry
from scheduler.rules.calendars.exclusions import Calendar, SavedCalendar
from scheduler.rules.model.spec import Spec
from scheduler.rules.time import zones
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

MOST_KEPT = 200


class StoredCalendar(NamedTuple):
    """A calendar as it lies in Redis; none where there is nothing."""

    name: str
    text: str | None
    version: str | None

    def decode(self) -> SavedCalendar:
        """Read it. Raises UnreadableEntry."""
        return decode(self.name, self.text or "")


class CalendarCache:
    """The calendars that were read lately, by fingerprint."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Calendar | None] = OrderedDict()
        self._gone: set[str] = set()

    def known(self, redis: "Redis", names: Collection[str]) -> dict[str, Calendar]:
        """Those of these calendars that are there and can be read, by name."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        try:
            versions: Any = redis.hmget(keys.CALENDAR_VERSIONS_HASH, wanted)
            found = self._find(
                redis, {name: _text(is_) for name, is_ in zip(wanted, versions, strict=True) if is_}
            )
        except (ResponseError, UnicodeDecodeError) as error:
            log.error("the calendars cannot be read, and schedules that name one wait: %s", error)
            return {}
        for name in self._gone & found.keys():
            log.warning("the calendar %r is there again", name)
        for name in set(wanted) - found.keys() - self._gone:
            log.error(
                "the calendar %r is gone or damaged, and schedules that name it wait until it is "
                "mended",
                name,
            )
        self._gone = (self._gone | set(wanted)) - found.keys()
        return found

    def of(self, redis: "Redis", spec: Spec) -> Calendar | None:
        """The calendar that a schedule names; none where it names none, or where that is gone or
        damaged.
        """
        name = spec.window.calendar
        return None if name is None else self.known(redis, [name]).get(name)

    def _find(self, redis: "Redis", versions: dict[str, str]) -> dict[str, Calendar]:
        missing = [name for name, version in versions.items() if version not in self._kept]
        if missing:
            texts: Any = redis.hmget(keys.CALENDARS_HASH, missing)
            for name, text in zip(missing, texts, strict=True):
                self._keep(name, versions[name], None if text is None else _text(text))
        found = {name: self._kept.get(version) for name, version in versions.items()}
        return {
            name: calendar
            for name, calendar in found.items()
            if calendar is not None and calendar.name == name
        }

    def _keep(self, name: str, version: str, text: str | None) -> None:
        """Keep what was read under the fingerprint it has; one that belongs to other bytes is not
        trusted.
        """
        if text is None or fingerprint(text) != version:
            return
        try:
            self._kept[version] = decode(name, text).calendar()
        except UnreadableEntry as error:
            log.error("%s", error)
            self._kept[version] = None
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _text(value: str | bytes) -> str:
    """What a client of text, or one of bytes, has read."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def encode(calendar: SavedCalendar) -> str:
    """The text of a calendar in Redis: ASCII, so that whoever reads it reads the same."""
    return calendar.model_dump_json(exclude_defaults=True, ensure_ascii=True)


def decode(name: str, text: str) -> SavedCalendar:
    """Read a calendar. Raises UnreadableEntry."""
    try:
        saved = SavedCalendar.model_validate_json(text.encode("utf-8", "surrogateescape"))
        zones.zone(saved.timezone)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "text"
        raise UnreadableEntry(
            f"the calendar {name!r} is damaged, {place}: {first['msg']}"
        ) from None
    except Refused as error:
        raise UnreadableEntry(f"the calendar {name!r} is damaged: {error}") from None
    if saved.name != name:
        raise UnreadableEntry(f"the calendar {name!r} is damaged: it calls itself {saved.name!r}")
    return saved


def fingerprint(text: str) -> str:
    """What stands beside a calendar."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]
