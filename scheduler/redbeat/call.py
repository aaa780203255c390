"""The call of a stored entry: arguments and options, as RedBeat's decoder reads both."""

import json
from typing import Any, NamedTuple

from redbeat.decoder import RedBeatJSONDecoder

from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule


class StoredCall(NamedTuple):
    """The part of a call to Celery common to all ticks of an entry."""

    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


def stored_call(entry: StoredSchedule, text: str) -> StoredCall:
    """Return the call of an entry; `text` is the JSON of the entry's definition.

    An operator's override wins. Raises the exceptions of RedBeat's decoder for arguments with
    objects of RedBeat's own types (`__type__`).
    """
    definition = entry.definition
    if entry.schedule.override is not None:
        text = codec.encode_definition(entry.schedule, entry.definition)
        definition = json.loads(text)
    values = {key: definition.get(key) for key in ("args", "kwargs", "options")}
    if codec.has_types(definition, text):
        values = decoded(values)
    return StoredCall(
        list(values["args"] or ()), dict(values["kwargs"] or {}), dict(values["options"] or {})
    )


def decoded(values: Any) -> Any:
    """Return JSON data with objects for RedBeat's own types. Raises its decoder's exceptions."""
    return json.loads(json.dumps(values), cls=RedBeatJSONDecoder)
