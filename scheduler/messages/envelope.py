"""The judge of a received message: whether a worker can begin with what it says of itself. Pure.

Celery trusts both: a wrong kind of value ends its worker, and the next worker, to which the broker
then delivers the message. The kinds are those that Celery 5.7 writes (protocol 2,
`celery.app.amqp.AMQP.as_task_v2`); null and missing headers are sound everywhere but in `task` and
`id`. Unknown headers are the sender's own, and stay allowed.
"""

from collections.abc import Mapping
from typing import Any

from scheduler.messages import kinds


def fault_of(headers: Any, properties: Any) -> str | None:
    """Return why no worker can begin with a message, with field and value; None if sound.

    A message of Celery's protocol 1 has no header `task`: `fault_in_old_body` judges its body.
    """
    if not isinstance(headers, Mapping):
        return f"headers is {kinds.shown(headers)}, not an object"
    if not isinstance(properties, Mapping):
        return f"properties is {kinds.shown(properties)}, not an object"
    return (
        _fault_in_names(headers) or fault_in_headers(headers) or _fault_in(_PROPERTIES, properties)
    )


def fault_in_headers(headers: Any) -> str | None:
    """Return the fault in Celery's own headers, as far as they are there; None without one."""
    if not isinstance(headers, Mapping):
        return f"headers is {kinds.shown(headers)}, not an object"
    fault = _fault_in(_HEADERS, headers)
    return None if fault is None else f"headers.{fault}"


def fault_in_content_type(content_type: Any) -> str | None:
    """Return why a body of this type is not to be decoded; None for all others.

    kombu decodes bodies of these types by any codec of Python that the message names, such as zlib,
    without a bound on memory or time. The result is a text, which is no call of a job.
    """
    if content_type and content_type not in _UNSERIALIZED:
        return None
    return f"the content type is {kinds.shown(content_type)}, in which no job is called"


def fault_in_old_body(body: Any) -> str | None:
    """Return the fault in a body of Celery's protocol 1, which has the headers inside."""
    if not isinstance(body, Mapping):
        return f"the body is {kinds.shown(body)}, not a call of a job"
    fault = _fault_in_names(body) or _fault_in(_HEADERS, body) or _fault_in(_OLD_BODY, body)
    return None if fault is None else f"body.{fault}"


def fault_in_body(body: Any) -> str | None:
    """Return the fault in a body of protocol 2: `[args, kwargs, embed]`; None without one."""
    if not isinstance(body, list | tuple) or len(body) != 3:
        return f"the body is {kinds.shown(body)}, not a list of arguments, keywords and callbacks"
    args, kwargs, embed = body
    if not isinstance(args, list | tuple):
        return f"body.args is {kinds.shown(args)}, not a list"
    if not isinstance(kwargs, Mapping):
        return f"body.kwargs is {kinds.shown(kwargs)}, not an object"
    if not isinstance(embed, Mapping):
        return f"body.embed is {kinds.shown(embed)}, not an object"
    fault = _fault_in(_EMBED, embed)
    return None if fault is None else f"body.{fault}"


def _fault_in_names(fields: Mapping[str, Any]) -> str | None:
    """The fault in the job's name or the run's id, without which there is no run."""
    for name in ("task", "id"):
        value = fields.get(name)
        if not kinds.is_name(value) or not value:
            return f"{name} is {kinds.shown(value)}, not a name"
    return None


def _fault_in(judges: Mapping[str, kinds.Kind], fields: Mapping[str, Any]) -> str | None:
    for name, (is_sound, expected) in judges.items():
        value = fields.get(name)
        if value is not None and not is_sound(value):
            return f"{name} is {kinds.shown(value)}, not {expected}"
    return None


def _is_pair_of_limits(value: Any) -> bool:
    if not isinstance(value, list | tuple) or len(value) not in (0, 2):
        return False
    return all(limit is None or kinds.is_limit(limit) for limit in value)


def _is_moment_text(value: Any) -> bool:
    return isinstance(value, str) and kinds.is_moment_text(value)


_MOMENT: kinds.Kind = _is_moment_text, "a moment such as 2026-01-31T06:00:00Z"

_LIST: kinds.Kind = (lambda value: isinstance(value, list | tuple)), "a list"

_HEADERS: dict[str, kinds.Kind] = {
    **dict.fromkeys(
        ("lang", "task", "id", "root_id", "parent_id", "group", "meth", "shadow", "origin"),
        kinds.NAME,
    ),
    **dict.fromkeys(("argsrepr", "kwargsrepr", "compression"), kinds.TEXT),
    "eta": _MOMENT,
    "expires": _MOMENT,
    "retries": kinds.COUNT,
    "timelimit": (_is_pair_of_limits, "a list of two limits in seconds"),
    "group_index": kinds.COUNT,
    "ignore_result": kinds.SWITCH,
    "replaced_task_nesting": kinds.COUNT,
    "stamped_headers": kinds.TEXTS,
    "stamps": kinds.OBJECT,
}

_UNSERIALIZED = ("application/data", "application/text")
"""Types of bodies that are taken whatever types a worker accepts (`kombu.serialization`)."""

_PROPERTIES: dict[str, kinds.Kind] = {
    "correlation_id": kinds.NAME,
    "reply_to": kinds.NAME,
    "delivery_mode": kinds.DELIVERY_MODE,
    "delivery_info": kinds.OBJECT,
    "priority": kinds.PRIORITY,
    "body_encoding": (lambda value: value in ("", "base64"), "'base64'"),
    "delivery_tag": kinds.NAME,
}

_EMBED: dict[str, kinds.Kind] = {
    "callbacks": kinds.SIGNATURES,
    "errbacks": kinds.SIGNATURES,
    "chain": kinds.SIGNATURES,
    "chord": kinds.SIGNATURES,
}

_OLD_BODY: dict[str, kinds.Kind] = {
    "args": _LIST,
    "kwargs": kinds.OBJECT,
    "taskset": kinds.NAME,
    **_EMBED,
}
