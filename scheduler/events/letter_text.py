"""What a dead letter says, for people and programs: what the event was about, and its text
without secrets. Pure.
"""

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
"""Bytes of a letter's text that are shown."""

MOST_ERROR = 2_000
_MOST_SHORT = 200

_VALUES = re.compile(r"(?m)input_value=.*$|(?s:\[parameters: .*)")
"""Values in the errors of pydantic and SQLAlchemy: those of an event that an older version set
aside, and of SQL.
"""


class DeadLetter(NamedTuple):
    """An event that could not be recorded.

    `entry` is the id that it had in the stream of events when it failed, `first` the one when it
    was first appended. `raw` has the fields of that entry as they are. `tries` is how often
    recording it was tried in all (none where an older version did not say), `retries` how often an
    operator sent it back, `at` when it was set aside.
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
    def fields(self) -> dict[str, str]:
        """The fields as text, with a mark where bytes are not UTF-8."""
        return {name: value.decode("utf-8", "replace") for name, value in self.raw.items()}


class Content(NamedTuple):
    """What the event of a letter is about, as far as it can be read.

    `kind` as in the vocabulary, `about` the run, schedule, calendar or report, `at` the time that
    it tells; `event` is the whole event as JSON with secrets hidden. All are empty where the letter
    is no JSON object.
    """

    kind: str = ""
    about: str = ""
    at: str = ""
    event: dict[str, Any] | None = None


def content_of(letter: DeadLetter) -> Content:
    """What the letter's event is about."""
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
    """JSON with the secrets hidden that are written in its texts, such as `password=…` in an
    error.
    """
    if isinstance(value, str):
        return without_secrets(value, MASK)
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {name: _hidden(item) for name, item in value.items()}
    return value


_SUBJECTS = ("run", "schedule", "calendar", "report", "title")


def _subject(value: Any) -> str:
    """The name of what an event is about: a text, or the name of the schedule or calendar that
    it carries.
    """
    return _short(value.get("name") if isinstance(value, dict) else value, _MOST_SHORT)


def _short(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        return ""
    text = bounded_text(value, 4 * limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def error_of(letter: DeadLetter) -> str:
    """Why it could not be recorded, without values that may be secret."""
    return bounded_text(_VALUES.sub("[values hidden]", letter.error), MOST_ERROR)


def texts_of(letter: DeadLetter) -> dict[str, str]:
    """The fields of the entry as text that can be shown: bytes that are not UTF-8 escaped,
    secrets hidden, cut.
    """
    return {_short(name, _MOST_SHORT): _shown(value) for name, value in letter.raw.items()}


def _shown(value: bytes) -> str:
    text = value[: 2 * MOST_TEXT].decode("utf-8", "backslashreplace")
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return bounded_text(text, MOST_TEXT)
    if not isinstance(read, dict | list):
        return bounded_text(text, MOST_TEXT)
    return bounded_text(json.dumps(masked(read), ensure_ascii=False), MOST_TEXT)


def fact_of(letter: DeadLetter) -> DeadLetterFact:
    """What an event about this letter says of it, in a few hundred bytes."""
    content = content_of(letter)
    error = _short(error_of(letter), _MOST_SHORT)
    return DeadLetterFact(id=letter.id, kind=content.kind, about=content.about, error=error)


def letter_json(letter: DeadLetter, *, whole: bool = False) -> dict[str, Any]:
    """A dead letter as programs get it; `whole` adds the event and the fields of its entry."""
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
