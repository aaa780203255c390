"""Runs that differ from the one before them in their tick only, as nearly all do: texts made once,
and filled in.

What `planning` does by all rules and with all of Celery's care, a routine does for one entry at a
small part of the price. `dispatch.is_plain` says for which entries, `dispatch.usual_ticks` for
which ticks; message, event, lease and memory are the same.
"""

import os
from datetime import datetime
from typing import NamedTuple

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.steps import Step, usual_parts
from scheduler.dispatch import plan
from scheduler.publishing import queued_event
from scheduler.publishing.calls import (
    RUN,
    TAG,
    TICK,
    Call,
)
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
    """When Beat has looked, in the forms that each run needs."""

    now: datetime
    text: str
    alive_until: str
    """Until when a run is alive whose message waits."""

    @classmethod
    def of(cls, now: datetime) -> "Moment":
        """The forms of a moment."""
        return cls(now, tick_text(now), f"{now.timestamp() + QUEUED_SECONDS:.6f}")


class FastPath:
    """One entry's. `made_by` is the renderer's state with which it ends."""

    __slots__ = (
        "_after",
        "_before",
        "_event",
        "_next",
        "_owner",
        "_payload",
        "_schedule",
        "_uid",
        "_within",
        "made_by",
    )

    def __init__(
        self,
        schedule: Schedule,
        call: Call,
        template: Template,
        texts: tuple[str, str],
        made_by: object,
    ):
        self.made_by = made_by
        self._schedule, (self._payload, self._event) = schedule, texts
        self._within = surely_runs_within(schedule.policies)
        self._uid = bytes.fromhex(schedule.uid.replace("-", ""))
        self._owner = owner_text(
            schedule.uid,
            schedule.name,
            pause_after=schedule.policies.pause_after_failures,
            expires=None,
        )
        self._before, self._after = template.around
        self._next: tuple[datetime | None, datetime | None] = (None, None)

    def step(self, seen: DueEntry, memory: Meta, moment: Moment) -> tuple[Step, Meta, str] | None:
        """What becomes of the entry, what is remembered of it then, and how; none where all rules
        must be asked.
        """
        schedule, last = self._schedule, memory.last_run_at
        if last is None or seen.waiting or (seen.alive and schedule.policies.overlap != "allow"):
            return None
        when = codec.anchored(schedule.when, memory)
        known = self._next[1] if self._next[0] is last and when is schedule.when else None
        try:
            ticks = plan.usual_ticks(when, last, moment.now, self._within, known)
        except Exception:  # noqa: BLE001 - whatever a rule stumbles over is told where all rules are asked
            return None
        if ticks is None:
            return None
        tick, following = self._next = ticks
        memory = Meta(tick, (memory.total_run_count or 0) + 1)
        stored = codec.encode_meta(memory)
        text, score = tick_text(tick), following.timestamp()
        run = run_id_within(self._uid, text)
        payload = (
            self._payload.replace(RUN, run)
            .replace(TICK, text)
            .replace(TAG, uuid_text(os.urandom(16), 4))
        )
        parts = usual_parts(
            seen,
            score,
            meta=stored,
            uid=schedule.uid,
            lease=(run, self._owner, moment.alive_until),
            message=(*self._before, payload, *self._after),
            event=queued_event.filled(self._event, run, text, moment.text),
        )
        return Step(seen, score, parts, run), memory, stored


def routine_for(
    schedule: Schedule, call: Call, template: Template, made_by: object, limit: int
) -> FastPath | None:
    """The routine of an entry whose runs are called like `call`, none where it cannot have one.
    Raises Unsendable.

    `limit` is the most bytes of arguments that an event carries.
    """
    payload = template.payload(call)
    if payload is None:
        return None
    event: str | None = ""
    if is_job(call.job):
        event = queued_event.pattern(schedule, call.args, call.kwargs, template.routing_key, limit)
    return None if event is None else FastPath(schedule, call, template, (payload, event), made_by)
