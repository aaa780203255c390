"""What Beat sends for a tick, as data: a call, and what it is rendered to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheduler.errors import BeatdeskError
from scheduler.runs.headers import Message

Way = Literal["atomic", "outbox"]
"""The delivery mode: in the transaction itself, or by the outbox."""

RUN, TICK, TAG, AT = "\x01", "\x02", "\x03", "\x04"
"""Places in prepared texts for a run's id, its tick, its message's tag, and the time of sending.

The texts are JSON, in which no such characters occur.
"""

Command = tuple[str | bytes, ...]
"""A Redis command: its name and its arguments."""


class Unsendable(BeatdeskError):
    """No message can ever be made of this entry; the text is the reason."""


class NotTaken(BeatdeskError):
    """A key that this message needs is of another type than kombu expects: nothing is wrong with
    the entry.
    """


@dataclass(frozen=True, slots=True)
class Call:
    """One run as arguments of Celery's `apply_async`, or of `send_task`."""

    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: Mapping[str, Any]
    """Complete, with `task_id` and `headers`."""

    run: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call as commands for Redis, and the messages in them."""

    commands: tuple[Command, ...]
    messages: tuple[Message, ...]
    """Normally one message, with all headers, and its routing key as its queue."""
