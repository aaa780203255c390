"""Dead letters: events that could not be recorded, in a Redis stream until an operator acts.

    event stream ──cannot be recorded──▶ dead letters ──dropped──▶ gone; its trace is in the history
         ▲                                    │
         └──────────────retried───────────────┘   as a new entry, and removed here, in one step

Each move is a single script, so that a letter is in exactly one of the two streams, even if a
process is killed or several operators act at once; the same script appends the event about the
move. Bytes are moved unchanged. A retried event changes no lease and starts no run, as only the
recorder reads events. The fold (`history.recording.projector`) does not depend on the order of
events.

Fields of a letter's stream entry: `entry`, the event's id at the time of the failure; `error`;
`tries`, the number of attempts to record the event; `retries`, the number of times that an operator
sent the event back; `first`, the event's id when first appended; and `field:NAME` for each field of
the event's own entry. Older versions wrote `entry` and `error` only. A retried event has
`tries retries first` in the field PAST of its new entry.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis import Redis
from redis.client import NEVER_DECODE

from scheduler.errors import NotFound, Refused
from scheduler.events import schema
from scheduler.events.bounds import bounded_json
from scheduler.events.letter_text import MESSAGE, DeadLetter, fact_of
from scheduler.events.schema import DeadLettersDropped, DeadLettersRetried
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys
from scheduler.storage.lua import script_text

MOST_LETTERS = 10_000
"""Most letters in Redis (approximately); beyond, the oldest letters are dropped."""

MOST_FIELDS = 3_000
"""Most fields of an entry in a letter. An event has one; Lua's `unpack` allows 8,000 values."""

BATCH = 100
"""Letters moved by a single script, so that Redis is never blocked for long."""

PAST = "dead-letter"
"""The field of a retried entry with its earlier tries, retries and first id."""

_PAST_VALUE = re.compile(r"\d+ \d+ \S+")
_ID = re.compile(r"\d{1,19}-\d{1,19}")
_FIELD = "field:"

_SET_ASIDE = script_text(__package__, "set_aside.lua")

MOST_MESSAGE = 65_536
"""Most bytes of a message in a letter, and of its headers."""

_ACT = script_text(__package__, "act_on_letters.lua")


class LetterPage(NamedTuple):
    """A page of dead letters, newest first; `next` is the `after` of the next page, if any."""

    items: list[DeadLetter]
    next: str | None


class Outcome(NamedTuple):
    """The ids of retried or dropped letters, and of letters gone already."""

    done: list[str]
    gone: list[str]


class SetAside(NamedTuple):
    """Whether the event was still in the stream, and the number of letters dropped to make room."""

    was_there: bool
    lost: int


