"""Schedules in Redis: read, list and change.

Each change is decided in Python from the entry as read, then applied by a script (`change.lua`)
that first compares every byte of the entry. Entry, due time, event and wake-up call are written
together or not at all. Where only Beat has advanced the entry meanwhile, the change is decided
again; where another operator has changed the entry, the revision numbers decide. No other part of
Beatdesk writes entries, apart from the batch edits (`batch`), Beat (`scheduler.beat`) and the
healer (`scheduler.healing`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scheduler.errors import BadName, NameTaken, NotFound, Refused, Unavailable, UnreadableEntry
from scheduler.events.schema import encode
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.check import CheckedSpec, check_calendar_exists, check_spec
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule, Spec
from scheduler.runs.approvals import NO_APPROVALS, Approvals
from scheduler.schedules import changes, edits
from scheduler.schedules.batch import (
    BatchEdit,
    BeforeCommit,
    DesiredSchedule,
    calls_of,
    do_nothing,
)
from scheduler.schedules.bulk import Bulk
from scheduler.schedules.calendar_changes import CalendarWish
from scheduler.schedules.change_check import ChangeCheck, allow_every_change
from scheduler.schedules.edits import Decide, Decision, R
from scheduler.schedules.filters import Filter, State
from scheduler.schedules.permissions import Permissions
from scheduler.schedules.raw_entry import RawEntry, SchedulePage, ScheduleRow
from scheduler.schedules.reads import Listing
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.entry_fields import entry_arguments
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.schedules.list_cache import ListCache

__all__ = ["SchedulePage", "ScheduleRow", "ScheduleStore"]

ATTEMPTS = 20
"""The most attempts to decide a change while the entry changes."""

_SCRIPT = script_text(__package__, "change.lua")
_NO_ENTRY = Raw(None, None, None)


class ScheduleStore:
    """The writer of schedules."""

    def __init__(
        self,
        redis: "Redis",
        catalogue: "Catalogue",
        memory: "ListCache | None" = None,
        *,
        before_commit: BeforeCommit = do_nothing,
        check_change: ChangeCheck = allow_every_change,
        approvals: Approvals = NO_APPROVALS,
    ) -> None:
        """`memory` suits a process that lists schedules often.

        `before_commit` is called between each decision and its script, while other writers may
        still change the entry. `check_change` may refuse each change before it is written.
        """
        self._check_change = check_change
        self._before_commit = before_commit
        self._redis = redis
        self._catalogue = catalogue
        self._permissions = Permissions(catalogue, approvals)
        self._listing = Listing(redis, memory)
        self._change = redis.register_script(_SCRIPT)
        self._together = BatchEdit(
            redis, self._listing, before_commit=before_commit, check_change=check_change
        )
        self.bulk = Bulk(self._listing, self._together, catalogue)

    def get(self, name: str) -> Schedule:
        """Return the schedule called `name`. Raises NotFound or UnreadableEntry."""
        return self.entry(name).schedule

    def find(self, name: str | None, uid: str | None) -> Schedule | None:
        """Return the schedule that a run belongs to.

        None where the schedule is gone or unreadable, or where another schedule has its name.
        """
        if name is None or uid is None:
            return None
        try:
            schedule = self.get(name)
        except (NotFound, UnreadableEntry):
            return None
        return schedule if schedule.uid == uid else None

    def names(self) -> list[str]:
        """Return the names of all entries, readable or not, in order."""
        return self._listing.names()

    def page(
        self,
        *,
        search: str = "",
        state: State = "all",
        job: str = "",
        tag: str = "",
        after: str | None = None,
        limit: int = 50,
        now: datetime | None = None,
    ) -> SchedulePage:
        """Return at most `limit` rows after the name `after`, in order of names.

        `search` filters names. Without `state`, `job` and `tag`, only the entries of the page are
        read. The states `paused` and `finished` need `now`.
        """
        return self._listing.page(
            Filter(state, job, tag, now), search=search, after=after, limit=limit
        )

    def listed(self, name: str) -> ScheduleRow:
        """Return the row of a list for `name`, also for an unreadable entry. Raises NotFound."""
        return self._listing.listed(name)

    def due(self, until: datetime, *, limit: int = 20) -> list[ScheduleRow]:
        """Return the schedules that Beat fires until `until`, soonest first, at most `limit`."""
        return self._listing.due(until, limit)

    def stored(self) -> list[RawEntry]:
        """Return every entry as stored in Redis, in order of names."""
        return self._together.read(self.names())

    def save_together(
        self,
        wishes: Sequence[DesiredSchedule],
        *,
        calendars: Sequence[CalendarWish] = (),
        edit: Edit,
    ) -> list[Schedule]:
        """Save many schedules and the calendars that they name, all or none.

        Returns the schedules in order. Raises the first refusal; nothing is written then.
        """
        saved = [wish.spec.job for wish in wishes if wish.spec is not None]
        edit = self._permissions.permitted(edit, saved)
        check_call = calls_of(self._catalogue.jobs(edit.now))
        return self._together.save(wishes, check_call, calendars=calendars, edit=edit)

    def create(self, wanted: Spec | CheckedSpec, *, edit: Edit) -> Schedule:
        """Save a new schedule. Nothing fires at once: its first tick is the first after now.

        Raises NameTaken, or Refused for a bad rule, a missing calendar, or a call that the
        catalogue does not accept.
        """
        spec = wanted.spec if isinstance(wanted, CheckedSpec) else wanted
        edit = self._permissions.permitted(edit, [spec.job])
        if not isinstance(wanted, CheckedSpec):
            check_spec(spec, now=edit.now)
            self._check_calendar(spec, None)
            self._catalogue.check_saved_call(spec.job, spec.args, spec.kwargs)
        stored = self._listing.read(spec.name)
        if stored.raw.definition is not None or stored.fault:
            raise NameTaken(
                f"there is a schedule {spec.name!r} already; choose another name, or edit that one"
            )
        uid = str(uuid4())
        settled = changes.settled(spec, None, uid=uid, now=edit.now)
        schedule = changes.revised(settled, None, uid=uid, edit=edit)
        event = edits.saved(schedule, "created", edit)
        self._check_change(None, schedule)
        answer = self._apply(
            spec.name, stored.raw, changes.written(schedule, None, stored.raw, edit.now, event)
        )
        if answer != "done":
            raise NameTaken(
                f"somebody has just made a schedule {spec.name!r}; choose another name, or edit "
                "that one"
            )
        return schedule

    def revive(self, earlier: Schedule, *, restored: int, deleted: int, edit: Edit) -> Schedule:
        """Create a deleted schedule again, as in its revision `restored`, with its id.

        `earlier` is the schedule in that revision, `deleted` the number of the deletion. The
        schedule belongs to operators from now on. Ticks missed since the deletion do not run.
        Raises NameTaken or Refused.
        """
        spec = earlier.spec()
        edit = self._permissions.permitted(edit, [spec.job])
        is_operators = earlier.origin == "operator"
        check_spec(
            spec if is_operators else spec.model_copy(update={"name": "plain-entry"}), now=edit.now
        )
        self._catalogue.check_call(spec.job, spec.args, spec.kwargs)
        self._check_calendar(spec, None)
        stored = self._listing.read(spec.name)
        if stored.raw != _NO_ENTRY or stored.fault:
            raise NameTaken(
                f"there is another schedule {spec.name!r} now; delete it first, or clone it"
            )
        change = edits.revived(earlier, stored.raw, restored, deleted, edit=edit)
        self._check_change(None, change.schedule)
        if self._apply(spec.name, stored.raw, change) != "done":
            raise NameTaken(f"somebody has just made a schedule {spec.name!r}; look at it first")
        return change.schedule

    def edit(
        self,
        name: str,
        wanted: Spec | CheckedSpec,
        *,
        revision: int,
        edit: Edit,
        restored: int | None = None,
    ) -> Schedule:
        """Save `wanted` as the next revision of `name`.

        `revision` is the revision that the edit began from; StaleRevision is raised for any other
        stored revision. `restored` is the number of an earlier revision with the same definition.
        Raises NotFound, UnreadableEntry, Refused, or BadName for a change of name.
        """
        spec = wanted.spec if isinstance(wanted, CheckedSpec) else wanted
        if spec.name != name:
            raise BadName(
                f"a schedule keeps its name; clone {name!r} as {spec.name!r} and delete the old one"
            )
        edit = self._permissions.permitted(edit, [spec.job, *self._stored_jobs(name)])
        if not isinstance(wanted, CheckedSpec):
            self._check_calendar(spec, self._listing.read(name).schedule())
        decide = edits.editing(
            wanted,
            self._catalogue.check_saved_call,
            revision=revision,
            restored=restored,
            edit=edit,
        )
        return self.change(name, decide)

    def set_enabled(
        self, name: str, enabled: bool, *, revision: int | None = None, edit: Edit
    ) -> Schedule:
        """Switch a schedule on or off. A schedule switched on fires at its next tick, not at once.

        Raises NotFound, UnreadableEntry, StaleRevision or Refused.
        """
        if enabled:
            edit = self._permissions.permitted(edit, self._stored_jobs(name))
        decide = edits.switching(enabled, revision=revision, edit=edit)
        return self.change(name, decide)

    def _stored_jobs(self, name: str) -> list[str]:
        """Return the job of the stored schedule; none for an entry missing or unreadable."""
        schedule = self._listing.read(name).schedule()
        return [] if schedule is None else [schedule.job]

    def delete(self, name: str, *, revision: int | None = None, edit: Edit) -> None:
        """Delete an entry, readable or not. Raises NotFound, StaleRevision or Refused."""
        self.change(name, edits.deleting(revision=revision, edit=edit))

    def reset(self, name: str, *, revision: int | None = None, edit: Edit) -> Schedule:
        """Remove the override of a static entry, so that code alone defines the schedule.

        Raises NotFound, UnreadableEntry or StaleRevision.
        """
        return self.change(name, edits.resetting(revision=revision, edit=edit))

    def adopt(self, name: str, *, revision: int | None = None, edit: Edit) -> Schedule:
        """Turn an entry of plain RedBeat code into an operator's. Its ticks do not change.

        Raises NotFound, UnreadableEntry, StaleRevision, or Refused for a schedule defined in code.
        """
        edit = self._permissions.permitted(edit, self._stored_jobs(name))
        return self.change(name, edits.adopting(revision=revision, edit=edit))

    def calendar_names(self) -> set[str]:
        """Return the names of all calendars."""
        return self._together.calendar_names()

    def calendar_of(self, schedule: Spec) -> Calendar | None:
        """Return the calendar of a schedule; None for a schedule without a calendar.

        Raises Refused for a missing or damaged calendar.
        """
        name = schedule.window.calendar
        if name is None:
            return None
        calendar = self._listing.existing([name]).get(name)
        if calendar is None:
            raise Refused(
                f"the calendar {name!r} is gone or damaged, so the ticks that run are "
                "unknown; give the schedule another one, or none",
                field="calendar",
            )
        return calendar

    def dealt_with(self, name: str) -> datetime | None:
        """Return the moment up to which Beat has dealt with the ticks of a schedule.

        None where the schedule is off. Raises NotFound or UnreadableEntry.
        """
        entry = self.entry(name)
        return entry.meta.last_run_at if entry.schedule.enabled else None

    def _check_calendar(self, spec: Spec, old: Spec | None) -> None:
        """Refuse a missing calendar, unless the old revision already names it."""
        if spec.window.calendar is not None:
            check_calendar_exists(
                spec.window,
                old.window if old is not None else None,
                self._together.calendar_names(),
            )

    def entry(self, name: str) -> StoredSchedule:
        """Return the schedule with Beat's metadata. Raises NotFound or UnreadableEntry."""
        stored = self._listing.read(name)
        stored.check_exists()
        return stored.decode()

    def change(self, name: str, decide: Decide) -> Schedule:
        """Change an entry as `decide` decides. Returns the schedule after the change.

        Raises the errors of `decide`, NotFound, and Unavailable while the entry keeps changing.
        """

        def decide_with_result(stored: RawEntry) -> Decision[Schedule]:
            made = decide(stored)
            return (
                Decision(None, made)
                if isinstance(made, Schedule)
                else Decision(made, made.schedule)
            )

        return self.carry_out(name, decide_with_result)

    def carry_out(self, name: str, decide: Callable[[RawEntry], Decision[R]]) -> R:
        """Read, decide and apply; repeat while another writer is faster.

        Returns the decision's result. Raises the errors of `decide`, NotFound, and Unavailable
        after `ATTEMPTS` attempts.
        """
        for _ in range(ATTEMPTS):
            stored = self._listing.read(name)
            stored.check_exists()
            decision = decide(stored)
            if decision.change is None:
                return decision.result
            self._check_change(stored.schedule(), decision.change.schedule)
            if self._apply(name, stored.raw, decision.change) == "done":
                return decision.result
        raise Unavailable(f"{name!r} is being changed all the time, nothing was saved; try again")

    def _apply(self, name: str, read: Raw, change: changes.Change) -> str:
        """Run the script. Returns 'done', or the reason why nothing was written."""
        ((field, event),) = encode(change.event).items()
        further = [text for more in change.also for text in encode(more).values()]
        waiting = keys.WAITING_PREFIX + change.schedule.uid
        self._before_commit()
        with answering("the change may not be saved; look at the schedule before you try again"):
            answer: Any = self._change(
                keys=[
                    keys.entry(name),
                    keys.SCHEDULE_ZSET,
                    keys.EVENTS_STREAM,
                    waiting,
                    keys.TOMBSTONES_HASH,
                    keys.TOMBSTONES_ZSET,
                ],
                args=[
                    *entry_arguments(read),
                    *entry_arguments(change.raw),
                    repr(change.score),
                    field,
                    event,
                    keys.WAKE_CHANNEL,
                    name,
                    len(change.hold),
                    *(held.text for held in change.hold),
                    *further,
                ],
            )
        if answer == "kind":
            raise NameTaken(
                f"the key {keys.entry(name)!r} in Redis is in use by something else; choose "
                "another name"
            )
        return str(answer)
