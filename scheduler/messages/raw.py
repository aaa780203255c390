"""The judge of a text in a list of Redis: whether kombu can make a message of it. Pure."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from scheduler.messages import kinds


def fault_of(payload: Any) -> str | None:
    """Return why kombu cannot make a message of a decoded text, with field and value, or None.

    A body that cannot be decoded is no such fault (`without_unreadable_body`): headers may name the
    run that the message is for.
    """
    if not isinstance(payload, Mapping):
        return f"it is {kinds.shown(payload)}, not a message of kombu's"
    headers, properties = payload.get("headers"), payload.get("properties")
    if headers is not None and not isinstance(headers, Mapping):
        return f"headers is {kinds.shown(headers)}, not an object"
    if not isinstance(properties, Mapping):
        return f"properties is {kinds.shown(properties)}, not an object"
    return _fault_in_delivery(properties)


def _fault_in_delivery(properties: Mapping[str, Any]) -> str | None:
    """The fault in what kombu needs for acknowledging a message."""
    tag = properties.get("delivery_tag")
    if not tag or not kinds.is_name(tag):
        return f"properties.delivery_tag is {kinds.shown(tag)}, not a name"
    delivery = properties.get("delivery_info")
    if not isinstance(delivery, Mapping):
        return f"properties.delivery_info is {kinds.shown(delivery)}, not an object"
    for name in ("exchange", "routing_key"):
        if not kinds.is_name(delivery.get(name)):
            value = kinds.shown(delivery.get(name))
            return f"properties.delivery_info.{name} is {value}, not a name"
    return None


def without_unreadable_body(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the message, with null in place of a body that is no text, or not in its encoding."""
    body, encoding = payload.get("body"), payload["properties"].get("body_encoding")
    if _is_readable(body, encoding):
        return payload
    return {**payload, "body": None}


def _is_readable(body: Any, encoding: Any) -> bool:
    if not isinstance(body, str) or not kinds.is_text(body):
        return False
    if not encoding:
        return True
    if encoding != "base64":
        return False
    try:
        base64.b64decode(body)
    except (binascii.Error, ValueError):
        return False
    return True
