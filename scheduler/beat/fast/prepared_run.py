"""The runs of an entry as texts, made once and filled in for each tick."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import EntryWrite, Neighbours, Usual, usual_parts
from scheduler.beat.fast import queued_event
from scheduler.beat.fast.families import Family, Templates
from scheduler.beat.fast.single_tick import TickPairs
from scheduler.beat.fast.usual_form import EntryTexts, Layout, RunTexts, UsualForm
from scheduler.errors import BadExpression
from scheduler.publishing.calls import RUN, TAG, TICK, Call
from scheduler.publishing.message_template import Template
from scheduler.redbeat.memory import advanced_meta
from scheduler.redbeat.usual_entry import UsualEntry
from scheduler.rules.model.identity import run_id_within, tick_text, uuid_text
from scheduler.rules.model.spec import IntervalWhen, Schedule, When
from scheduler.rules.policies.catch_up import surely_runs_within
from scheduler.runs.headers import is_job
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import QUEUED_SECONDS


class Moment(NamedTuple):
    """The time of a look, in the forms needed by each run."""

    now: datetime
    text: str
    alive_until: str
    """Until when a run counts as alive while the message waits in the queue, in seconds."""

    tags: Iterator[str]
    """Unique delivery tags, one for each run."""

    @classmethod
    def of(cls, now: datetime, runs: int) -> "Moment":
        """The forms of `now`, for at most so many runs."""
        alive_until = f"{now.timestamp() + QUEUED_SECONDS:.6f}"
        return cls(now, tick_text(now), alive_until, _random_tags(runs))


def _random_tags(count: int) -> Iterator[str]:
    """Yield random UUIDs of version 4; the random bytes are read at once."""
    noise = os.urandom(16 * count).hex()
    for start in range(0, len(noise), 32):
        yield uuid_text(noise[start : start + 32], 4)


class Memory(Protocol):
    """Beat's memory of an entry, the interface of `decoded_entries.DecodedEntry`."""

    last: datetime | None
    runs: int | None

    def set_meta(self, last: datetime | None, runs: int | None, text: bytes) -> None:
        """Set the entry's meta; `text` is the stored form."""


class PreparedRun:
    """The texts of an entry's runs, and the further values of the next write.

    `generation` is the generation of the template: in another generation the prepared run is stale.
    """

    __slots__ = ("_may_overlap", "_message", "_ticks", "_uid", "generation")

    def __init__(
        self,
        uid: str,
        ticks: TickPairs,
        message: "_Message",
        generation: object,
        *,
        may_overlap: bool,
    ) -> None:
        self.generation = generation
        self._uid = bytes.fromhex(uid.replace("-", ""))
        self._ticks = ticks
        self._message = message
        self._may_overlap = may_overlap

    def entry_write(self, entry: DueEntry, memory: Memory, moment: Moment) -> EntryWrite | None:
        """Return the write that sends the only due tick; None where the full path has to decide.

        `memory` then holds the new meta.
        """
        last = memory.last
        if last is None or entry.waiting:
            return None  # a waiting tick has its turn before a new one
        if entry.alive and not self._may_overlap:
            return None
        try:
            ticks = self._ticks.after(last, moment.now)
        except Exception:  # noqa: BLE001 - the full path meets the same error, and reports it
            return None
        if ticks is None:
            return None
        tick, following = ticks
        count = (memory.runs or 0) + 1
        new_meta = advanced_meta(tick, count)
        text = _recent_tick_text(tick)
        texts = RunTexts(run_id_within(self._uid, text), text, next(moment.tags), moment.text)
        write = self._message.entry_write(
            entry, following.timestamp(), texts, new_meta, moment.alive_until
        )
        memory.set_meta(tick, count, new_meta.encode())
        return write


_recent_tick_text = lru_cache(maxsize=1000)(tick_text)


class _Message(Protocol):
    """The parts from which the runs of an entry are made."""

    def entry_write(
        self, entry: DueEntry, score: float, texts: RunTexts, new_meta: str, alive_until: str
    ) -> EntryWrite:
        """Return the write that sends a run; the run counts as alive until `alive_until`."""


