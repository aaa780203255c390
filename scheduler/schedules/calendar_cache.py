"""Exclusion calendars as stored in Redis: decoded, and cached until they change. Writes nothing.

Redis holds a fingerprint beside each calendar, and a cached calendar costs only a read of its
fingerprint. So an edit is visible at the next read, however long the calendar is.
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

CACHE_SIZE = 200


class StoredCalendar(NamedTuple):
    """A calendar as stored in Redis; text and version are None for an absent calendar."""

    name: str
    text: str | None
    version: str | None

    def decode(self) -> SavedCalendar:
        """Return the decoded calendar. Raises UnreadableEntry."""
        return decode(self.name, self.text or "")


class CalendarCache:
    """The calendars read lately, by fingerprint."""

    def __init__(self) -> None:
        self._by_version: OrderedDict[str, Calendar | None] = OrderedDict()
        self._gone: set[str] = set()

    def existing(self, redis: "Redis", names: Collection[str]) -> dict[str, Calendar]:
        """Return the readable calendars by name; missing and damaged calendars are left out.

        The log names a calendar when the calendar goes missing, and again when it is back.
        """
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
        """Return the calendar that a schedule names.

        None where the schedule names no calendar, or where the calendar is missing or damaged.
        """
        name = spec.window.calendar
        return None if name is None else self.existing(redis, [name]).get(name)

    def _find(self, redis: "Redis", versions: dict[str, str]) -> dict[str, Calendar]:
        missing = [name for name, version in versions.items() if version not in self._by_version]
        if missing:
            texts: Any = redis.hmget(keys.CALENDARS_HASH, missing)
            for name, text in zip(missing, texts, strict=True):
                self._keep(name, versions[name], None if text is None else _text(text))
        found = {name: self._by_version.get(version) for name, version in versions.items()}
        return {
            name: calendar
            for name, calendar in found.items()
            if calendar is not None and calendar.name == name
        }

    def _keep(self, name: str, version: str, text: str | None) -> None:
        """Cache a calendar under its fingerprint. Text with another fingerprint is ignored."""
        if text is None or fingerprint(text) != version:
            return
        try:
            self._by_version[version] = decode(name, text).calendar()
        except UnreadableEntry as error:
            log.error("%s", error)
            self._by_version[version] = None
        while len(self._by_version) > CACHE_SIZE:
            self._by_version.popitem(last=False)


def _text(value: str | bytes) -> str:
    """Return text from the reply of a client with or without `decode_responses`."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def encode(calendar: SavedCalendar) -> str:
    """Return the text of a calendar in Redis: JSON in ASCII, the same bytes for every reader."""
    return calendar.model_dump_json(exclude_defaults=True, ensure_ascii=True)


def decode(name: str, text: str) -> SavedCalendar:
    """Return the calendar of a text from Redis. Raises UnreadableEntry."""
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
    """Return the fingerprint stored beside a calendar: 24 hexadecimal digits of SHA-256."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]
