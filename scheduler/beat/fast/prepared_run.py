"""The runs of one entry as texts that are made once and filled in for each tick."""

import os
from datetime import datetime
from typing import NamedTuple

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import EntryWrite, usual_parts
from scheduler.beat.fast import queued_event
from scheduler.beat.fast.single_tick import single_tick
from scheduler.publishing.calls import RUN, TAG, TICK, Call
from scheduler.publishing.message_template import Template
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.identity import run_id_within, tick_text, uuid_text
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.catch_up import surely_runs_within
from scheduler.runs.headers import is_job
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import QUEUED_SECONDS


class Moment(NamedTuple):
    """The time of a look, in the forms that each run needs."""

    now: datetime
    text: str
    alive_until: str
    """Until when a run counts as alive whose message waits in its queue, in seconds."""

    @classmethod
    def of(cls, now: datetime) -> "Moment":
        """The forms of `now`."""
        return cls(now, tick_text(now), f"{now.timestamp() + QUEUED_SECONDS:.6f}")


class PreparedRun:
    """The texts of one entry's runs, and what its next step needs besides.

    `payload` and `event` are JSON with places for run, tick, tag and time; `generation` is that of
    the template: in another generation this one is out of date.
    """

    __slots__ = (
        "_after",
        "_before",
        "_event",
        "_last",
        "_next",
        "_owner",
        "_payload",
        "_schedule",
        "_uid",
        "_within",
        "generation",
    )

    def __init__(
        self, schedule: Schedule, template: Template, payload: str, event: str, generation: object
    ):
        self.generation = generation
        self._schedule = schedule
        self._payload = payload
        self._event = event
        self._within = surely_runs_within(schedule.policies)
        self._uid = bytes.fromhex(schedule.uid.replace("-", ""))
        self._owner = owner_text(
            schedule.uid,
            schedule.name,
            pause_after=schedule.policies.pause_after_failures,
            expires=None,
        )
        self._before, self._after = template.around
        self._last: datetime | None = None
        self._next: datetime | None = None

    def entry_write(
        self, entry: DueEntry, meta: Meta, moment: Moment
    ) -> tuple[EntryWrite, Meta, str] | None:
        """The step that sends the one tick that is due, the meta after it, and that as it is
        stored; None where the full path has to decide.
        """
        schedule, last = self._schedule, meta.last_run_at
        if last is None or entry.waiting:
            return None  # a waiting tick has its turn before a new one
        if entry.alive and schedule.policies.overlap != "allow":
            return None
        when = codec.anchored(schedule.when, meta)
        computed = self._next if self._last is last and when is schedule.when else None
        try:
            ticks = single_tick(when, last, moment.now, self._within, computed)
        except Exception:  # noqa: BLE001 - the full path meets the same error, and reports it
            return None
        if ticks is None:
            return None
        tick, following = ticks
        self._last = tick
        self._next = following
        meta = Meta(tick, (meta.total_run_count or 0) + 1)
        stored = codec.encode_meta(meta)
        text = tick_text(tick)
        score = following.timestamp()
        run = run_id_within(self._uid, text)
        payload = (
            self._payload.replace(RUN, run)
            .replace(TICK, text)
            .replace(TAG, uuid_text(os.urandom(16), 4))
        )
        parts = usual_parts(
            entry,
            score,
            meta=stored,
            uid=schedule.uid,
            lease=(run, self._owner, moment.alive_until),
            message=(*self._before, payload, *self._after),
            event=queued_event.filled(self._event, run, text, moment.text),
        )
        return EntryWrite(entry, score, parts, run), meta, stored


def prepare(
    schedule: Schedule, call: Call, template: Template, generation: object, limit: int
) -> PreparedRun | None:
    """The prepared run of an entry whose job is called by `call`; None where its runs differ in
    more than run and tick.

    `limit` is the most bytes of arguments in an event. Raises Unsendable.
    """
    payload = template.payload(call)
    if payload is None:
        return None
    event: str | None = ""
    if is_job(call.job):
        event = queued_event.pattern(schedule, call.args, call.kwargs, template.routing_key, limit)
    if event is None:
        return None
    return PreparedRun(schedule, template, payload, event, generation)
