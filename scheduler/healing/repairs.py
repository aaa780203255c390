"""The change that repairs an entry, with the event of the repair. Pure.

A schedule is put back with the revision, time and author of the last save, so that an edit in
progress is not refused. Beat continues after the newest tick in the history or in Redis: the
schedule's own policy decides how later ticks are caught up, and no tick with a verdict fires.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from scheduler.errors import UnreadableEntry
from scheduler.events.schema import ScheduleDeleted, ScheduleHealed, ScheduleSaved
from scheduler.history.queries.views import Saved
from scheduler.redbeat import codec, extra_field
from scheduler.redbeat.codec import Meta, Raw, StoredSchedule
from scheduler.rules.model.spec import Schedule
from scheduler.schedules import changes
from scheduler.schedules.changes import ASLEEP, Change
from scheduler.schedules.raw_entry import RawEntry

ACTOR = "beatdesk"
"""The author of changes without a human author."""


def put_back(
    schedule: Schedule,
    found: RawEntry,
    why: str,
    *,
    last_tick: datetime | None,
    runs: int | None,
    now: datetime,
) -> Change:
    """Return the change that stores `schedule` as saved, in place of `found`.

    `last_tick` is the newest tick in the history, `runs` the number of runs there; None for
    unknown.
    """
    entry = _readable(found)
    definition = codec.encode_definition(schedule, entry.definition if entry is not None else None)
    if schedule.origin == "code" and found.static and entry is not None and found.raw.definition:
        definition = found.raw.definition  # Beat has rewritten the entry from code
    elif schedule.override is not None:
        definition = json.dumps(
            schedule.override.code
        )  # the definition in code; the override has a field of its own
    remembered = _remembered(found)
    last = max(
        tick
        for tick in (_resting(schedule, now), remembered.last_run_at, last_tick)
        if tick is not None
    )
    count = remembered.total_run_count
    meta = Meta(last, max(count or 0, runs) if runs is not None else count)
    return Change(
        raw=Raw(definition, codec.encode_meta(meta), extra_field.encode(schedule, definition)),
        score=changes.score(schedule, meta, now),
        event=ScheduleHealed(
            at=now,
            uid=schedule.uid,
            revision=schedule.revision,
            actor=ACTOR,
            comment=why,
            schedule=schedule,
        ),
        schedule=schedule,
    )


def delete_again(schedule: Schedule, fact: Saved, why: str, now: datetime) -> Change:
    """Return the change that removes an entry deleted before."""
    comment = f"deleted again: {why}, and had been deleted {fact.at:%Y-%m-%d %H:%M:%S} UTC"
    event = ScheduleDeleted(
        at=now,
        uid=fact.uid,
        revision=fact.revision,
        actor=ACTOR,
        comment=comment,
        schedule=schedule,
    )
    return Change(raw=Raw(None, None, None), score=ASLEEP, event=event, schedule=schedule)


def dropped(schedule: Schedule, fact: Saved, now: datetime) -> Change:
    """Return a change with the event of an entry dropped by code.

    RedBeat has removed the entry, so that nothing is written to Redis. The event preserves the
    operators' override.
    """
    event = ScheduleDeleted(
        at=now,
        uid=fact.uid,
        revision=fact.revision + 1,
        actor=ACTOR,
        comment="code (beat_schedule) has it no more; what was said of it here is kept in the "
        "revision before",
        schedule=schedule,
    )
    return Change(raw=Raw(None, None, None), score=ASLEEP, event=event, schedule=schedule)


def buried(schedule: Schedule, fact: Saved, revision: int, now: datetime) -> Change:
    """Return a change with the event of a deletion forgotten by the history.

    Redis has no such entry, so that nothing is written to Redis.
    """
    event = ScheduleDeleted(
        at=now,
        uid=fact.uid,
        revision=max(revision, fact.revision),
        actor=ACTOR,
        comment="deleted before: Redis remembers the deletion, and the history had forgotten it",
        schedule=schedule,
    )
    return Change(raw=Raw(None, None, None), score=ASLEEP, event=event, schedule=schedule)


def recovered(entry: StoredSchedule, now: datetime) -> ScheduleSaved:
    """Return the event missing in the history, as far as the entry allows.

    A second call for an entry returns an equal event.
    """
    schedule = entry.schedule
    if entry.diverged:
        schedule = schedule.model_copy(update={"revision": schedule.revision - 1})
    return ScheduleSaved(
        at=schedule.updated_at or now,
        uid=schedule.uid,
        revision=schedule.revision,
        actor=schedule.updated_by or ACTOR,
        comment="recovered from Redis: the history did not have it",
        schedule=schedule,
        action="recovered",
    )


def reminded(
    entry: StoredSchedule, raw: Raw, ticks: Mapping[str, datetime], now: datetime
) -> tuple[Raw, float] | None:
    """Return the entry with the newest tick in the history, and the due time in Unix seconds.

    None where Beat already remembers the tick.
    """
    tick, last = ticks.get(entry.schedule.uid), entry.meta.last_run_at
    if tick is None or (last is not None and last >= tick):
        return None
    meta = Meta(tick, entry.meta.total_run_count)
    return raw._replace(meta=codec.encode_meta(meta)), changes.score(entry.schedule, meta, now)


def _resting(schedule: Schedule, now: datetime) -> datetime:
    """Return the moment from which ticks count: no tick before the last edit is due."""
    saved = now if schedule.updated_at is None else min(schedule.updated_at, now)
    return changes.resting_point(schedule.when, saved)


def _readable(found: RawEntry) -> StoredSchedule | None:
    try:
        return found.decode()
    except UnreadableEntry:
        return None


def _remembered(found: RawEntry) -> Meta:
    """Return Beat's metadata; empty where unreadable."""
    try:
        return codec.decode_meta(found.raw.meta)
    except UnreadableEntry:
        return Meta()
