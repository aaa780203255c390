"""The message that Beat sends for a tick: its options and headers. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduler.events.schema import RunFacts
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.runs import limits
from scheduler.runs.headers import STOCK_BEAT_HEADER
from scheduler.runs.own_header import HEADER, TICK_HEADER, OwnHeader, encode


def options_for(
    schedule: Schedule, tick: datetime, options: Mapping[str, Any], held: WaitingTick | None = None
) -> dict[str, Any]:
    """The entry's own options, with what says which tick of which revision of which schedule it is.

    `held` is how the tick waited until now, if it did.
    """
    return for_tick(standing_options(schedule, options, held), schedule, tick, held)


def standing_options(
    schedule: Schedule, options: Mapping[str, Any], held: WaitingTick | None = None
) -> dict[str, Any]:
    """What of `options_for` is the same for all ticks of one revision, those that were held in the
    same way.
    """
    own = OwnHeader(
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        trigger="schedule" if held is None else held.trigger,
        actor=None if held is None else held.actor,
        **limits.facts_of(schedule.policies),
    )
    headers = {**(options.get("headers") or {}), HEADER: encode(own), TICK_HEADER: ""}
    return {**options, **limits.options_of(schedule.policies), "task_id": "", "headers": headers}


def beat_options(
    schedule: Schedule, options: Mapping[str, Any], waited: WaitingTick | None = None
) -> dict[str, Any]:
    """`standing_options` with the header by which stock Beat marks what it sends; for our Beat."""
    complete = standing_options(schedule, options, waited)
    complete["headers"][STOCK_BEAT_HEADER] = True
    return complete


def for_tick(
    standing: Mapping[str, Any], schedule: Schedule, tick: datetime, held: WaitingTick | None = None
) -> dict[str, Any]:
    """The options for a tick, from those of all."""
    expires = expires_at(schedule, tick, held)
    return {
        **standing,
        **({} if expires is None else {"expires": expires}),
        "task_id": run_id(schedule.uid, tick),
        "headers": {**standing["headers"], TICK_HEADER: tick_text(tick)},
    }


def facts_of(schedule: Schedule, tick: datetime, held: WaitingTick | None = None) -> RunFacts:
    """Why the run of a tick exists."""
    return RunFacts(
        job=schedule.job,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        tick=tick,
        trigger="schedule" if held is None else held.trigger,
        actor=None if held is None else held.actor,
    )


def expires_at(
    schedule: Schedule, tick: datetime, held: WaitingTick | None = None
) -> datetime | None:
    """When it is too late for the tick's run to start. What an operator asked for is for a tick of
    the past anyway.
    """
    deadline = schedule.policies.starting_deadline
    if deadline is None or (held is not None and held.actor is not None):
        return None
    return tick + timedelta(seconds=deadline)
