"""Actions of operators besides editing: pause, resume, skip a coming tick, restore a revision.

Each action is decided here from the stored entry, and the store applies the decision as a single
change. The verdicts on ticks missed in a pause are written in the transaction that ends the pause.
Missed ticks that run after all become waiting ticks, and Beat sends them in order, oldest first.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from scheduler.errors import Refused
from scheduler.events.schema import (
    SchedulePaused,
    ScheduleResumed,
    ScheduleTickKept,
    ScheduleTickSkipped,
)
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.check import FIRST_YEAR, LAST_YEAR
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Pause, RedBeatWhen, Schedule
from scheduler.rules.policies.window import is_paused, live_next_tick
from scheduler.schedules import changes, missed_in_pause
from scheduler.schedules.edits import Decide, Decision, event_fields
from scheduler.schedules.raw_entry import RawEntry

if TYPE_CHECKING:
    from scheduler.history.queries.history import History
    from scheduler.history.queries.views import RevisionView
    from scheduler.schedules.store import ScheduleStore

Missed = Literal["skip", "latest", "all"]

LONGEST_REASON = 500
MOST_SKIPS = 100
_MICROSECOND = timedelta(microseconds=1)


class Resumed(NamedTuple):
    """The schedule after its pause, and the run ids of missed ticks that run now, oldest first."""

    schedule: Schedule
    runs: list[str]


class Operations:
    """The operators' actions on schedules."""

    def __init__(self, store: "ScheduleStore") -> None:
        self._store = store

    def pause(
        self, name: str, *, reason: str, until: datetime | None = None, edit: Edit
    ) -> Schedule:
        """Pause a schedule until `until`, or until a resume.

        A schedule already paused gets the new reason and end. `until` is aware. Raises NotFound,
        UnreadableEntry, or Refused for a bad reason, a bad end, or a schedule that is off.
        """
        return self._store.change(name, pausing(reason=reason, until=until, edit=edit))

    def resume(self, name: str, *, missed: Missed = "skip", edit: Edit) -> Resumed:
        """End a pause. `missed` skips its ticks, runs the latest, or runs all in order.

        Raises NotFound, UnreadableEntry, or Refused where the schedule is not paused, where its
        calendar is missing, or where more than `missed_in_pause.MOST_STARTED` runs would start.
        """

        decide = resuming(name, missed, self._store.calendar_of, edit=edit)
        return self._store.carry_out(name, decide)

    def skip(
        self, name: str, *, tick: datetime | None = None, edit: Edit
    ) -> tuple[Schedule, datetime]:
        """Let a coming tick pass without a run: `tick`, or the next one.

        Returns the schedule and the tick, which is aware. Raises NotFound, UnreadableEntry, or
        Refused for a tick without a run anyway, or beyond `MOST_SKIPS` skipped ticks.
        """

        def decide(stored: RawEntry) -> Decision[tuple[Schedule, datetime]]:
            entry = stored.decode()
            old = entry.schedule
            skipped = _coming_tick(entry, tick, edit.now, self._store.calendar_of(old))
            skips = sorted({*(at for at in old.skips if at > edit.now), skipped})
            if len(skips) > MOST_SKIPS:
                raise Refused(
                    f"{MOST_SKIPS} ticks are skipped already; pause the schedule instead",
                    field="tick",
                )
            schedule = _next_revision(entry, edit).model_copy(update={"skips": skips})
            event = ScheduleTickSkipped(**event_fields(schedule, edit), tick=skipped)
            change = changes.written(schedule, entry, stored.raw, edit.now, event)
            return Decision(change, (schedule, skipped))

        return self._store.carry_out(name, decide)

    def keep(self, name: str, *, tick: datetime, edit: Edit) -> Schedule:
        """Undo a skip: let `tick` run.

        Raises NotFound, UnreadableEntry, or Refused for a tick not skipped.
        """

        def decide(stored: RawEntry) -> changes.Change:
            entry = stored.decode()
            old = entry.schedule
            if tick not in old.skips or tick <= edit.now:
                raise Refused(f"{tick_text(tick)} is not a skipped tick of {name!r}", field="tick")
            skips = [at for at in old.skips if at != tick]
            schedule = _next_revision(entry, edit).model_copy(update={"skips": skips})
            event = ScheduleTickKept(**event_fields(schedule, edit), tick=tick)
            return changes.written(schedule, entry, stored.raw, edit.now, event)

        return self._store.change(name, decide)

    def revive(
        self, gone: "RevisionView", number: int, history: "History", *, edit: Edit
    ) -> Schedule:
        """Create a deleted schedule again, as in its revision `number`. `gone` is its deletion.

        Raises NameTaken, or Refused for a revision written by another version and unreadable here.
        """
        earlier = history.revision(gone.schedule_uid, number)
        schedule = _readable(earlier.definition, number)
        return self._store.revive(schedule, restored=number, deleted=gone.revision, edit=edit)

    def restore(
        self,
        name: str,
        definition: dict[str, JsonValue],
        *,
        restored: int,
        revision: int,
        edit: Edit,
    ) -> Schedule:
        """Save the definition of revision `restored` as the newest revision.

        `revision` is the revision to replace. Pause and skips stay. Raises StaleRevision, NotFound,
        or Refused for a definition that this version cannot read.
        """
        spec = _readable(definition, restored).spec()
        return self._store.edit(name, spec, revision=revision, edit=edit, restored=restored)


