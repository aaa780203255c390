"""What a message says about its run: pure functions of Celery's headers.

Beat and `runs.control` put what Celery does not know (schedule, revision, trigger, who) in the
header `beatdesk` and the tick in the header `tick`; Celery carries unknown headers over retries.
Messages of other origin have neither, and become runs with the trigger `api`, or `schedule` where
stock Beat's own mark is found. Never raises on what a header holds: anybody may have written it.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from scheduler.events.bounds import bounded, bounded_text
from scheduler.events.schema import RunFacts, Trigger

log = logging.getLogger(__name__)

HEADER = "beatdesk"
TICK_HEADER = "tick"
STOCK_BEAT_HEADER = "celery_beat_task"

COPY_MARK = "outbox"
"""In the header `beatdesk` of a message that came by the outbox: its own mark, for workers to know
second copies.
"""

BUILT_IN = "celery."
"""Celery's own tasks (`celery.chord_unlock` …) are no jobs."""

LONGEST_NAME = 255
"""Characters of a name that an event carries whole."""

_CARRIED = ("schedule", "schedule_uid", "revision", "trigger", "actor", "queued_at", "parent")
_TRIGGERS = frozenset(get_args(Trigger))


class Message(NamedTuple):
    """What of a Celery message tells about its run."""

    headers: Mapping[str, Any]
    args: Any
    kwargs: Any
    queue: str | None

    @property
    def run(self) -> str:
        """The run's id, which is Celery's task id."""
        return str(self.headers["id"])

    @property
    def attempt(self) -> int:
        """The number of the attempt that the message is for."""
        return attempt_of(self.headers.get("retries"))


def is_job(name: str) -> bool:
    """Is the task of this name a job, and not one of Celery's own?"""
    return not name.startswith(BUILT_IN)


def facts_of(message: Message, limit: int, queued_at: datetime | None = None) -> RunFacts:
    """The facts of the message's run; `limit` bounds its arguments."""
    headers = message.headers
    said = headers.get(HEADER)
    said = said if isinstance(said, Mapping) else {}
    trigger = said.get("trigger")
    if not isinstance(trigger, str) or trigger not in _TRIGGERS:
        trigger = "schedule" if headers.get(STOCK_BEAT_HEADER) else "api"
    return RunFacts(
        job=_name(headers.get("task")) or "?",
        args=_arguments(message.args, limit),
        kwargs=_arguments(message.kwargs, limit),
        schedule=_name(said.get("schedule")),
        schedule_uid=_name(said.get("schedule_uid"), 36),
        revision=_revision(said.get("revision")),
        tick=moment(headers.get(TICK_HEADER)),
        trigger=trigger,
        actor=_name(said.get("actor")),
        queue=_name(message.queue),
        queued_at=moment(said.get("queued_at")) or queued_at,
        parent=_name(said.get("parent") or headers.get("parent_id"), 64),
    )


def message_of(message: Any) -> Message:
    """What a message of Celery's tells, its arguments as far as they can be read."""
    args, kwargs = _readable(message)
    return Message(message.headers, args, kwargs, queue_of(message.delivery_info))


def _readable(message: Any) -> tuple[Any, Any]:
    """The arguments in a message, none where it cannot be read (which may be why it is refused)."""
    try:
        args, kwargs, _embed = message.payload
    except Exception as error:  # noqa: BLE001 - anybody may have written it
        log.debug("a message has no readable arguments: %r", error)
        return [], {}
    return args, kwargs


def headers_for(facts: RunFacts) -> dict[str, Any]:
    """The headers that carry these facts; what the message itself says (job, arguments, queue) is
    left out.
    """
    own = {name: value for name in _CARRIED if (value := getattr(facts, name)) is not None}
    if facts.queued_at is not None:
        own["queued_at"] = to_jsonable_python(facts.queued_at)
    headers: dict[str, Any] = {HEADER: own}
    if facts.tick is not None:
        headers[TICK_HEADER] = to_jsonable_python(facts.tick)
    return headers


def attempt_of(retries: Any) -> int:
    """The number of the attempt, from 1."""
    return retries + 1 if isinstance(retries, int) and retries >= 0 else 1


def tick_of(headers: Mapping[str, Any]) -> datetime | None:
    """The moment for which the run was due, in UTC."""
    tick = moment(headers.get(TICK_HEADER))
    return None if tick is None else tick.astimezone(UTC)


def schedule_of(headers: Mapping[str, Any]) -> str | None:
    """The name of the schedule that fired the run."""
    said = headers.get(HEADER)
    return _name(said.get("schedule")) if isinstance(said, Mapping) else None


def queue_of(delivery_info: Any) -> str | None:
    """The queue that a message came through, as far as the transport says it."""
    if not isinstance(delivery_info, Mapping):
        return None
    name = delivery_info.get("routing_key")
    return name if isinstance(name, str) and name else None


def _arguments(value: Any, limit: int) -> JsonValue:
    return bounded(list(value) if isinstance(value, tuple) else value, limit)


def _name(value: Any, limit: int = LONGEST_NAME) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return value if len(value) <= limit else bounded_text(value, limit - 60)[:limit]


def _revision(value: Any) -> int | None:
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
        else None
    )


def moment(value: Any) -> datetime | None:
    """An aware moment, or none where the header holds something else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value
