"""The message that Beat sends for a tick: its options and headers. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduler.dispatch.next_look import jitter_of
from scheduler.events.schema import RunFacts
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import IntervalWhen, RedBeatWhen, Schedule
from scheduler.runs import limits
from scheduler.runs.headers import STOCK_BEAT_HEADER
from scheduler.runs.own_header import HEADER, TICK_HEADER, OwnHeader, encode, updated


def options_for(
    schedule: Schedule,
    tick: datetime,
    options: Mapping[str, Any],
    waited: WaitingTick | None = None,
) -> dict[str, Any]:
    """The complete options of a tick's message: the entry's own, the limits of the policies, and
    the headers that name tick, revision and schedule.

    `waited` is the waiting tick that it was until now; None where it has just come due.
    """
    return for_tick(standing_options(schedule, options, waited), schedule, tick, waited)


def standing_options(
    schedule: Schedule, options: Mapping[str, Any], waited: WaitingTick | None = None
) -> dict[str, Any]:
    """The part of `options_for` that all ticks of one revision share."""
    own = OwnHeader(
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        trigger="schedule" if waited is None else waited.trigger,
        actor=None if waited is None else waited.actor,
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
    standing: Mapping[str, Any],
    schedule: Schedule,
    tick: datetime,
    waited: WaitingTick | None = None,
) -> dict[str, Any]:
    """The options of one tick, from `standing` ones."""
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
    """The facts of a tick's run, for its event and lease."""
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
    """When a tick's run is to start, where jitter moves that away from the tick; None elsewhere."""
    when = schedule.when
    if schedule.policies.jitter <= 0 or isinstance(when, RedBeatWhen):
        return None
    if isinstance(when, IntervalWhen) and when.anchor is None:
        return None
    return tick + jitter_of(schedule, when, tick)


def expires_at(
    schedule: Schedule, tick: datetime, waited: WaitingTick | None = None
) -> datetime | None:
    """When it is too late for the tick's run to start; None where it never is, as for one that an
    operator requested.
    """
    deadline = schedule.policies.starting_deadline
    if deadline is None or (waited is not None and waited.actor is not None):
        return None
    return tick + timedelta(seconds=deadline)
