"""With which arguments and options a stored entry calls its job, as RedBeat's decoder reads
them.
"""

import json
from typing import Any, NamedTuple

from redbeat.decoder import RedBeatJSONDecoder

from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule


class Called(NamedTuple):
    """What stock gives to Celery, but for what belongs to one tick."""

    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


def called(entry: StoredSchedule, text: str) -> Called:
    """The call. `text` is what the definition was read from.

    Raises whatever RedBeat's decoder does, where the arguments hold objects of its own types.
    """
    definition = entry.definition
    if entry.schedule.override is not None:
        text = codec.encode_definition(entry.schedule, entry.definition)
        definition = json.loads(text)
    said = {key: definition.get(key) for key in ("args", "kwargs", "options")}
    if codec.has_types(definition, text):
        said = json.loads(json.dumps(said), cls=RedBeatJSONDecoder)
    return Called(list(said["args"] or ()), dict(said["kwargs"] or {}), dict(said["options"] or {}))
