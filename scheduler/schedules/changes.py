"""Changes of entries: decided here, applied by the store. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.events.schema import Event
from scheduler.redbeat import codec, extra_field, overrides
from scheduler.redbeat.codec import Meta, Raw, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.check import check_spec
from scheduler.rules.crontab import dialect
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    RedBeatWhen,
    Schedule,
    Spec,
    When,
    Window,
)
from scheduler.rules.policies.window import bounded_next_tick
from scheduler.rules.ticks import latest_tick
from scheduler.schedules import missed_in_pause
from scheduler.schedules.missed_in_pause import rest_of
from scheduler.schedules.saved_options import check_saved_options

ASLEEP = -1.0
"""The score of a sleeping entry; stock Beat reads scores from 0 on."""


@dataclass(frozen=True)
class Change:
    """The fields to store, the due time in Unix seconds, the event and the schedule."""

    raw: Raw
    score: float
    event: Event
    schedule: Schedule
    also: tuple[Event, ...] = ()
    """Further events of the change, such as verdicts on ticks."""

    hold: tuple[WaitingTick, ...] = ()
    """Ticks that wait from now on: Beat sends them in order, oldest first."""


def check_edit(
    spec: Spec,
    old: Schedule,
    now: datetime,
    check_call: Callable[[str, list[Any], dict[str, Any]], None],
) -> None:
    """Check the parts that an edit changes, so that entries of plain RedBeat code stay editable.

    Raises Refused for a bad rule or name, or for a call that the catalogue does not accept.
    """
    same_rule = (
        spec.when == old.when
        and spec.window == old.window
        and not isinstance(spec.when, RedBeatWhen)
    )
    same_call = (spec.job, spec.args, spec.kwargs) == (old.job, old.args, old.kwargs)
    checked = spec.model_copy(
        update={
            "name": spec.name if old.origin == "operator" else "plain-entry",
            "args": [] if same_call else spec.args,
            "kwargs": {} if same_call else spec.kwargs,
        }
    )
    if same_rule:  # tags and notes of a finished schedule stay editable
        checked = checked.model_copy(update={"when": IntervalWhen(every=60), "window": Window()})
    check_spec(checked, now=now)
    if not same_call:
        check_call(spec.job, spec.args, spec.kwargs)


def edited(spec: Spec, entry: StoredSchedule, *, edit: Edit) -> Schedule:
    """Return `spec` as the next revision of `entry`; on a static entry, with its override."""
    old = entry.schedule
    schedule = revised(settled(spec, entry, uid=old.uid, now=edit.now), old, uid=old.uid, edit=edit)
    return overrides.put(schedule, spec.when, entry) if old.origin == "code" else schedule


def settled(spec: Spec, old: StoredSchedule | None, *, uid: str, now: datetime) -> Spec:
    """Return `spec` as stored: `H` replaced by the place of `uid`, intervals with an anchor."""
    when = settle_anchor(spec.when, old, now)
    if isinstance(when, CrontabWhen):
        when = dialect.settle(when, uid)
    return spec if when == spec.when else spec.model_copy(update={"when": when})


def settle_anchor(when: When, old: StoredSchedule | None, now: datetime) -> When:
    """Return the interval with an anchor: the old anchor while `every` is unchanged, else `now`.

    `now` is cut to a full second. Other kinds of schedule are returned unchanged.
    """
    if not isinstance(when, IntervalWhen) or when.anchor is not None:
        return when
    if old is not None:
        before = codec.anchored(old.schedule.when, old.meta)
        if (
            isinstance(before, IntervalWhen)
            and before.every == when.every
            and before.anchor is not None
        ):
            return when.model_copy(update={"anchor": before.anchor})
    return when.model_copy(update={"anchor": now.replace(microsecond=0)})


def resting_point(when: When, now: datetime) -> datetime:
    """Return the `last_run_at` with which nothing fires at once.

    For an interval, the newest tick of its grid; otherwise `now`.
    """
    if isinstance(when, IntervalWhen) and when.anchor is not None:
        return latest_tick(when, when.anchor, now) or when.anchor
    return now


def next_meta(
    schedule: Schedule, old: StoredSchedule | None, raw: Raw | None, now: datetime
) -> str:
    """Return Beat's metadata after the change: the same bytes, unless the ticks change, or a tick
    gets its verdict because the schedule is paused or switched off.
    """
    if old is not None and raw is not None and raw.meta:
        same = (
            codec.anchored(old.schedule.when, old.meta) == schedule.when
            and old.schedule.window == schedule.window
        )
        rest = rest_of(schedule, now)
        before = rest_of(old.schedule, now)
        woken = rest == "awake" and before != "awake"
        settles = rest != before and bool(missed_in_pause.passed_over(old, now, rest))
        if same and not woken and not settles:
            return raw.meta
    count = old.meta.total_run_count if old is not None else None
    return codec.encode_meta(Meta(resting_point(schedule.when, now), count))


def score(schedule: Schedule, meta: Meta, now: datetime) -> float:
    """Return when Beat examines the entry next, in Unix seconds, or `ASLEEP`.

    An entry with a timed pause is due at the end of the pause. A schedule without a further tick is
    finished, and sleeps.
    """
    if not schedule.enabled:
        return ASLEEP
    pause = schedule.paused
    if pause is not None and (pause.until is None or pause.until > now):
        return ASLEEP if pause.until is None else pause.until.timestamp()
    if isinstance(schedule.when, RedBeatWhen) or meta.last_run_at is None:
        return now.timestamp()
    tick = next_of(schedule, meta, meta.last_run_at)
    return ASLEEP if tick is None else tick.timestamp()


def next_of(schedule: Schedule, meta: Meta, after: datetime) -> datetime | None:
    """Return the first tick strictly after `after` within start, end and `max_runs`, or None."""
    when = codec.anchored(schedule.when, meta)
    anchored = schedule if when == schedule.when else schedule.model_copy(update={"when": when})
    return bounded_next_tick(anchored, after, runs=meta.total_run_count or 0)


def written(
    schedule: Schedule, old: StoredSchedule | None, raw: Raw | None, now: datetime, event: Event
) -> Change:
    """Return the change that stores `schedule` in place of `old`.

    Raises Refused for options of the entry that no message can carry.
    """
    check_saved_options(schedule, old, event)
    definition = codec.encode_definition(schedule, old.definition if old is not None else None)
    if old is not None and schedule.origin == "code" and raw is not None and raw.definition:
        definition = raw.definition
    meta = next_meta(schedule, old, raw, now)
    anew = old is not None and raw is not None and meta != raw.meta
    return Change(
        raw=Raw(definition, meta, extra_field.encode(schedule, definition)),
        score=score(schedule, codec.decode_meta(meta), now),
        event=event,
        schedule=schedule,
        also=tuple(missed_in_pause.passed_over(old, now, rest_of(schedule, now)))
        if old is not None and anew
        else (),
    )


def deleted(
    schedule: Schedule, event: Event, entry: StoredSchedule | None, now: datetime
) -> Change:
    """Return the change that removes an entry, with verdicts on the ticks up to `now`.

    `entry` is None for an entry that cannot be read, whose ticks nobody can compute.
    """
    verdicts = () if entry is None else tuple(missed_in_pause.passed_over(entry, now))
    return Change(
        raw=Raw(None, None, None), score=ASLEEP, event=event, schedule=schedule, also=verdicts
    )


def revised(spec: Spec, old: Schedule | None, *, uid: str, edit: Edit) -> Schedule:
    """Return `spec` as the next revision of `old`, or as the first revision of a new schedule."""
    own_uid = old.uid if old is not None else uid
    return Schedule(
        **{name: getattr(spec, name) for name in Spec.model_fields},
        uid=own_uid,
        revision=old.revision + 1 if old is not None else 1,
        paused=old.paused if old is not None else None,
        skips=[tick for tick in old.skips if tick > edit.now] if old is not None else [],
        origin=old.origin if old is not None else "operator",
        override=old.override if old is not None else None,
        updated_at=edit.now,
        updated_by=edit.actor,
        approval=approval_of(spec, old, uid=own_uid, edit=edit),
    )


def approval_of(spec: Spec, old: Schedule | None, *, uid: str, edit: Edit) -> str | None:
    """Return the approval of a schedule's call: by this edit, or the old one of the same call."""
    if edit.approve is not None:
        return edit.approve(uid, spec)
    if old is None or (spec.job, spec.args, spec.kwargs) != (old.job, old.args, old.kwargs):
        return None
    return old.approval
