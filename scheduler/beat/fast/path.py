"""The door to the fast path: what Beat asks of it, and where it is switched off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.fast.decoded_entries import DecodedEntry, DecodedEntryCache, decode
from scheduler.beat.fast.prepared_run import Moment, PreparedRun, prepare
from scheduler.beat.fast.single_tick import is_plain, plan_single_tick
from scheduler.dispatch import message_options
from scheduler.dispatch.verdicts import Plan
from scheduler.publishing.calls import Call
from scheduler.publishing.message_template import Template
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import RedBeatWhen


class Templates(Protocol):
    """The renderer's templates; those of one `generation` belong together."""

    generation: object

    def template(self, call: Call) -> Template | None:
        """The template that the call's message can be made from; None where there is none yet."""


class FastPath:
    """The fast path of one Beat process. `limit` is the most bytes of arguments in an event.

    Where it is not `enabled`, every entry is decoded anew, and no step or plan is offered.
    """

    def __init__(self, *, enabled: bool, limit: int) -> None:
        self.enabled = enabled
        self._limit = limit
        self._entries = DecodedEntryCache()

    def decode(self, entry: DueEntry) -> DecodedEntry:
        """The entry decoded; from the cache where its bytes are the same. Raises
        UnreadableEntry.
        """
        return self._entries.decode(entry) if self.enabled else decode(entry)

    def entry_write(
        self, entry: DueEntry, decoded: DecodedEntry, templates: Templates, moment: Moment
    ) -> EntryWrite | None:
        """The step that sends the one tick that is due; None where the full path has to decide.

        `decoded` then holds the new meta. Raises Unsendable.
        """
        if not self.enabled:
            return None
        run = decoded.prepared
        if run is None or run.generation is not templates.generation:
            run = decoded.prepared = self._prepare(decoded, templates)
        made = None if run is None else run.entry_write(entry, decoded.meta, moment)
        if made is None:
            return None
        write, meta, text = made
        decoded.set_meta(meta, text)
        return write

    def plan(
        self, entry: StoredSchedule, now: datetime, alive: int, waiting: Sequence[WaitingTick]
    ) -> Plan | None:
        """The plan of `dispatch.plan`, where one tick is due and no rule has a say; else None."""
        return plan_single_tick(entry, now, alive, waiting) if self.enabled else None

    def _prepare(self, decoded: DecodedEntry, templates: Templates) -> PreparedRun | None:
        schedule = decoded.schedule
        if (
            decoded.meta.last_run_at is None
            or isinstance(schedule.when, RedBeatWhen)
            or schedule.policies.starting_deadline is not None
            or not is_plain(schedule)
        ):
            return None
        options = message_options.beat_options(schedule, decoded.call.options)
        call = Call(schedule.job, decoded.call.args, decoded.call.kwargs, options, "")
        template = templates.template(call)
        if template is None:
            return None
        return prepare(schedule, call, template, templates.generation, self._limit)
