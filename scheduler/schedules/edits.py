"""Decisions of an edit: functions from a stored entry to its change. Pure.

The same decision serves a single schedule or many. A decision returns a Change, or the schedule
itself where there is nothing to change. A decision raises Refused, StaleRevision or
UnreadableEntry. Reads and writes no Redis. Pause, resume, skip and restore stand in `operations`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from scheduler.errors import Refused, StaleRevision, UnreadableEntry
from scheduler.events.schema import (
    Event,
    ScheduleAdopted,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleReset,
    ScheduleRestored,
    ScheduleSaved,
)
from scheduler.redbeat import codec, extra_field, overrides
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.rules.check import CheckedSpec, check_when
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import RedBeatWhen, Schedule, Spec
from scheduler.schedules import changes
from scheduler.schedules.changes import Change
from scheduler.schedules.raw_entry import RawEntry, remains_of
from scheduler.schedules.saved_options import check_saved_options

CheckCall = Callable[[str, list[Any], dict[str, Any]], None]
Decide = Callable[[RawEntry], Change | Schedule]

R = TypeVar("R")


@dataclass(frozen=True)
class Decision(Generic[R]):
    """The change to write, None for no change, and the caller's result after the write."""

    change: Change | None
    result: R


def saved(schedule: Schedule, action: Literal["created", "edited"], edit: Edit) -> ScheduleSaved:
    """Return the event of a created or edited schedule."""
    return ScheduleSaved(**event_fields(schedule, edit), action=action)


def editing(
    wanted: Spec | CheckedSpec,
    check_call: CheckCall,
    *,
    revision: int | None,
    restored: int | None = None,
    edit: Edit,
) -> Decide:
    """Return the decision to save `wanted` as the next revision; on a static entry, as an override.

    `revision` is the revision that the edit began from; None skips the comparison. `restored` is
    the number of an earlier revision with the same definition, for the event. Deciding raises
    StaleRevision, UnreadableEntry, or Refused for a rule or call that does not pass its checks.
    """

    def decide(stored: RawEntry) -> Change:
        entry = stored.decode()
        check_revision(entry.schedule, revision)
        return _edit(stored, entry, wanted, check_call, restored=restored, edit=edit)

    return decide


def tagging(
    add: Sequence[str], remove: Sequence[str], check_call: CheckCall, *, edit: Edit
) -> Decide:
    """Return the decision to add tags to a schedule, and to remove others.

    A tag in both `add` and `remove` is removed. Unchanged tags are no change.
    """

    def decide(stored: RawEntry) -> Change | Schedule:
        entry = stored.decode()
        old = entry.schedule
        tags = [tag for tag in dict.fromkeys([*old.tags, *add]) if tag not in remove]
        if tags == old.tags:
            return old
        spec = old.spec().model_copy(update={"tags": tags})
        return _edit(stored, entry, spec, check_call, edit=edit)

    return decide


def queueing(queue: str | None, check_call: CheckCall, *, edit: Edit) -> Decide:
    """Return the decision to send a schedule's runs to `queue`; None means the job's own queue."""

    def decide(stored: RawEntry) -> Change | Schedule:
        entry = stored.decode()
        old = entry.schedule
        if old.queue == queue:
            return old
        spec = old.spec().model_copy(update={"queue": queue})
        return _edit(stored, entry, spec, check_call, edit=edit)

    return decide


def switching(enabled: bool, *, revision: int | None = None, edit: Edit) -> Decide:
    """Return the decision to switch a schedule on or off.

    A schedule switched on fires at its next tick, not at once. Deciding raises StaleRevision, or
    Refused for a schedule switched off in code.
    """
    kind: type[ScheduleEnabled | ScheduleDisabled] = (
        ScheduleEnabled if enabled else ScheduleDisabled
    )

    def decide(stored: RawEntry) -> Change | Schedule:
        entry = stored.decode()
        old = entry.schedule
        check_revision(old, revision)
        if old.enabled == enabled:
            return old
        if enabled and old.origin == "code" and not entry.definition.get("enabled", True):
            raise Refused(
                f"{old.name!r} is switched off in code (beat_schedule); switch it on there",
                field="enabled",
            )
        spec = changes.settled(
            old.spec().model_copy(update={"enabled": enabled}), entry, uid=old.uid, now=edit.now
        )
        if enabled and not isinstance(spec.when, RedBeatWhen):
            check_when(spec.when, now=edit.now)
        schedule = changes.revised(spec, old, uid=old.uid, edit=edit)
        return changes.written(
            schedule, entry, stored.raw, edit.now, kind(**event_fields(schedule, edit))
        )

    return decide


def deleting(*, revision: int | None = None, edit: Edit) -> Decide:
    """Return the decision to delete an entry, readable or not.

    Deciding raises StaleRevision, or Refused for a schedule defined in code (beat_schedule).
    """

    def decide(stored: RawEntry) -> Change:
        entry: StoredSchedule | None = None
        try:
            entry = stored.decode()
        except UnreadableEntry:
            schedule = remains_of(stored)
        else:
            schedule = entry.schedule
            check_revision(schedule, revision)
        if schedule.origin == "code":
            raise Refused(
                f"{schedule.name!r} is defined in code (beat_schedule) and would come back when "
                "Beat starts; remove it there, or disable it here",
                field="name",
            )
        facts = event_fields(schedule, edit) | {"revision": schedule.revision + 1}
        return changes.deleted(schedule, ScheduleDeleted(**facts), entry, edit.now)

    return decide


