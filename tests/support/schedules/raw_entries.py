"""Entries as plain RedBeat code writes them, and their decoding."""

import json
from typing import Any

from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw

CRONTAB = {
    "__type__": "crontab",
    "minute": "0",
    "hour": "*",
    "day_of_week": "*",
    "day_of_month": "*",
    "month_of_year": "*",
}


def definition(**parts: Any) -> str:
    """The definition of an hourly entry, with other values for `parts`."""
    whole = {
        "name": "plain",
        "task": "app.task",
        "args": None,
        "kwargs": {},
        "options": {},
        "schedule": CRONTAB,
        "enabled": True,
    }
    return json.dumps({**whole, **parts})


def read(
    text: str, meta: str | None = None, extra: str | None = None, **more: Any
) -> codec.StoredSchedule:
    """The schedule of a definition, Beat's memory and the extra field."""
    return codec.decode("plain", Raw(text, meta, extra), **more)