class _OneMessage:
    """The runs of an entry sent by a single LPUSH each, in the usual form of `fire.lua`."""

    __slots__ = ("_form", "_has_extra", "_queue")

    def __init__(self, queue: bytes, form: UsualForm, *, has_extra: bool) -> None:
        self._queue = queue
        self._form = form
        self._has_extra = has_extra

    def entry_write(
        self, entry: DueEntry, score: float, texts: RunTexts, new_meta: str, alive_until: str
    ) -> EntryWrite:
        """Return the write that sends a run; the run counts as alive until `alive_until`."""
        packed = self._form.fill(entry, texts, new_meta, repr(score))
        usual = Usual(Neighbours(self._queue, self._has_extra, alive_until), packed)
        return EntryWrite(entry, score, run=texts.run, usual=usual)


class _SomeCommands:
    """The runs of an entry sent by other commands, in the whole form of `fire.lua`.

    `payload` and `event` are JSON with places for run, tick, tag and time.
    """

    __slots__ = ("_after", "_before", "_event", "_owner", "_payload", "_uid")

    def __init__(self, uid: str, owner: str, template: Template, payload: str, event: str) -> None:
        self._uid = uid
        self._owner = owner
        self._before, self._after = template.around
        self._payload = payload
        self._event = event

    def entry_write(
        self, entry: DueEntry, score: float, texts: RunTexts, new_meta: str, alive_until: str
    ) -> EntryWrite:
        """Return the write that sends a run; the run counts as alive until `alive_until`."""
        run, tick, tag, at = texts
        payload = self._payload.replace(RUN, run).replace(TICK, tick).replace(TAG, tag)
        parts = usual_parts(
            entry,
            score,
            meta=new_meta,
            uid=self._uid,
            lease=(run, self._owner, alive_until),
            message=(*self._before, payload, *self._after),
            event=queued_event.filled(self._event, run, tick, at),
        )
        return EntryWrite(entry, score, parts, run)


def prepare_alike(
    entry: DueEntry, usual: UsualEntry, family: Family, generation: object
) -> PreparedRun | None:
    """Return the prepared run of an entry of a family; None for runs unlike those of the family.

    Raises Unsendable.
    """
    form = family.form(entry, entry.name, usual)
    ticks = _tick_pairs(usual.when, usual.anchor, family.within)
    if form is None or ticks is None:
        return None
    message = _OneMessage(family.queue, form, has_extra=True)
    return PreparedRun(usual.uid, ticks, message, generation, may_overlap=family.may_overlap)


def prepare(
    entry: DueEntry, schedule: Schedule, call: Call, templates: Templates, limit: int
) -> PreparedRun | None:
    """Return the prepared run of an entry; None where the runs differ in more than run and tick.

    `call` is the call of the entry's job. `limit` is the most bytes of arguments in an event.
    Raises Unsendable.
    """
    template = templates.template(call)
    payload = None if template is None else template.payload(call)
    policies = schedule.policies
    anchor = schedule.when.anchor if isinstance(schedule.when, IntervalWhen) else None
    ticks = _tick_pairs(schedule.when, anchor, surely_runs_within(policies))
    if template is None or payload is None or ticks is None:
        return None
    event: str | None = ""
    if is_job(call.job):
        event = queued_event.pattern(schedule, call.args, call.kwargs, template.routing_key, limit)
    if event is None:
        return None
    owner = owner_text(schedule.uid, schedule.name, pause_after=policies.pause_after_failures)
    message: _Message
    if template.only_queue is None or not entry.definition:
        message = _SomeCommands(schedule.uid, owner, template, payload, event)
    else:
        layout = Layout(payload.replace("%", "%%"), event.replace("%", "%%"))
        form = layout.form(EntryTexts(entry, schedule.uid, owner), {}, {})
        message = _OneMessage(template.only_queue, form, has_extra=entry.extra is not None)
    may_overlap = policies.overlap == "allow"
    return PreparedRun(schedule.uid, ticks, message, templates.generation, may_overlap=may_overlap)


def _tick_pairs(when: When, anchor: datetime | None, within: timedelta) -> TickPairs | None:
    """Return the ticks of a rule; None for an invalid rule, which the full path reports."""
    try:
        return TickPairs(when, anchor, within)
    except BadExpression:
        return None
