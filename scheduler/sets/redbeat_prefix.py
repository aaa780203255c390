"""The entries of another RedBeat, under another key prefix or on another server -> candidates.
Reads only.

Entries are decoded as by Beat; entries of another Beatdesk bring their policies and notes. Entries
beyond Beat's reading are refused with the reason, and so are entries from code, because the code
would write them again.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.schedules.reads import CHUNK
from scheduler.sets.found import Aside, Candidate, Found, renamed, usable_names
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis


def read(redis: "Redis", prefix: str = keys.REDBEAT_PREFIX) -> Found:
    """The candidates under a key prefix. Raises Unavailable where Redis does not answer."""
    found = Found()
    due, statics = keys.under(prefix)
    with answering():
        members = sorted(cast("list[str]", redis.zrange(due, 0, -1)))
        static = cast("set[str]", redis.smembers(statics))
    names = [member.removeprefix(prefix) for member in members]
    called = usable_names(names)
    for name, raw in _entries(redis, prefix, names):
        if name in static:
            found.refused.append(
                Aside(name, "it is defined in code (beat_schedule), which would write it again")
            )
            continue
        try:
            if isinstance(raw, Exception):
                raise UnreadableEntry(f"the key is not a hash: {raw}")
            _take(found, name, raw, called[name])
        except UnreadableEntry as error:
            found.refused.append(Aside(name, str(error)))
    return found


def _entries(
    redis: "Redis", prefix: str, names: Sequence[str]
) -> Iterator[tuple[str, Raw | Exception]]:
    """The hash fields of each entry, or the server's error."""
    for begin in range(0, len(names), CHUNK):
        some = names[begin : begin + CHUNK]
        with answering(), redis.pipeline(transaction=False) as pipe:
            for name in some:
                pipe.hmget(
                    prefix + name, (keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
                )
            answers: list[Any] = pipe.execute(raise_on_error=False)
        for name, answer in zip(some, answers, strict=True):
            yield name, answer if isinstance(answer, Exception) else Raw(*answer)


def _take(found: Found, name: str, raw: Raw, called: str) -> None:
    entry = codec.decode(name, raw)
    dropped = sorted(set(entry.definition.get("options") or {}) - {"queue", "priority"})
    if dropped:
        found.refused.append(
            Aside(name, f"it has the option {dropped[0]!r}, which a schedule cannot express")
        )
        return
    when = codec.anchored(entry.schedule.when, entry.meta)
    spec: Spec = entry.schedule.spec().model_copy(update={"name": called, "when": when})
    moves = isinstance(entry.schedule.when, IntervalWhen) and entry.schedule.when.anchor is None
    found.candidates.append(Candidate(name, spec, renamed(name, called), anchor_moves=moves))
