"""What Beat sends for a tick, before and after it is a message. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheduler.errors import BeatdeskError
from scheduler.runs.headers import Message

Way = Literal["atomic", "outbox"]
"""How a message comes to its queue: in the transaction itself, or by the outbox."""

RUN, TICK, TAG, AT = "\x01", "\x02", "\x03", "\x04"
"""Stand in kept texts where a run's id, its tick, the tag of its message, and when that was sent
belong.

The texts are JSON, which has no such characters.
"""

Command = tuple[str | bytes, ...]
"""A Redis command: its name and its arguments."""


class Unsendable(BeatdeskError):
    """No message can be made of this entry, not later either; the text says why."""


class NotTaken(BeatdeskError):
    """A key that this message needs is of another type than kombu expects: nothing is wrong with
    the entry.
    """


@dataclass(frozen=True, slots=True)
class Call:
    """One run as Celery is asked for it: the arguments of `apply_async`, or of `send_task`."""

    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: Mapping[str, Any]
    """Complete, with `task_id` and `headers`."""

    run: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call as it goes to the broker."""

    commands: tuple[Command, ...]
    messages: tuple[Message, ...]
    """What is said of it: normally one message, with all headers, and its routing key as its queue.
    """
