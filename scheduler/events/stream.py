"""The stream that carries events from whoever sees a fact to the recorder.

The only place that writes or reads the stream, beside the script that changes a schedule and
appends its event in one transaction. What an entry means is the recorder's business: entries are
handed out undecoded, because one that cannot be read must not hide those around it.

An entry is deleted with its acknowledgement, so that the length of the stream is what is not yet in
SQL. Errors of the client (`redis.RedisError`) pass through: the caller knows whether to wait, to
buffer or to tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from redis import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import ResponseError

from scheduler.events import schema
from scheduler.events.dead_letters import DeadLetters, SetAside, without_past
from scheduler.events.letter_text import DeadLetter
from scheduler.events.schema import Event
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


Place = tuple[int, int]
"""The id of an entry, in the order of the stream."""


class StreamEntry(NamedTuple):
    """One entry of the stream as it was read. `fields` is empty where the entry has been deleted
    meanwhile.
    """

    id: str
    fields: dict[str, str]


class Lag(NamedTuple):
    """How far SQL is behind: events that wait, and the age of the oldest in seconds."""

    events: int
    seconds: float


class EventStream:
    """The stream in Redis, and its consumer group."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._letters = DeadLetters(redis)

    def append(self, event: Event) -> str:
        """Append one event; the id of its entry."""
        entry: Any = self._redis.xadd(keys.EVENTS_STREAM, _wire(schema.encode(event)))
        return _text(entry)

    def append_many(self, events: Iterable[Event]) -> list[str]:
        """Append all of them, or none, in one round trip."""
        with self._redis.pipeline(transaction=True) as pipe:
            for event in events:
                pipe.xadd(keys.EVENTS_STREAM, _wire(schema.encode(event)))
            return [_text(entry) for entry in pipe.execute()]

    def ensure_group(self) -> None:
        """Make stream and group where they are missing, from the very first entry on."""
        try:
            self._redis.xgroup_create(keys.EVENTS_STREAM, keys.EVENTS_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def read(self, consumer: str, count: int, block_ms: int | None = None) -> list[StreamEntry]:
        """Entries that nobody was given yet; waits up to `block_ms` for the first (none: not at
        all).
        """
        block: list[Any] = ["BLOCK", block_ms] if block_ms else []
        return self._read(consumer, count, block, ">")

    def pending(self, consumer: str, count: int, after: str = "0") -> list[StreamEntry]:
        """Entries that this consumer was given and has not acknowledged, oldest first."""
        return self._read(consumer, count, [], after)

    def claim(
        self, consumer: str, min_idle_ms: int, count: int, start: str = "0-0"
    ) -> tuple[str, list[StreamEntry]]:
        """Take over entries that another consumer has held for so long that it must be dead.

        Returns where to go on, `0-0` at the end, and the entries.
        """
        answer: Any = self._ask(
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
        """These are in SQL: take them off the list of pending ones and out of the stream, in one
        transaction.
        """
        if not ids:
            return
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(keys.EVENTS_STREAM, keys.EVENTS_GROUP, *ids)
            pipe.xdel(keys.EVENTS_STREAM, *ids)
            pipe.execute()

    def dead(self, entry: str, error: str, tries: int) -> SetAside:
        """Set an entry aside with the reason, and acknowledge it: see `DeadLetters.set_aside`."""
        return self._letters.set_aside(entry, error, tries)

    def dead_letters(self, count: int) -> list[DeadLetter]:
        """The newest entries that were set aside."""
        return self._letters.page(limit=count).items

    def dead_letter_count(self) -> int:
        """How many entries were set aside."""
        return self._letters.count()

    def length(self) -> int:
        """How many events are not in SQL yet."""
        length: Any = self._redis.xlen(keys.EVENTS_STREAM)
        return int(length)

    def end(self) -> Place:
        """Behind the newest event that was ever appended."""
        try:
            facts: Any = self._redis.xinfo_stream(keys.EVENTS_STREAM)
        except ResponseError:
            return (0, 0)  # there is no stream
        return _place(facts["last-generated-id"])

    def waiting(self, until: Place, count: int) -> list[StreamEntry]:
        """The oldest events up to `until` that are not in SQL yet."""
        answer = self._ask(
            "XRANGE", keys.EVENTS_STREAM, "-", f"{until[0]}-{until[1]}", "COUNT", count
        )
        return [_entry(raw) for raw in answer]

    def lag(self) -> Lag:
        """How far SQL is behind, by the server's own clock, which also made the ids."""
        oldest = self._ask("XRANGE", keys.EVENTS_STREAM, "-", "+", "COUNT", 1)
        if not oldest:
            return Lag(0, 0.0)
        born_ms = int(_text(oldest[0][0]).split("-")[0])
        seconds, micros = self._redis.time()
        return Lag(
            max(1, self.length()), max(0.0, (seconds * 1000 + micros // 1000 - born_ms) / 1000)
        )

    def forget_consumers(self, idle_ms: int) -> None:
        """Remove consumers that hold nothing and have not come back: each start of a recorder makes
        one.

        A script, because removing a consumer that was given entries a moment ago would lose them.
        """
        self._redis.eval(_FORGET_CONSUMER, 1, keys.EVENTS_STREAM, keys.EVENTS_GROUP, str(idle_ms))

    def _read(self, consumer: str, count: int, block: list[Any], after: str) -> list[StreamEntry]:
        """XREADGROUP; a server that was emptied has lost the group, which is then made again."""
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
            answer = self._ask("XREADGROUP", *command)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self.ensure_group()
            answer = self._ask("XREADGROUP", *command)
        streams = answer.items() if isinstance(answer, dict) else answer or ()
        return [_entry(raw) for _stream, entries in streams for raw in entries]

    def _ask(self, *command: Any) -> Any:
        """A command whose answer is read as bytes: text that is not UTF-8 would cost the whole
        answer otherwise.
        """
        return self._redis.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]


def _entry(raw: Any) -> StreamEntry:
    """One entry as text, with a mark where bytes are not UTF-8."""
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
    """Fields as the client's signature wants them."""
    return dict(fields)
