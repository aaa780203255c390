"""Dead letters for people and programs: subject, error and text, without secrets. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from scheduler.events.bounds import bounded, bounded_text, masked
from scheduler.events.edits import DeadLetterFact
from scheduler.events.redaction import without_secrets
from scheduler.events.schema import FIELD
from scheduler.events.secret_names import MASK

MOST_TEXT = 200_000
"""Most bytes of a letter's text for display."""

MOST_ERROR = 2_000
"""Most bytes of an error for display."""

_MOST_SHORT = 200

_VALUES = re.compile(r"(?m)input_value=.*$|(?s:\[parameters: .*)")
"""Values in errors of pydantic (in letters of older versions) and of SQLAlchemy."""


MESSAGE = "message"
"""The field of a letter that is a message of the broker and no event, and its kind."""


class DeadLetter(NamedTuple):
    """An event that could not be recorded, or a message with which no worker can begin.

    `entry` is the event's id in the stream at the time of the failure, `first` its id when first
    appended, `raw` the unchanged fields of the entry. `tries` is the number of attempts to record
    the event (None in letters of older versions), `retries` the number of times that an operator
    sent the event back, `at` the moment at which the event became a dead letter.
    """

    id: str
    entry: str
    error: str
    raw: Mapping[str, bytes]
    at: datetime
    tries: int | None
    retries: int
    first: str

    @property
    def is_message(self) -> bool:
        """Whether the letter is a message of the broker, which cannot be retried."""
        return MESSAGE in self.raw

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields as text, with a mark in place of bytes that are not UTF-8."""
        return {name: value.decode("utf-8", "replace") for name, value in self.raw.items()}


class Content(NamedTuple):
    """The readable content of a letter.

    `kind` as in the vocabulary; `about` names the run, schedule, calendar or report; `at` is the
    event's own time; `event` is the whole event as JSON with secrets hidden. All are empty for a
    letter without a JSON object, but for the kind and the queue of a message.
    """

    kind: str = ""
    about: str = ""
    at: str = ""
    event: dict[str, Any] | None = None


def content_of(letter: DeadLetter) -> Content:
    """Return the readable content of a letter; empty for an unreadable letter."""
    if letter.is_message:
        queue = letter.raw.get("queue", b"").decode("utf-8", "replace")
        return Content(kind=MESSAGE, about=_short(queue and f"queue {queue}", _MOST_SHORT))
    try:
        event = json.loads(letter.raw.get(FIELD, b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return Content()
    if not isinstance(event, dict):
        return Content()
    about = next((found for name in _SUBJECTS if (found := _subject(event.get(name)))), "")
    shown = bounded(event, MOST_TEXT)
    return Content(
        kind=_short(event.get("kind"), 60),
        about=about,
        at=_short(event.get("at"), 60),
        event=_hidden(shown) if isinstance(shown, dict) else None,
    )


def _hidden(value: Any) -> Any:
    """Return JSON with a mask for secrets inside texts, such as `password=…` in an error."""
    if isinstance(value, str):
        return without_secrets(value, MASK)
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    return value


_SUBJECTS = ("run", "schedule", "calendar", "report", "title")


def _subject(value: Any) -> str:
    """Return the name in an event's field: a text, or the name of a whole schedule or calendar."""
    return _short(value.get("name") if isinstance(value, dict) else value, _MOST_SHORT)


def _short(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        return ""
    text = bounded_text(value, 4 * limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def error_of(letter: DeadLetter) -> str:
    """Return the reason of a letter, without possibly secret values."""
    return bounded_text(_VALUES.sub("[values hidden]", letter.error), MOST_ERROR)


def texts_of(letter: DeadLetter) -> dict[str, str]:
    """Return the fields of the entry for display: not UTF-8 escaped, secrets hidden, cut."""
    return {_short(name, _MOST_SHORT): _shown(value) for name, value in letter.raw.items()}


def _shown(value: bytes) -> str:
    text = value[: 2 * MOST_TEXT].decode("utf-8", "backslashreplace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return bounded_text(text, MOST_TEXT)
    if not isinstance(content, dict | list):
        return bounded_text(text, MOST_TEXT)
    return bounded_text(json.dumps(masked(content), ensure_ascii=False), MOST_TEXT)


def fact_of(letter: DeadLetter) -> DeadLetterFact:
    """Return the letter as an event describes one, in a few hundred bytes."""
    content = content_of(letter)
    error = _short(error_of(letter), _MOST_SHORT)
    return DeadLetterFact(id=letter.id, kind=content.kind, about=content.about, error=error)


def letter_json(letter: DeadLetter, *, whole: bool = False) -> dict[str, Any]:
    """Return the JSON form of a dead letter; `whole` adds the event and the entry's fields."""
    content = content_of(letter)
    body: dict[str, Any] = {
        "id": letter.id,
        "at": _utc(letter.at),
        "kind": content.kind or None,
        "about": content.about or None,
        "event_at": content.at or None,
        "error": error_of(letter),
        "tries": letter.tries,
        "retries": letter.retries,
        "size": sum(len(name.encode()) + len(value) for name, value in letter.raw.items()),
    }
    if whole:
        body |= {
            "entry": letter.entry,
            "first_entry": letter.first,
            "event": content.event,
            "fields": texts_of(letter),
        }
    return body


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
