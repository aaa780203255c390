"""The check whether a scheduled run may start on a worker: one script, then `rules.policies.admit`.

The script also records run.received, so that the check costs no further round trip. Nothing is
refused on a guess: a run starts where the entry cannot be read, or Redis has no record of the run.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.errors import UnreadableEntry
from scheduler.events import schema
from scheduler.events.schema import RunReceived
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies import admit
from scheduler.rules.policies.admit import START, Admission
from scheduler.rules.policies.window import is_paused
from scheduler.runs.lease_record import worker_word
from scheduler.runs.leases import HELD_SECONDS
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

_MOST_LOOKED_AT = 200


class Answer(NamedTuple):
    """The decision on a run. `is_recorded`: the lease names the worker, and the event is in
    the stream.
    """

    admission: Admission
    is_recorded: bool
    gone: bool = False
    """True where the schedule is deleted, or lost by Redis and soon put back."""


class StartCheck:
    """The check, for any number of runs."""

    def __init__(self, redis: "Redis") -> None:
        self._ask = redis.register_script(script_text(__package__, "ask.lua"))

    def ask(
        self,
        event: RunReceived,
        *,
        again: bool,
        start_by: datetime | None,
        is_known: bool | None = None,
    ) -> Answer:
        """Decide whether a first attempt may start. Raises redis.RedisError.

        `again`: the run began in an earlier delivery of the message. `start_by`: the deadline in
        the message. `is_known`: whether Redis had a record of the run before this delivery; None to
        take the answer from the run's lease.
        """
        facts = event.facts
        uid, name = facts.schedule_uid or "", facts.schedule or ""
        reply: Any = self._ask(
            keys=[
                keys.EVENTS_STREAM,
                keys.LEASES_ZSET,
                keys.LEASE_OWNERS_HASH,
                keys.ALIVE_PREFIX + uid,
            ],
            args=[
                schema.FIELD,
                schema.encode(event)[schema.FIELD],
                event.run,
                int(again),
                HELD_SECONDS,
                uid,
                event.attempt,
                worker_word(event.worker),
                name,
                _MOST_LOOKED_AT,
                "" if is_known is None else int(is_known),
                keys.entry(name),
                keys.STATICS_SET,
            ],
        )
        return _answer(reply, event, start_by)


def _answer(reply: Any, event: RunReceived, start_by: datetime | None) -> Answer:
    """Return the decision on the values read by the script."""
    name = event.facts.schedule or ""
    recorded, gone, admitted, static = (bool(flag) for flag in reply[:4])
    raw = Raw(*reply[4:7])
    if admitted or (raw == (None, None, None) and not gone):
        return Answer(START, recorded)
    if gone:
        return Answer(admit.decide(event.at, start_by=start_by, exists=False), recorded, gone=True)
    try:
        schedule = codec.decode(name, raw, static=static).schedule
    except UnreadableEntry as error:
        log.warning(
            "run %s starts, though the entry %s cannot be asked: %s", event.run, name, error
        )
        return Answer(START, recorded)
    return Answer(_decide(schedule, event, start_by, others=not recorded), recorded)


def _decide(
    schedule: Schedule, event: RunReceived, start_by: datetime | None, *, others: bool
) -> Admission:
    facts, now = event.facts, event.at
    return admit.decide(
        now,
        start_by=start_by,
        exists=schedule.uid == facts.schedule_uid,
        enabled=schedule.enabled,
        paused=is_paused(schedule, now),
        skipped=facts.tick in schedule.skips,
        overlap=schedule.policies.overlap,
        others_running=int(others),
    )