def resetting(*, revision: int | None = None, edit: Edit) -> Decide:
    """Return the decision to remove the override of a static entry."""

    def decide(stored: RawEntry) -> Change:
        entry = stored.decode()
        check_revision(entry.schedule, revision)
        schedule = overrides.taken_off(entry, edit)
        when = changes.settle_anchor(schedule.when, entry, edit.now)
        schedule = schedule.model_copy(update={"when": when})
        return changes.written(
            schedule, entry, stored.raw, edit.now, ScheduleReset(**event_fields(schedule, edit))
        )

    return decide


def adopting(*, revision: int | None = None, edit: Edit) -> Decide:
    """Return the decision to turn an entry of plain RedBeat code into an operator's.

    Id, definition, due time and Beat's metadata stay, so that no tick is lost or fires twice.
    Deciding raises StaleRevision, or Refused for a schedule defined in code (beat_schedule).
    """

    def decide(stored: RawEntry) -> Change | Schedule:
        entry = stored.decode()
        old = entry.schedule
        check_revision(old, revision)
        if old.origin == "operator":
            return old
        if old.origin == "code":
            raise Refused(
                f"{old.name!r} is defined in code (beat_schedule), which writes it anew when Beat "
                "starts; put an override on it, or remove it there and clone it here",
                field="name",
            )
        when = codec.anchored(old.when, entry.meta)
        schedule = old.model_copy(
            update={
                "when": when,
                "revision": old.revision + 1,
                "origin": "operator",
                "updated_at": edit.now,
                "updated_by": edit.actor,
                "approval": changes.approval_of(old, old, uid=old.uid, edit=edit),
            }
        )
        definition = stored.raw.definition or ""
        meta = stored.raw.meta or codec.encode_meta(entry.meta)
        event = ScheduleAdopted(**event_fields(schedule, edit))
        check_saved_options(schedule, entry, event)
        return Change(
            raw=Raw(definition, meta, extra_field.encode(schedule, definition)),
            score=changes.score(schedule, entry.meta, edit.now)
            if stored.score is None
            else stored.score,
            event=event,
            schedule=schedule,
        )

    return decide


def revived(earlier: Schedule, raw: Raw, restored: int, deleted: int, *, edit: Edit) -> Change:
    """Return the change that creates a deleted schedule again.

    The pause of `earlier` stays, and so do skips of future ticks. Ticks missed since the deletion
    do not run. `restored` is the revision number of `earlier`, `deleted` the number of the
    deletion.
    """
    spec = changes.settled(earlier.spec(), None, uid=earlier.uid, now=edit.now)
    schedule = changes.revised(spec, None, uid=earlier.uid, edit=edit)
    skips = [tick for tick in earlier.skips if tick > edit.now]
    schedule = schedule.model_copy(
        update={"revision": deleted + 1, "paused": earlier.paused, "skips": skips}
    )
    event = ScheduleRestored(**event_fields(schedule, edit), restored=restored)
    return changes.written(schedule, None, raw, edit.now, event)


def check_revision(schedule: Schedule, given: int | None) -> None:
    """Refuse an edit that began from another revision than the stored one. Raises StaleRevision.

    `given` None skips the comparison.
    """
    if given is not None and given != schedule.revision:
        raise StaleRevision(
            f"{schedule.name!r} has been changed since it was read: revision {given} was edited, "
            f"revision {schedule.revision} is stored; load it again and repeat the edit",
            given=given,
            current=schedule.revision,
        )


def _edit(
    stored: RawEntry,
    entry: StoredSchedule,
    wanted: Spec | CheckedSpec,
    check_call: CheckCall,
    *,
    restored: int | None = None,
    edit: Edit,
) -> Change:
    """Return the change that saves `wanted`. Entries of plain RedBeat code stay editable."""
    spec = wanted.spec if isinstance(wanted, CheckedSpec) else wanted
    if not isinstance(wanted, CheckedSpec) or wanted.revision != entry.schedule.revision:
        changes.check_edit(spec, entry.schedule, edit.now, check_call)
    schedule = changes.edited(spec, entry, edit=edit)
    event: Event = saved(schedule, "edited", edit)
    if restored is not None:
        event = ScheduleRestored(**event_fields(schedule, edit), restored=restored)
    return changes.written(schedule, entry, stored.raw, edit.now, event)


def event_fields(schedule: Schedule, edit: Edit) -> dict[str, Any]:
    """Return the fields that all events about a schedule share."""
    return {
        "at": edit.now,
        "uid": schedule.uid,
        "revision": schedule.revision,
        "actor": edit.actor,
        "comment": edit.comment,
        "schedule": schedule,
    }
