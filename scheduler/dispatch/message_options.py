"""Options and headers of the message sent by Beat for a tick. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduler.dispatch.next_look import jitter_of
from scheduler.events.schema import RunFacts
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.rules.ticks import has_computable_ticks
from scheduler.runs import limits
from scheduler.runs.headers import STOCK_BEAT_HEADER
from scheduler.runs.own_header import HEADER, TICK_HEADER, OwnHeader, encode, updated


def options_for(
    schedule: Schedule,
    tick: datetime,
    options: Mapping[str, Any],
    waited: WaitingTick | None = None,
) -> dict[str, Any]:
    """Return the complete options of a tick's message.

    Complete are the options of the entry, the limits of the policies, and the headers that name
    tick, revision and schedule. `waited` is the tick's record in the waiting list; None for a tick
    that has just come due.
    """
    return for_tick(standing_options(schedule, options, waited), schedule, tick, waited)


def standing_options(
    schedule: Schedule, options: Mapping[str, Any], waited: WaitingTick | None = None
) -> dict[str, Any]:
    """Return the part of `options_for` shared by all ticks of a revision."""
    own = OwnHeader(
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        trigger="schedule" if waited is None else waited.trigger,
        actor=None if waited is None else waited.actor,
        approval=schedule.approval,
        **limits.facts_of(schedule.policies),
    )
    headers = {**(options.get("headers") or {}), HEADER: encode(own), TICK_HEADER: ""}
    return {**options, **limits.options_of(schedule.policies), "task_id": "", "headers": headers}


def beat_options(
    schedule: Schedule, options: Mapping[str, Any], waited: WaitingTick | None = None
) -> dict[str, Any]:
    """Return `standing_options` with stock Beat's mark on sent messages; used by our Beat only."""
    complete = standing_options(schedule, options, waited)
    complete["headers"][STOCK_BEAT_HEADER] = True
    return complete


def for_tick(
    standing: Mapping[str, Any],
    schedule: Schedule,
    tick: datetime,
    waited: WaitingTick | None = None,
) -> dict[str, Any]:
    """Return the options of one tick, made from the `standing` options."""
    expires = expires_at(schedule, tick, waited)
    headers = {**standing["headers"], TICK_HEADER: tick_text(tick)}
    due = due_at(schedule, tick)
    if due is not None:
        headers = updated(headers, due_at=tick_text(due))
    return {
        **standing,
        **({} if expires is None else {"expires": expires}),
        "task_id": run_id(schedule.uid, tick),
        "headers": headers,
    }


def facts_of(schedule: Schedule, tick: datetime, waited: WaitingTick | None = None) -> RunFacts:
    """Return the facts of a tick's run for the event and the lease."""
    return RunFacts(
        job=schedule.job,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        tick=tick,
        due_at=due_at(schedule, tick),
        trigger="schedule" if waited is None else waited.trigger,
        actor=None if waited is None else waited.actor,
    )


def due_at(schedule: Schedule, tick: datetime) -> datetime | None:
    """Return the start time of a tick's run where jitter delays the run; else None."""
    when = schedule.when
    if schedule.policies.jitter <= 0 or not has_computable_ticks(when):
        return None
    return tick + jitter_of(schedule, when, tick)


def expires_at(
    schedule: Schedule, tick: datetime, waited: WaitingTick | None = None
) -> datetime | None:
    """Return the time after which the tick's run is too late to start.

    None without a starting deadline, and for a tick requested by an operator: never too late.
    """
    deadline = schedule.policies.starting_deadline
    if deadline is None or (waited is not None and waited.actor is not None):
        return None
    return tick + timedelta(seconds=deadline)
