"""The door to the fast path for Beat, and the switch."""

from collections.abc import Sequence
from datetime import datetime

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.fast.decoded_entries import (
    DecodedEntry,
    DecodedEntryCache,
    decode,
    usual_parts_of,
)
from scheduler.beat.fast.families import Families, Templates
from scheduler.beat.fast.prepared_run import Moment, PreparedRun, prepare, prepare_alike
from scheduler.beat.fast.single_tick import is_plain, plan_single_tick
from scheduler.dispatch import message_options
from scheduler.dispatch.verdicts import Plan
from scheduler.publishing.calls import Call
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import RedBeatWhen


class FastPath:
    """The fast path of a Beat process. `limit` is the most bytes of arguments in an event.

    Where `enabled` is False, every entry is decoded anew, and there is no write or plan.
    """

    def __init__(self, *, enabled: bool, limit: int) -> None:
        self.enabled = enabled
        self._limit = limit
        self._entries = DecodedEntryCache()
        self._families = Families(limit)

    def decode(self, entry: DueEntry) -> DecodedEntry:
        """Return the entry decoded, from the cache for unchanged bytes. Raises UnreadableEntry."""
        return self._entries.decode(entry) if self.enabled else decode(entry)

    def entry_write(
        self, entry: DueEntry, decoded: DecodedEntry, templates: Templates, moment: Moment
    ) -> EntryWrite | None:
        """Return the write that sends the only due tick; None where the full path has to decide.

        `decoded` then holds the new meta. Raises Unsendable.
        """
        if not self.enabled:
            return None
        run = decoded.prepared
        if run is None or run.generation is not templates.generation:
            run = decoded.prepared = self._prepare(entry, decoded, templates)
        return None if run is None else run.entry_write(entry, decoded, moment)

    def plan(
        self, entry: StoredSchedule, now: datetime, alive: int, waiting: Sequence[WaitingTick]
    ) -> Plan | None:
        """Return the plan of `dispatch.plan` where one tick is due and no rule has a say.

        None for every other case.
        """
        return plan_single_tick(entry, now, alive, waiting) if self.enabled else None

    def _prepare(
        self, entry: DueEntry, decoded: DecodedEntry, templates: Templates
    ) -> PreparedRun | None:
        usual = decoded.usual or usual_parts_of(entry)
        if usual is not None:
            family = self._families.family(usual.shape, templates, decoded.whole)
            if family is not None:
                run = prepare_alike(entry, usual, family, templates.generation)
                if run is not None:
                    decoded.usual = None  # its parts stand in the prepared run
                    return run
        schedule = decoded.schedule
        if (
            decoded.last is None
            or isinstance(schedule.when, RedBeatWhen)
            or schedule.policies.starting_deadline is not None
            or not is_plain(schedule)
        ):
            return None
        options = message_options.beat_options(schedule, decoded.call.options)
        call = Call(schedule.job, decoded.call.args, decoded.call.kwargs, options, "")
        return prepare(entry, schedule, call, templates, self._limit)
