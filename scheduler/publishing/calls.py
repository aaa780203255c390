"""The call that Beat sends for a tick, and the rendered commands, as data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheduler.errors import BeatdeskError
from scheduler.runs.headers import Message

Way = Literal["atomic", "outbox"]
"""The delivery mode: in the transaction itself, or by the outbox."""

RUN, TICK, TAG, AT = "\x01", "\x02", "\x03", "\x04"
"""Places in prepared texts for run id, tick, delivery tag of the message, and time of sending.

The texts are JSON, in which none of these characters occurs.
"""

Command = tuple[str | bytes, ...]
"""A Redis command: name and arguments."""


class Unsendable(BeatdeskError):
    """No message can ever be made of the entry; the text is the reason."""


class NotTaken(BeatdeskError):
    """A key needed by the message is of another type than kombu expects; the entry is sound."""


@dataclass(frozen=True, slots=True)
class Call:
    """A run as arguments of Celery's `apply_async`, or of `send_task`."""

    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: Mapping[str, Any]
    """Complete, with `task_id` and `headers`."""

    run: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call as commands for Redis, and the messages in the commands."""

    commands: tuple[Command, ...]
    messages: tuple[Message, ...]
    """Normally a single message, with all headers; the routing key stands for the queue."""
