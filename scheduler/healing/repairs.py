"""What is written to repair an entry, and the fact that says so. Pure.

A schedule is put back with the revision, the time and the author that it had, so that whoever edits
it right now may go on. Beat goes on after the newest tick that the history has heard of, or that
Redis still remembers: what came due since is caught up with as the schedule's own policy says, and
no tick is fired that has a verdict already.
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
"""Who did it, where nobody did."""


def put_back(
    schedule: Schedule,
    found: RawEntry,
    why: str,
    *,
    last_tick: datetime | None,
    runs: int | None,
    now: datetime,
) -> Change:
    """The change that stores `schedule` as it was saved, in place of what was found."""
    entry = _readable(found)
    definition = codec.encode_definition(schedule, entry.definition if entry is not None else None)
    if schedule.origin == "code" and found.static and entry is not None and found.raw.definition:
        definition = found.raw.definition  # code owns it, and Beat has written it anew
    elif schedule.override is not None:
        definition = json.dumps(
            schedule.override.code
        )  # as code had it; the override stands beside it
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
    """The change that removes an entry which had been deleted."""
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
    """Nothing is written, since RedBeat has removed the entry; but what operators had said of it is
    not lost.
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


def told(entry: StoredSchedule, now: datetime) -> ScheduleSaved:
    """The fact that the history lacks, as far as the entry tells it. Told twice it is the same
    fact.
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
    """The entry with the newest tick that the history has heard of, and its due time; none where
    Beat knows it.
    """
    tick, last = ticks.get(entry.schedule.uid), entry.meta.last_run_at
    if tick is None or (last is not None and last >= tick):
        return None
    meta = Meta(tick, entry.meta.total_run_count)
    return raw._replace(meta=codec.encode_meta(meta)), changes.score(entry.schedule, meta, now)


def _resting(schedule: Schedule, now: datetime) -> datetime:
    """The point from which ticks count: nothing before the last edit is due."""
    saved = now if schedule.updated_at is None else min(schedule.updated_at, now)
    return changes.resting_point(schedule.when, saved)


def _readable(found: RawEntry) -> StoredSchedule | None:
    try:
        return found.decode()
    except UnreadableEntry:
        return None


def _remembered(found: RawEntry) -> Meta:
    """What Beat remembers, as far as it can be read."""
    try:
        return codec.decode_meta(found.raw.meta)
    except UnreadableEntry:
        return Meta()