class DeadLetters:
    """A stream of set-aside events in Redis. Methods raise redis.RedisError."""

    def __init__(
        self, redis: Redis, stream: str = keys.DEAD_LETTERS_STREAM, most: int = MOST_LETTERS
    ) -> None:
        """`stream` is the key; beyond about `most` letters, the oldest are dropped."""
        self._redis = redis
        self._stream = stream
        self._most = most

    def count(self) -> int:
        """Return the number of dead letters."""
        length: Any = self._redis.xlen(self._stream)
        return int(length)

    def page(self, after: str | None = None, limit: int = 50) -> LetterPage:
        """Return a page of letters, newest first; `after` is the `next` of the page before.

        Raises Refused for an `after` that is not an id.
        """
        if after and not _ID.fullmatch(after):
            raise Refused(
                f"after: {after[:60]!r} is not a place in this list; give the `next` of an "
                "earlier page, or nothing",
                field="after",
            )
        found = self._range("XREVRANGE", f"({after}" if after else "+", "-", limit + 1)
        items = found[:limit]
        return LetterPage(items, items[-1].id if len(found) > limit else None)

    def get(self, letter: str) -> DeadLetter:
        """Return the letter with this id. Raises NotFound."""
        found = self._range("XRANGE", letter, letter, 1) if _ID.fullmatch(letter) else []
        if not found:
            raise missing([letter])
        return found[0]

    def newest(self) -> str | None:
        """Return the id of the newest letter; None without letters."""
        found = self._range("XREVRANGE", "+", "-", 1)
        return found[0].id if found else None

    def set_aside(self, entry: str, error: str, tries: int) -> SetAside:
        """Move an event from the stream to the dead letters, and acknowledge the entry.

        `tries` is the number of attempts to record the event since the entry was appended. Does
        nothing for an event that another recorder has recorded or moved meanwhile.
        """
        streams = [keys.EVENTS_STREAM, self._stream]
        arguments = [
            keys.EVENTS_GROUP,
            entry,
            error,
            tries,
            self._most,
            MOST_FIELDS,
            PAST,
            _FIELD,
        ]
        was_there, lost = self._eval(_SET_ASIDE, streams, arguments)
        return SetAside(bool(was_there), int(lost))

    def add_message(self, text: bytes, *, error: str, queue: str, headers: Any = None) -> None:
        """Keep a message of the broker with which no worker can begin, with the reason.

        `text` is its body, or all of it; the first `MOST_MESSAGE` bytes are kept.
        """
        fields: dict[Any, Any] = {
            "entry": "",
            "error": error,
            "tries": 1,
            "first": "",
            _FIELD + MESSAGE: text[:MOST_MESSAGE],
            _FIELD + "queue": queue,
        }
        if headers:
            fields[_FIELD + "headers"] = bounded_json(headers, MOST_MESSAGE)
        self._redis.xadd(self._stream, fields, maxlen=self._most)

    def batches(self, until: str) -> Iterator[list[DeadLetter]]:
        """Yield the letters up to the id `until`, oldest first, batch by batch."""
        yield from self._batches(until)

    def retry(self, letters: Sequence[str], edit: Edit) -> Outcome:
        """Send letters back to the recorder, in this order. Raises NotFound if all are gone, and
        Refused for a message of the broker, which no recorder can read.
        """
        for letter in self._read(letters):
            if letter.is_message:
                raise Refused(
                    f"id: {letter.id} is a message with which no worker can begin, and is not sent "
                    "again; drop it, and let its sender send a sound one",
                    field="id",
                )
        return self._act("retry", letters, edit)

    def drop(self, letters: Sequence[str], edit: Edit) -> Outcome:
        """Delete letters for good. Raises NotFound if all are gone."""
        return self._act("drop", letters, edit)

    def retry_all(self, until: str, edit: Edit) -> int:
        """Send back all letters up to the id `until`, oldest first. Returns their number.

        A letter that fails again gets a higher id, and is not sent back twice.
        """
        return sum(len(self._move("retry", batch, edit)) for batch in self._batches(until))

    def drop_all(self, until: str, edit: Edit) -> int:
        """Delete all letters up to the id `until` for good. Returns their number."""
        return sum(len(self._move("drop", batch, edit)) for batch in self._batches(until))

    def _act(self, action: str, letters: Sequence[str], edit: Edit) -> Outcome:
        done: list[str] = []
        wanted = list(dict.fromkeys(letters))
        for start in range(0, len(wanted), BATCH):
            done += self._move(action, self._read(wanted[start : start + BATCH]), edit)
        if not done:
            raise missing(wanted)
        return Outcome(done, [letter for letter in wanted if letter not in set(done)])

    def _move(self, action: str, letters: Sequence[DeadLetter], edit: Edit) -> list[str]:
        """Retry or drop the letters of a batch, and append the event. Returns the ids moved."""
        if action == "retry":
            letters = [letter for letter in letters if not letter.is_message]
        if not letters:
            return []
        kind = DeadLettersRetried if action == "retry" else DeadLettersDropped
        event = kind(at=edit.now, actor=edit.actor, comment=edit.comment, letters=[])
        arguments = [action, schema.encode(event)[schema.FIELD], schema.FIELD, PAST, _FIELD]
        for letter in letters:
            arguments += [letter.id, fact_of(letter).model_dump_json()]
        done = self._eval(_ACT, [self._stream, keys.EVENTS_STREAM], arguments)
        return [_text(letter) for letter in done]

    def _batches(self, until: str) -> Iterator[list[DeadLetter]]:
        """Yield the letters up to `until`, oldest first, read batch by batch."""
        if not _ID.fullmatch(until):
            raise Refused(f"until: {until[:60]!r} is not the id of a dead letter", field="until")
        start = "-"
        while batch := self._range("XRANGE", start, until, BATCH):
            yield batch
            start = f"({batch[-1].id}"

    def _read(self, letters: Iterable[str]) -> list[DeadLetter]:
        """Return the letters with these ids; missing letters are left out."""
        found: list[DeadLetter] = []
        for letter in letters:
            if _ID.fullmatch(letter):
                found += self._range("XRANGE", letter, letter, 1)
        return found

    def _range(self, command: str, start: str, end: str, count: int) -> list[DeadLetter]:
        """Return a range of letters as bytes: decoding fails as a whole if a text is not UTF-8."""
        answer: Any = self._redis.execute_command(  # type: ignore[no-untyped-call]
            command, self._stream, start, end, "COUNT", count, **{NEVER_DECODE: []}
        )
        return [_letter(raw) for raw in answer]

    def _eval(self, script: str, streams: list[str], arguments: Sequence[Any]) -> Any:
        command = ["EVAL", script, len(streams), *streams, *arguments]
        return self._redis.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]


def without_past(fields: dict[str, str]) -> dict[str, str]:
    """Return the fields of an entry without the field PAST of a retried event."""
    # An entry with nothing but PAST is not an event; without fields the entry would pass for
    # deleted.
    if len(fields) == 1 or not _PAST_VALUE.fullmatch(fields.get(PAST, "")):
        return fields
    return {name: value for name, value in fields.items() if name != PAST}


def missing(letters: Sequence[str]) -> NotFound:
    """Return the error for letters that are all gone."""
    named = ", ".join(letter[:60] for letter in letters[:3])
    more = f" and {len(letters) - 3} more" if len(letters) > 3 else ""
    return NotFound(
        f"id: there is no dead letter {named}{more}; it was retried or dropped, or never was one: "
        "`beatdesk dead-letters list` shows those that are there",
        field="id",
    )


def _letter(raw: Any) -> DeadLetter:
    """Return the letter in a stream entry."""
    entry, values = raw
    fields: dict[str, bytes] = {}
    own: dict[str, str] = {}
    for name, value in (values or {}).items() if isinstance(values, dict) else _pairs(values):
        text = _text(name)
        if text.startswith(_FIELD):
            fields[text.removeprefix(_FIELD)] = bytes(value)
        else:
            own[text] = _text(value)
    letter = _text(entry)
    return DeadLetter(
        id=letter,
        entry=own.get("entry", ""),
        error=own.get("error", ""),
        raw=fields,
        at=_moment(letter),
        tries=_number(own.get("tries")),
        retries=_number(own.get("retries")) or 0,
        first=own.get("first") or own.get("entry", ""),
    )


def _pairs(values: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(values[::2], values[1::2], strict=True)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _moment(entry: str) -> datetime:
    """Return the moment when a stream entry was appended, by the clock of the Redis server."""
    return datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
