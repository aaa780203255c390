"""The judge of an entry's options: whether Celery can send and run a message with them. Pure.

The options of an entry are keyword arguments of Celery's `apply_async`. RedBeat stores any JSON
there. Celery checks few of them when it sends, and a worker ends at some of the rest, such as a
time limit that is a text. The kinds below are those that Celery 5.7 documents
(`celery.app.task.Task.apply_async`, `celery.app.amqp.AMQP.as_task_v2`).

Options that Celery does not know become properties of the message, and stay allowed.
"""

from collections.abc import Mapping
from typing import Any

from scheduler.messages import envelope, kinds

_REMEDY = "change it where the entry is written, or delete the schedule and make it anew"


def fault_of(job: str, options: Mapping[str, Any]) -> str | None:
    """Return why no message can be made of a call, with name, value and remedy; None if sound.

    `options` is the JSON object as stored, before Beatdesk adds run id, headers and limits.
    """
    if not kinds.is_name(job):
        return f"task is {kinds.shown(job)}, not {kinds.NAME[1]}; {_REMEDY}"
    for name, value in options.items():
        if name in _RESERVED:
            return f"options.{name} is not an option of an entry: {_RESERVED[name]}; {_REMEDY}"
        kind = _KINDS.get(name)
        if kind is None or value is None:
            continue
        is_sound, expected = kind
        if not is_sound(value):
            return f"options.{name} is {kinds.shown(value)}, not {expected}; {_REMEDY}"
    fault = envelope.fault_in_headers(options.get("headers") or {})
    return None if fault is None else f"options.{fault}; {_REMEDY}"


def known() -> frozenset[str]:
    """Return the names of the options that are judged."""
    return frozenset(_KINDS) | frozenset(_RESERVED)


_KINDS: dict[str, kinds.Kind] = {
    "countdown": (kinds.is_seconds, f"a number of seconds up to {kinds.LONGEST_SECONDS:.0f}"),
    "eta": (kinds.is_moment_text, "a moment such as 2026-01-31T06:00:00Z"),
    "expires": kinds.MOMENT,
    "time_limit": kinds.LIMIT,
    "soft_time_limit": kinds.LIMIT,
    "retries": kinds.COUNT,
    "priority": kinds.PRIORITY,
    "headers": kinds.OBJECT,
    "retry_policy": kinds.OBJECT,
    "stamps": kinds.OBJECT,
    "stamped_headers": kinds.TEXTS,
    "group_index": kinds.COUNT,
    "replaced_task_nesting": kinds.COUNT,
    "link": kinds.SIGNATURES,
    "link_error": kinds.SIGNATURES,
    "chain": kinds.SIGNATURES,
    "chord": kinds.SIGNATURES,
    "delivery_mode": kinds.DELIVERY_MODE,
    **dict.fromkeys(("argsrepr", "kwargsrepr"), kinds.TEXT),
    **dict.fromkeys(
        ("ignore_result", "add_to_parent", "retry", "mandatory", "immediate"), kinds.SWITCH
    ),
    **dict.fromkeys(
        (
            "queue",
            "exchange",
            "exchange_type",
            "routing_key",
            "serializer",
            "compression",
            "shadow",
            "task_id",
            "group_id",
            "root_id",
            "parent_id",
            "reply_to",
            "origin",
            "task_type",
        ),
        kinds.NAME,
    ),
}
"""Known options: the judge of a value, and the words for it."""

_OF_THE_CALL = "the entry has a place of its own for it"
_OF_THE_SENDER = "it is an object of the sending program"
_OF_THE_MESSAGE = "Celery writes it into the message itself"
_RESERVED = {
    "args": _OF_THE_CALL,
    "kwargs": _OF_THE_CALL,
    "name": _OF_THE_CALL,
    **dict.fromkeys(
        ("app", "connection", "producer", "publisher", "router", "route_name", "declare", "self"),
        _OF_THE_SENDER,
    ),
    **dict.fromkeys(
        (
            "application_headers",
            "body",
            "body_encoding",
            "content_encoding",
            "content_type",
            "correlation_id",
            "create_sent_event",
            "delivery_info",
            "delivery_tag",
            "now",
            "properties",
            "timezone",
        ),
        _OF_THE_MESSAGE,
    ),
}
"""Options under which `apply_async` would take something else, with the reason against them."""
