"""Entries as Beat reads them, made from schedules."""

from collections.abc import Sequence

from scheduler.beat.due_entries import DueEntry
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import Schedule
from scheduler.schedules import changes
from tests.support.builders import NOON, a_saved_event


def due_entry(
    schedule: Schedule,
    meta: Meta,
    *,
    alive: int = 0,
    waiting: Sequence[WaitingTick] = (),
    foreign: bool = False,
) -> DueEntry:
    """The entry of a schedule; a `foreign` one is as RedBeat's own code writes it."""
    raw = changes.written(schedule, None, None, NOON, a_saved_event(schedule, NOON)).raw
    assert raw.definition is not None
    assert raw.extra is not None
    name = schedule.name.encode()
    return DueEntry(
        key=b"redbeat:" + name,
        name_bytes=name,
        due=repr(NOON.timestamp()).encode(),
        definition=raw.definition.encode(),
        meta=codec.encode_meta(meta).encode(),
        extra=None if foreign else raw.extra.encode(),
        static=0,
        alive=alive,
        waiting=[tick.text.encode() for tick in waiting],
        fault=None,
    )
