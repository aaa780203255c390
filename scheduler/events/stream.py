"""The event stream in Redis: from the process that observes a fact to the recorder.

Python appends events here. Scripts that change something else in the same step append their event
themselves. Entries are returned undecoded, as an unreadable entry must not hide its
neighbours; the recorder decodes.

An entry is deleted when acknowledged, so that the length of the stream is the number of events that
are not yet in SQL. Errors of the client (`redis.RedisError`) are passed on: the caller decides
whether to wait, to buffer or to report.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from redis import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import ResponseError

from scheduler.events import schema
from scheduler.events.dead_letters import DeadLetters, SetAside, without_past
from scheduler.events.letter_text import DeadLetter
from scheduler.events.schema import Event, UndecodableEvent
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys

_FORGET_CONSUMER = """
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
    if consumer['pending'] == 0 and consumer['idle'] > tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer['name'])
    end
end
"""


MOST_NEWER = 100_000
"""Most events of a newer version in Redis (approximately); beyond, the oldest are dropped."""

_POLL = 0.05
"""Seconds between two looks at the stream."""

Place = tuple[int, int]
"""The id of an entry as (milliseconds, number), which compares in the order of the stream."""


class StreamEntry(NamedTuple):
    """An undecoded entry of the stream; `fields` is empty for an entry deleted meanwhile."""

    id: str
    fields: dict[str, str]


class Lag(NamedTuple):
    """How far SQL is behind: the number of waiting events, and the age of the oldest in seconds."""

    events: int
    seconds: float


class EventStream:
    """The event stream and its consumer group. Methods raise redis.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._letters = DeadLetters(redis)
        self._newer = DeadLetters(redis, keys.NEWER_EVENTS_STREAM, MOST_NEWER)

    def append(self, event: Event) -> str:
        """Append an event. Returns the id of the entry."""
        entry: Any = self._redis.xadd(keys.EVENTS_STREAM, _wire(schema.encode(event)))
        return _text(entry)

    def append_many(self, events: Iterable[Event]) -> list[str]:
        """Append all events or none, in one transaction. Returns the ids of the entries."""
        with self._redis.pipeline(transaction=True) as pipe:
            for event in events:
                pipe.xadd(keys.EVENTS_STREAM, _wire(schema.encode(event)))
            return [_text(entry) for entry in pipe.execute()]

    def ensure_group(self) -> None:
        """Create stream and consumer group where missing; the group begins at the first entry."""
        try:
            self._redis.xgroup_create(keys.EVENTS_STREAM, keys.EVENTS_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def read(self, consumer: str, count: int, block_ms: int | None = None) -> list[StreamEntry]:
        """Return up to `count` entries that no consumer has been given yet (XREADGROUP `>`).

        Waits up to `block_ms` milliseconds for the first entry; None does not wait.
        """
        block: list[Any] = ["BLOCK", block_ms] if block_ms else []
        return self._read(consumer, count, block, ">")

    def pending(self, consumer: str, count: int, after: str = "0") -> list[StreamEntry]:
        """Return entries that this consumer has been given and not acknowledged, oldest first."""
        return self._read(consumer, count, [], after)

    def claim(
        self, consumer: str, min_idle_ms: int, count: int, start: str = "0-0"
    ) -> tuple[str, list[StreamEntry]]:
        """Take over entries pending for longer than `min_idle_ms` with any consumer (XAUTOCLAIM).

        Returns the next `start`, `0-0` at the end, and the entries.
        """
        answer: Any = self._execute(
            "XAUTOCLAIM",
            keys.EVENTS_STREAM,
            keys.EVENTS_GROUP,
            consumer,
            min_idle_ms,
            start,
            "COUNT",
            count,
        )
        return _text(answer[0]), [_entry(raw) for raw in answer[1]]

    def ack(self, ids: Sequence[str]) -> None:
        """Acknowledge and delete entries that are in SQL, in one transaction."""
        if not ids:
            return
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(keys.EVENTS_STREAM, keys.EVENTS_GROUP, *ids)
            pipe.xdel(keys.EVENTS_STREAM, *ids)
            pipe.execute()

    def dead(self, entry: str, error: str, tries: int) -> SetAside:
        """Move an entry to the dead letters, with the reason: see `DeadLetters.set_aside`."""
        return self._letters.set_aside(entry, error, tries)

    def dead_letters(self, count: int) -> list[DeadLetter]:
        """Return the newest dead letters."""
        return self._letters.page(limit=count).items

    def dead_letter_count(self) -> int:
        """Return the number of dead letters."""
        return self._letters.count()

    def set_newer_aside(self, entry: str, error: str) -> SetAside:
        """Move an entry of a newer version aside, until `replay_newer` brings it back."""
        return self._newer.set_aside(entry, error, 1)

    def newer_count(self) -> int:
        """Return the number of events of a newer version that wait for an upgrade."""
        return self._newer.count()

    def replay_newer(self, now: datetime) -> int:
        """Send back the events of a newer version that this version can decode.

        Returns their number. The return is a change in the history, by `beatdesk`.
        """
        newest = self._newer.newest()
        edit = Edit(actor="beatdesk", comment="this version knows them", now=now)
        count = 0
        for batch in self._newer.batches(newest) if newest else ():
            readable = [letter.id for letter in batch if _is_readable(letter)]
            if readable:
                count += len(self._newer.retry(readable, edit).done)
        return count

    def length(self) -> int:
        """Return the number of events that are not in SQL yet."""
        length: Any = self._redis.xlen(keys.EVENTS_STREAM)
        return int(length)

    def end(self) -> Place:
        """Return the id of the newest event that was ever appended, deleted or not."""
        try:
            facts: Any = self._redis.xinfo_stream(keys.EVENTS_STREAM)
        except ResponseError:
            return (0, 0)  # there is no stream
        return _place(facts["last-generated-id"])

    def waiting(self, until: Place, count: int) -> list[StreamEntry]:
        """Return the oldest events, up to the id `until`, that are not in SQL yet."""
        answer = self._execute(
            "XRANGE", keys.EVENTS_STREAM, "-", f"{until[0]}-{until[1]}", "COUNT", count
        )
        return [_entry(raw) for raw in answer]

    def wait_until_recorded(self, until: Place, seconds: float, stop: threading.Event) -> bool:
        """Whether the events up to the id `until` are in SQL; waits for it up to `seconds`.

        False at once when `stop` is set.
        """
        for _ in range(int(seconds / _POLL)):
            if not self.waiting(until, 1):
                return True
            if stop.wait(_POLL):
                return False
        return False

    def lag(self) -> Lag:
        """Return how far SQL is behind, by the Redis server's clock, which also made the ids."""
        oldest = self._execute("XRANGE", keys.EVENTS_STREAM, "-", "+", "COUNT", 1)
        if not oldest:
            return Lag(0, 0.0)
        born_ms = int(_text(oldest[0][0]).split("-")[0])
        seconds, micros = self._redis.time()
        return Lag(
            max(1, self.length()), max(0.0, (seconds * 1000 + micros // 1000 - born_ms) / 1000)
        )

    def forget_consumers(self, idle_ms: int) -> None:
        """Delete consumers without pending entries that are idle for longer than `idle_ms`.

        Every start of a recorder makes a consumer. A script, because deleting a consumer with
        pending entries would lose the entries.
        """
        self._redis.eval(_FORGET_CONSUMER, 1, keys.EVENTS_STREAM, keys.EVENTS_GROUP, str(idle_ms))

    def _read(self, consumer: str, count: int, block: list[Any], after: str) -> list[StreamEntry]:
        """The entries of an XREADGROUP; a group that an emptied server has lost is made again."""
        command = [
            "GROUP",
            keys.EVENTS_GROUP,
            consumer,
            "COUNT",
            count,
            *block,
            "STREAMS",
            keys.EVENTS_STREAM,
            after,
        ]
        try:
            answer = self._execute("XREADGROUP", *command)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self.ensure_group()
            answer = self._execute("XREADGROUP", *command)
        streams = answer.items() if isinstance(answer, dict) else answer or ()
        return [_entry(raw) for _stream, entries in streams for raw in entries]

    def _execute(self, *command: Any) -> Any:
        """The reply of a command, as bytes: decoding fails as a whole if any text is not UTF-8."""
        return self._redis.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]


def _is_readable(letter: DeadLetter) -> bool:
    try:
        schema.decode(letter.fields)
    except UndecodableEvent:
        return False
    return True


def _entry(raw: Any) -> StreamEntry:
    """An entry as text, with a mark in place of bytes that are not UTF-8."""
    entry, fields = raw
    return StreamEntry(
        _text(entry),
        without_past({_text(name): _text(value) for name, value in (fields or {}).items()}),
    )


def _place(entry: str) -> Place:
    milliseconds, _, number = _text(entry).partition("-")
    return int(milliseconds), int(number)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _wire(fields: Mapping[str, str]) -> dict[Any, Any]:
    """Fields with the type in the client's signature."""
    return dict(fields)