def _readable(definition: Mapping[str, JsonValue], number: int) -> Schedule:
    """Return the schedule of a revision.

    Raises Refused where another version wrote a definition unreadable here.
    """
    try:
        return Schedule.model_validate(definition)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Refused(
            f"revision {number} cannot be restored, {place}: {first['msg']}", field="revision"
        ) from None


def _next_revision(entry: StoredSchedule, edit: Edit) -> Schedule:
    """Return the schedule with the next revision number, otherwise unchanged."""
    old = entry.schedule
    spec = changes.settled(old.spec(), entry, uid=old.uid, now=edit.now)
    return changes.revised(spec, old, uid=old.uid, edit=edit)


def resuming(
    name: str,
    missed: Missed,
    calendar_of: Callable[[Schedule], Calendar | None],
    *,
    edit: Edit,
) -> Callable[[RawEntry], Decision[Resumed]]:
    """Return the decision to end a pause: see `Operations.resume`."""

    def decide(stored: RawEntry) -> Decision[Resumed]:
        entry = stored.decode()
        old = entry.schedule
        if not is_paused(old, edit.now):
            raise Refused(
                f"{name!r} is not paused; `beatdesk schedules show {name}` shows its state",
                field="name",
            )
        calendar = None if missed == "skip" else calendar_of(old)
        held = missed_in_pause.sort(entry, missed, edit.now, calendar)
        schedule = _next_revision(entry, edit).model_copy(update={"paused": None})
        event = ScheduleResumed(**event_fields(schedule, edit), missed=missed)
        change = changes.written(schedule, entry, stored.raw, edit.now, event)
        hold = tuple(WaitingTick(tick, "schedule", edit.actor) for tick in held.run)
        # Due at once: other ticks may have waited for the end of the pause.
        change = replace(change, score=edit.now.timestamp(), also=tuple(held.verdicts), hold=hold)
        return Decision(
            change, Resumed(schedule, [run_id(schedule.uid, tick) for tick in held.run])
        )

    return decide


def pausing(*, reason: str, until: datetime | None, edit: Edit) -> Decide:
    """Return the decision to pause a schedule. Raises Refused for a bad reason or end.

    Deciding raises UnreadableEntry, or Refused for a schedule that is off.
    """
    check_pause(reason, until, edit.now)

    def decide(stored: RawEntry) -> changes.Change:
        entry = stored.decode()
        old = entry.schedule
        if not old.enabled:
            raise Refused(
                f"{old.name!r} is off, so that there is nothing to pause; switch it on first",
                field="name",
            )
        since = (
            old.paused.since if old.paused is not None and is_paused(old, edit.now) else edit.now
        )
        pause = Pause(reason=reason.strip(), by=edit.actor, since=since, until=until)
        schedule = _next_revision(entry, edit).model_copy(update={"paused": pause})
        return changes.written(
            schedule,
            entry,
            stored.raw,
            edit.now,
            SchedulePaused(**event_fields(schedule, replace(edit, comment=pause.reason))),
        )

    return decide


def check_pause(reason: str, until: datetime | None, now: datetime) -> None:
    """Refuse a pause without a reason, or with an end not in the future. Raises Refused.

    The reason has at most `LONGEST_REASON` characters.
    """
    text = reason.strip()
    if not text:
        raise Refused(
            "a pause needs a reason, for whoever finds the schedule paused", field="reason"
        )
    if (
        len(text) > LONGEST_REASON
        or "\x00" in text
        or any("\ud800" <= sign <= "\udfff" for sign in text)
    ):
        raise Refused(
            f"the reason cannot be kept; write up to {LONGEST_REASON} plain characters",
            field="reason",
        )
    if until is not None and not (now < until and FIRST_YEAR <= until.year <= LAST_YEAR):
        raise Refused(
            f"the pause cannot end at {tick_text(until)}; name a time later than now, up to the "
            f"year {LAST_YEAR}",
            field="until",
        )


def _coming_tick(
    entry: StoredSchedule, tick: datetime | None, now: datetime, calendar: Calendar | None
) -> datetime:
    """Return the tick to skip: `tick`, or the next tick after `now`.

    Raises Refused for a tick without a run anyway.
    """
    schedule = entry.schedule
    name = schedule.name
    if isinstance(schedule.when, RedBeatWhen):
        raise Refused(
            f"only RedBeat computes the ticks of {name!r}; pause it instead", field="tick"
        )
    if not schedule.enabled:
        raise Refused(f"{name!r} is off, so that no tick of it runs", field="tick")
    anchored = schedule.model_copy(update={"when": codec.anchored(schedule.when, entry.meta)})
    runs = entry.meta.total_run_count or 0
    after = now if tick is None else tick - _MICROSECOND
    coming = live_next_tick(anchored, after, runs=runs, calendar=calendar)
    if tick is None and coming is not None:
        return coming
    if coming is None or coming != tick or tick <= now:
        following = live_next_tick(anchored, now, runs=runs, calendar=calendar)
        hint = f"its next one is {tick_text(following)}" if following else "it has no coming tick"
        problem = (
            "nothing is left to skip"
            if tick is None
            else f"{tick_text(tick)} is not a coming tick of {name!r}"
        )
        raise Refused(f"{problem}; {hint}", field="tick")
    return tick
