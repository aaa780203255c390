"""Removal of a queued run's message, so that no worker can begin with the run.

Bounded: a list is searched in parts, a few milliseconds each, and no longer than `SEARCH_SECONDS`.
A message that the search misses is dropped by the worker that takes the message, by the list of
cancelled runs.
"""

import json
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.queues.broker import query_broker
from scheduler.queues.contents import PART, lists_of
from scheduler.runs.headers import attempt_of
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

SEARCH_SECONDS = 2.0
"""Seconds for the search of one removal; a hundred thousand messages take about half a second."""

PATIENCE = 5.0
"""Seconds that a removal may take at the broker."""


class MessageRemoval:
    """Removal of messages from the queues of the app's broker."""

    def __init__(self, app: "Celery") -> None:
        self._app = app

    def remove(self, runs: Sequence[str], queues: Iterable[str] = ()) -> dict[str, int]:
        """Remove the messages of queued runs. Returns the attempt of each removed message, by run.

        `queues` are searched first, then the queues of the app. Empty where Redis is not the
        broker: no message can be taken out of the middle of another broker's queue. Raises
        redis.RedisError, kombu.exceptions.KombuError and OSError where the broker does not answer.
        """
        if not runs:
            return {}
        names = list(dict.fromkeys((*queues, *QUEUES, CELERYS_QUEUE)))
        removed = query_broker(
            self._app, lambda client: _remove(client, set(runs), names), PATIENCE
        )
        return removed or {}


def _remove(client: "Redis", runs: set[str], queues: Sequence[str]) -> dict[str, int]:
    script = ServerScript(client, __package__, "remove.lua")
    until = monotonic() + SEARCH_SECONDS
    attempts: dict[str, int] = {}
    for key in (key for queue in queues for key in lists_of(queue)):
        start = 0
        while attempts.keys() != runs and monotonic() < until:
            reply: Any = script([key], [start, PART, *sorted(runs - attempts.keys())])
            looked_at, *found = reply
            for run, text in zip(found[::2], found[1::2], strict=True):
                attempts[run.decode()] = attempt_in(text)
            if looked_at < PART:
                break
            start += PART - len(found) // 2
    return attempts


def attempt_in(text: bytes) -> int:
    """Return the attempt for which a stored message was sent; 1 for an unreadable message."""
    try:
        return attempt_of(json.loads(text)["headers"].get("retries"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 1
