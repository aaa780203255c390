"""Steps as they would be in the whole form of `fire.lua`, whichever form they have."""

from collections.abc import Iterator
from struct import unpack_from
from typing import Any

from scheduler.beat.entry_writes import USUAL_WIDTH, EntryWrite, parts_of
from scheduler.storage import keys


def texts_of(packed: bytes) -> list[bytes]:
    """Packed texts one by one; each is as long as it says."""

    def one_by_one() -> Iterator[bytes]:
        place = 0
        while place < len(packed):
            kind, length = unpack_from(">cI", packed, place)
            assert kind == b"\xdb"
            place += 5 + length
            assert place <= len(packed)
            yield packed[place - length : place]

    return list(one_by_one())


def whole_form(write: EntryWrite) -> list[Any]:
    """The arguments of a write in the whole form; texts are text."""
    return [part.decode() if isinstance(part, bytes) else part for part in _parts(write)]


def _parts(write: EntryWrite) -> list[Any]:
    if write.usual is None:
        return write.parts
    assert not write.parts
    arguments = texts_of(write.usual.packed)
    assert len(arguments) == USUAL_WIDTH
    key, definition, meta, extra, new_meta, score, alive_key, run, lease, message, event = arguments
    entry = write.entry
    assert (key, definition, meta, extra) == (
        entry.key,
        entry.definition,
        entry.meta,
        entry.extra or b"",
    )
    assert write.usual.neighbours.has_extra == (entry.extra is not None)
    assert float(score) == write.score
    return parts_of(
        entry,
        write.score,
        meta=new_meta.decode(),
        uid=alive_key.decode().removeprefix(keys.ALIVE_PREFIX),
        lease=(run.decode(), lease.decode(), write.usual.neighbours.alive_until),
        commands=[("LPUSH", write.usual.neighbours.queue.decode(), message.decode())],
        events=[event.decode()] if event else [],
    )
