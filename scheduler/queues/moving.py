"""Moves of a schedule's waiting messages to another queue.

Each message is moved once; a message that a worker takes meanwhile stays with the worker. A moved
message names the new queue, so that a stopping worker gives the message back to the new queue, and
the event `run.moved` records the move in the history. Only where Redis is the broker: other brokers
cannot take a message out of the middle of a queue.
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.errors import Refused
from scheduler.events.schema import RunMoved, run_event
from scheduler.queues.broker import query_broker
from scheduler.queues.contents import PART, QueueReader, lists_of
from scheduler.runs.headers import Message, facts_of
from scheduler.runs.own_header import raw_parts
from scheduler.storage.availability import BROKER, answering
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

    from scheduler.events.stream import EventStream

BATCH = 100
"""Messages moved in one step."""

PATIENCE = 30.0
"""Seconds allowed for a move."""


class WaitingMessage(NamedTuple):
    """A schedule's message as stored: the key of the list, and the text."""

    key: str
    text: bytes


class MessageMoves:
    """Moves of messages between the queues of the app's broker.

    Methods raise Refused for a broker other than Redis, Unavailable where the broker does not
    answer.
    """

    def __init__(self, app: "Celery", stream: "EventStream", limit: int) -> None:
        self._app = app
        self._stream = stream
        self._limit = limit

    def waiting(self, uid: str, target: str) -> dict[str, int]:
        """How many messages of the schedule `uid` wait in each queue other than `target`."""
        counts = self._ask(
            lambda client: {
                queue: sum(1 for _ in _messages(client, uid, queue))
                for queue in _queues(client)
                if queue != target
            }
        )
        return {queue: count for queue, count in counts.items() if count}

    def move(self, uid: str, target: str, now: datetime, source: str | None = None) -> int:
        """Move the waiting messages of the schedule `uid` to the queue `target`.

        `source` is the only queue to move from. Returns the number of moved messages; the order
        stays.
        """
        events: list[RunMoved] = self._ask(
            lambda client: [
                event
                for queue in ([source] if source is not None else _queues(client))
                if queue != target
                for event in self._moved(client, uid, queue, target, now)
            ]
        )
        for start in range(0, len(events), BATCH):
            self._stream.append_many(events[start : start + BATCH])
        return len(events)

    def _moved(
        self, client: "Redis", uid: str, source: str, target: str, now: datetime
    ) -> Iterator[RunMoved]:
        script = ServerScript(client, __package__, "move.lua")
        destinations = dict(zip(lists_of(source), lists_of(target), strict=True))
        by_list: dict[str, list[bytes]] = {}
        for message in _messages(client, uid, source):
            by_list.setdefault(message.key, []).append(message.text)
        for key, texts in by_list.items():
            texts.reverse()  # the oldest stands at the end of its list
            for start in range(0, len(texts), BATCH):
                part = texts[start : start + BATCH]
                arguments = [new for text in part for new in (text, renamed(text, target))]
                done: Any = script([key, destinations[key]], arguments)
                for place in done:
                    yield _event(part[place - 1], target, self._limit, now)

    def _ask(self, question: Any) -> Any:
        with answering(server=BROKER):
            answer = query_broker(self._app, question, PATIENCE)
        if answer is None:
            raise Refused(
                "messages can be moved only where the broker is Redis; stop its worker, or let one "
                "read both queues until the old one is empty",
                field="queue",
            )
        return answer


def _queues(client: "Redis") -> list[str]:
    """Return the queues of the broker in which a message may wait."""
    own = [*QUEUES, CELERYS_QUEUE]
    others = QueueReader(client).other_queues(own)
    suffixes = lists_of("")[1:]
    names = {
        next((name.removesuffix(end) for end in suffixes if name.endswith(end)), name)
        for name in others
    }
    return [*own, *sorted(names - set(own))]


def _messages(client: "Redis", uid: str, queue: str) -> Iterator[WaitingMessage]:
    """The messages of a schedule in a queue, the newest first."""
    for key in lists_of(queue):
        start = 0
        while True:
            texts: Any = client.lrange(key, start, start + PART - 1)
            for text in texts:
                if uid.encode() in text and uid_in(text) == uid:
                    yield WaitingMessage(key, text)
            if len(texts) < PART:
                break
            start += PART


def uid_in(text: bytes) -> Any:
    """Return the uid of the schedule of a stored message; None for an unreadable message."""
    try:
        return raw_parts(json.loads(text)["headers"]).get("schedule_uid")
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def renamed(text: bytes, queue: str) -> str:
    """Return a message as kombu would have stored the message for another queue."""
    message = json.loads(text)
    message["properties"]["delivery_info"] |= {"exchange": "", "routing_key": queue}
    return json.dumps(message)


def _event(text: bytes, queue: str, limit: int, now: datetime) -> Any:
    """Return the event `run.moved` of a message."""
    stored = json.loads(text)
    args, kwargs = arguments_in(stored)
    message = Message(stored["headers"], args, kwargs, queue)
    facts = facts_of(message, limit)
    return run_event(RunMoved, message.run, message.attempt, now, facts=facts)


def arguments_in(stored: Any) -> tuple[Any, Any]:
    """Return positional and named arguments of a stored message; empty for an unreadable body."""
    try:
        args, kwargs, _embed = json.loads(base64.b64decode(stored["body"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return [], {}
    return args, kwargs
