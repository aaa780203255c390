"""Headers of a run's message: pure functions of Celery's headers.

Beat and `runs.control` put the schedule, its revision, the trigger and the actor in the header
`beatdesk`, and the tick in the header `tick`; Celery carries unknown headers over retries. Messages
of other origin have neither, and become runs with the trigger `api`, or `schedule` where stock
Beat's own mark is found. No content of a header raises: any program may have written the header.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from scheduler.events.bounds import bounded, plain_text
from scheduler.events.schema import RunFacts
from scheduler.runs.own_header import (
    HEADER,
    TICK_HEADER,
    OwnHeader,
    decode,
    deliveries_of,
    encode,
    moment_in,
    name_in,
)

log = logging.getLogger(__name__)

STOCK_BEAT_HEADER = "celery_beat_task"

BUILT_IN = "celery."
"""Prefix of Celery's own tasks (`celery.chord_unlock` …), which are not jobs."""


class Message(NamedTuple):
    """The parts of a Celery message from which its run is described."""

    headers: Mapping[str, Any]
    args: Any
    kwargs: Any
    queue: str | None

    @property
    def run(self) -> str:
        """The run's id: Celery's task id."""
        return str(self.headers["id"])

    @property
    def attempt(self) -> int:
        """The number of the message's attempt, from 1: `attempt_in`."""
        return attempt_in(self.headers)


def is_job(name: str) -> bool:
    """Return whether a task is a job, and not one of Celery's own tasks."""
    return not name.startswith(BUILT_IN)


def is_run(headers: Any) -> bool:
    """Whether a message's headers name a run of a job.

    False for an id that cannot be written to Redis: one such id would keep all others from it.
    """
    if not isinstance(headers, Mapping):
        return False
    run = headers.get("id")
    name = headers.get("task")
    if not isinstance(run, str) or not isinstance(name, str):
        return False
    return 0 < len(run) <= 64 and plain_text(run) == run and is_job(name)


def facts_of(message: Message, limit: int, queued_at: datetime | None = None) -> RunFacts:
    """Return the facts of the message's run.

    `limit` is the most bytes of the arguments. `queued_at` is for a header without a moment.
    """
    headers = message.headers
    own = decode(headers)
    by_stock_beat = bool(headers.get(STOCK_BEAT_HEADER))
    return RunFacts(
        job=name_in(headers.get("task")) or "?",
        args=_arguments(message.args, limit),
        kwargs=_arguments(message.kwargs, limit),
        schedule=own.schedule,
        schedule_uid=own.schedule_uid,
        revision=own.revision,
        tick=moment_in(headers.get(TICK_HEADER)),
        due_at=own.due_at,
        trigger=own.trigger or ("schedule" if by_stock_beat else "api"),
        actor=own.actor,
        queue=name_in(message.queue),
        queued_at=own.queued_at or queued_at,
        parent=own.parent or name_in(headers.get("parent_id"), 64),
    )


def message_of(message: Any) -> Message:
    """Return the parts of a received kombu message; no arguments for an unreadable body."""
    args, kwargs = _readable(message)
    return Message(message.headers, args, kwargs, queue_of(message.delivery_info))


def _readable(message: Any) -> tuple[Any, Any]:
    """Return the arguments of a message; none for an unreadable body.

    An unreadable body may be why a worker refuses the message.
    """
    try:
        args, kwargs, _embed = message.payload
    except Exception as error:  # noqa: BLE001 - anybody may have written it
        log.debug("a message has no readable arguments: %r", error)
        return [], {}
    return args, kwargs


def headers_for(
    facts: RunFacts, retries: Mapping[str, Any] | None = None, *, approval: str | None = None
) -> dict[str, Any]:
    """Return headers with `facts`, and with `retries` of the schedule's policies.

    `retries` comes from `limits.facts_of`. Job, arguments and queue are left out: the message has
    them elsewhere.
    """
    own = OwnHeader(
        schedule=facts.schedule,
        schedule_uid=facts.schedule_uid,
        revision=facts.revision,
        trigger=facts.trigger,
        actor=facts.actor,
        queued_at=facts.queued_at,
        parent=facts.parent,
        due_at=facts.due_at,
        approval=approval,
        **(retries or {}),
    )
    headers: dict[str, Any] = {HEADER: encode(own)}
    if facts.tick is not None:
        headers[TICK_HEADER] = to_jsonable_python(facts.tick)
    return headers


def attempt_of(retries: Any) -> int:
    """Number of the attempt, from 1; 1 where the header `retries` is not a number."""
    return retries + 1 if isinstance(retries, int) and retries >= 0 else 1


def attempt_in(headers: Mapping[str, Any]) -> int:
    """Return the attempt, from 1, for which a message with `headers` was sent.

    Sent further attempts count, and so do earlier deliveries that began and did not end.
    """
    return attempt_of(headers.get("retries")) + deliveries_of(headers)


def queue_of(delivery_info: Any) -> str | None:
    """Queue of a message, from the transport's routing key; None where there is none."""
    if not isinstance(delivery_info, Mapping):
        return None
    name = delivery_info.get("routing_key")
    return name if isinstance(name, str) and name else None


def _arguments(value: Any, limit: int) -> JsonValue:
    return bounded(list(value) if isinstance(value, tuple) else value, limit)
