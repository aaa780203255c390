"""Many changes at once, of schedules and the calendars that they name: all are written, or none.

Each change is decided from the entry as read. Then a single script compares every byte of all
entries and writes. Entries that Beat has advanced meanwhile are read and decided again; an edit by
another author stops the whole batch. A connection that breaks during the script leaves the outcome
unknown; the batch may be repeated, since a change already made is no change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scheduler.catalogue.call_check import check_saved_call
from scheduler.catalogue.catalogue import unknown_job
from scheduler.catalogue.records import Job
from scheduler.errors import NameTaken, NotFound, Refused, StaleRevision, Unavailable
from scheduler.events.schema import ScheduleDeleted, encode
from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.rules.check import check_calendar_exists, check_spec
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule, Spec
from scheduler.schedules import calendar_changes, changes
from scheduler.schedules.calendar_cache import StoredCalendar
from scheduler.schedules.calendar_changes import CalendarChange, CalendarWish
from scheduler.schedules.change_check import ChangeCheck, allow_every_change
from scheduler.schedules.changes import Change
from scheduler.schedules.edits import event_fields, saved
from scheduler.schedules.raw_entry import RawEntry
from scheduler.schedules.reads import CHUNK, Listing
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.entry_fields import entry_arguments
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

ATTEMPTS = 20
"""The most attempts to decide changes while Beat advances the entries."""

CheckCall = Callable[[str, list[Any], dict[str, Any]], None]
BeforeCommit = Callable[[], object]

_SCRIPT = script_text(__package__, "change_batch.lua")


def do_nothing() -> None:
    """The default for `before_commit`."""


@dataclass(frozen=True)
class DesiredSchedule:
    """A desired schedule: `spec` None deletes, `revision` None demands a new schedule."""

    name: str
    spec: Spec | None
    revision: int | None
    uid: str | None = None
    """The id for a new schedule, where a plan has already shown ticks computed from the id."""

    is_checked: bool = False
    """Whether rules and catalogue have already accepted the revision."""


def calls_of(jobs: Sequence[Job]) -> CheckCall:
    """Return a check of many calls that are to be stored, which raises as `check_saved_call`."""
    offered = {job.name: job for job in jobs}

    def check_call(job: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        if job not in offered:
            raise unknown_job(job, list(offered))
        check_saved_call(offered[job], args, kwargs)

    return check_call


class BatchEdit:
    """Writes changes of many schedules.

    `before_commit` is called between each decision and its script, while other writers may still
    change the entries. `check_change` may refuse each change before it is written.
    """

    def __init__(
        self,
        redis: "Redis",
        listing: Listing,
        *,
        before_commit: BeforeCommit = do_nothing,
        check_change: ChangeCheck = allow_every_change,
    ) -> None:
        self._redis = redis
        self._check_change = check_change
        self._before_commit = before_commit
        self._listing = listing
        self._script = redis.register_script(_SCRIPT)

    def save(
        self,
        wishes: Sequence[DesiredSchedule],
        check_call: CheckCall,
        *,
        calendars: Sequence[CalendarWish] = (),
        edit: Edit,
    ) -> list[Schedule]:
        """Save all desired schedules and calendars, all or none. Returns the schedules in order.

        Raises the first refusal, NotFound, NameTaken, StaleRevision or UnreadableEntry; nothing is
        written then. Raises Unavailable where Redis does not answer, or where Beat keeps advancing
        the entries.
        """
        beside = self._decide_calendars(calendars, edit=edit)
        gone = {change.name for change in beside if change.text is None}
        calendar_names = (self.calendar_names() | {change.name for change in beside}) - gone

        def decide(wish: DesiredSchedule, stored: RawEntry) -> Change:
            try:
                if wish.spec is not None:
                    old = stored.schedule()
                    check_calendar_exists(
                        wish.spec.window, old.window if old is not None else None, calendar_names
                    )
                return _decide(wish, stored, check_call, edit=edit)
            except Refused as error:
                raise Refused(
                    f"{wish.name}: {error}; nothing was changed", field=error.field
                ) from error

        read = self.read([wish.name for wish in wishes])
        decided = [decide(wish, stored) for wish, stored in zip(wishes, read, strict=True)]
        for _ in range(ATTEMPTS):
            moved = self.write(read, decided, beside)
            if not moved:
                return [change.schedule for change in decided]
            for place, stored in zip(
                moved, self.read([wishes[place].name for place in moved]), strict=True
            ):
                read[place], decided[place] = stored, decide(wishes[place], stored)
        raise Unavailable(
            "the schedules are being changed all the time, nothing was saved; try again"
        )

    def save_calendars(self, wishes: Sequence[CalendarWish], *, edit: Edit) -> list[SavedCalendar]:
        """Save all desired calendars, all or none. Returns the calendars in order.

        Raises the first refusal; nothing is written then.
        """
        decided = self._decide_calendars(wishes, edit=edit)
        self.write_calendars(decided)
        return [change.saved for change in decided]

    def write_calendars(self, decided: Sequence[CalendarChange]) -> None:
        """Write changes of calendars, all or none.

        Raises StaleRevision for a calendar changed since its read.
        """
        self.write([], [], decided)

    def calendar_names(self) -> set[str]:
        """Return the names of all calendars."""
        with answering():
            found: Any = self._redis.hkeys(keys.CALENDARS_HASH)
        return set(found)

    def read_calendars(self, names: Sequence[str]) -> list[StoredCalendar]:
        """Return the calendars called `names`, present or not, in the same order."""
        if not names:
            return []
        with answering():
            texts: Any = self._redis.hmget(keys.CALENDARS_HASH, list(names))
            versions: Any = self._redis.hmget(keys.CALENDAR_VERSIONS_HASH, list(names))
        return [StoredCalendar(*found) for found in zip(names, texts, versions, strict=True)]

    def _decide_calendars(
        self, wishes: Sequence[CalendarWish], *, edit: Edit
    ) -> list[CalendarChange]:
        stored = self.read_calendars([wish.name for wish in wishes])
        return [
            calendar_changes.decide(wish, found, edit=edit)
            for wish, found in zip(wishes, stored, strict=True)
        ]

    def read(self, names: Sequence[str]) -> list[RawEntry]:
        """Return the entries called `names`, present or not, in the same order."""
        return [stored for some in _portions(names) for stored in self._listing.read_all(some)]

    def write(
        self,
        read: Sequence[RawEntry],
        decided: Sequence[Change],
        calendars: Sequence[CalendarChange] = (),
    ) -> list[int]:
        """Write changes of schedules and calendars, all or none, by a single script.

        Returns the places in `decided` to decide again; an empty list means success. Raises
        StaleRevision for a calendar changed since its read, NameTaken for a key of another type,
        the refusal of `check_change`, Unavailable where Redis does not answer.
        """
        if not decided and not calendars:
            return []
        arguments: list[str | bytes] = [str(len(calendars))]
        field = ""
        for beside in calendars:
            ((field, event),) = encode(beside.event).items()
            arguments += [
                beside.name,
                _calendar_text(beside.read),
                _calendar_text(beside.text),
                beside.version,
                event,
            ]
        for stored, change in zip(read, decided, strict=True):
            ((field, event),) = encode(change.event).items()
            arguments += [*entry_arguments(stored.raw), *entry_arguments(change.raw)]
            arguments += [repr(change.score), event, stored.name]
        arguments += [
            text for change in decided for more in change.also for text in encode(more).values()
        ]
        names = [keys.entry(stored.name) for stored in read]
        for stored, change in zip(read, decided, strict=True):
            self._check_change(stored.schedule(), change.schedule)
        self._before_commit()
        with answering("the change may not be saved; repeat it, saved parts stay"):
            answer: Any = self._script(
                keys=[
                    keys.SCHEDULE_ZSET,
                    keys.EVENTS_STREAM,
                    keys.CALENDARS_HASH,
                    keys.CALENDAR_VERSIONS_HASH,
                    keys.TOMBSTONES_HASH,
                    keys.TOMBSTONES_ZSET,
                    *names,
                ],
                args=[keys.WAKE_CHANNEL, field, *arguments],
            )
        return _places_to_decide_again(answer, names, calendars)


def _places_to_decide_again(
    answer: Sequence[Any], names: Sequence[str], calendars: Sequence[CalendarChange]
) -> list[int]:
    """Return the places, from 0, in the script's reply: pairs of a reason and a number from 1.

    Raises StaleRevision for a changed calendar, and NameTaken for a key of another type.
    """
    for why, number in zip(answer[::2], answer[1::2], strict=True):
        if why == "calendar":
            raise _moved(calendars[number - 1])
        if why == "kind":
            raise NameTaken(
                f"the key {names[number - 1]!r} in Redis is in use by something else; nothing "
                "was saved"
            )
    return [number - 1 for number in answer[1::2]]


def _moved(change: CalendarChange) -> StaleRevision:
    number = change.saved.revision
    return StaleRevision(
        f"the calendar {change.name!r} has just been changed by somebody else; nothing was saved, "
        "so load it again",
        given=number - 1,
        current=number,
    )


def _portions(names: Sequence[str]) -> list[Sequence[str]]:
    """Return the names in lists for a round trip each."""
    return [names[begin : begin + CHUNK] for begin in range(0, len(names), CHUNK)]


def _decide(
    wish: DesiredSchedule, stored: RawEntry, check_call: CheckCall, *, edit: Edit
) -> Change:
    """Return the change for a desired schedule.

    Raises Refused, StaleRevision, NotFound, NameTaken or UnreadableEntry.
    """
    if wish.revision is None:
        return _created(wish, stored, check_call, edit=edit)
    stored.check_exists()
    entry = stored.decode()
    old = entry.schedule
    if old.revision != wish.revision:
        raise StaleRevision(
            f"{wish.name!r} has been changed meanwhile: revision {wish.revision} was looked at, "
            f"revision {old.revision} is stored; nothing was changed, so plan again",
            given=wish.revision,
            current=old.revision,
        )
    if old.origin == "code":
        raise Refused(
            "it is defined in code (beat_schedule); put an override on it instead", field="name"
        )
    if wish.spec is None:
        gone = event_fields(old, edit) | {"revision": old.revision + 1}
        return changes.deleted(old, ScheduleDeleted(**gone), entry, edit.now)
    if not wish.is_checked:
        changes.check_edit(wish.spec, old, edit.now, check_call)
    settled = changes.settled(wish.spec, entry, uid=old.uid, now=edit.now)
    schedule = changes.revised(settled, old, uid=old.uid, edit=edit)
    return changes.written(schedule, entry, stored.raw, edit.now, saved(schedule, "edited", edit))


def _created(
    wish: DesiredSchedule, stored: RawEntry, check_call: CheckCall, *, edit: Edit
) -> Change:
    spec = wish.spec
    if spec is None:
        raise NotFound(f"there is no schedule {wish.name!r} to delete")
    if stored.raw.definition is not None or stored.fault:
        raise NameTaken("there is a schedule of this name already; plan again")
    if not wish.is_checked:
        check_spec(spec, now=edit.now)
        check_call(spec.job, spec.args, spec.kwargs)
    uid = wish.uid or str(uuid4())
    settled = changes.settled(spec, None, uid=uid, now=edit.now)
    schedule = changes.revised(settled, None, uid=uid, edit=edit)
    return changes.written(schedule, None, stored.raw, edit.now, saved(schedule, "created", edit))


def _calendar_text(text: str | None) -> str:
    """Return a calendar's text for the script; a prefix tells absent from empty."""
    return "-" if text is None else "+" + text
