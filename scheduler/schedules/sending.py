"""The message that Beat sends for a tick: its options and headers. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduler.rules.identity import run_id, tick_text
from scheduler.rules.spec import Schedule
from scheduler.runs import limits
from scheduler.runs.facts import HEADER, TICK_HEADER


def options_for(schedule: Schedule, tick: datetime, options: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's own options, with what says which tick of which revision of which schedule it is."""
    facts = {
        "schedule": schedule.name,
        "schedule_uid": schedule.uid,
        "revision": schedule.revision,
        "trigger": "schedule",
        **limits.facts_of(schedule.policies),
    }
    expires = expires_at(schedule, tick)
    return {
        **options,
        **limits.options_of(schedule.policies),
        **({} if expires is None else {"expires": expires}),
        "task_id": run_id(schedule.uid, tick),
        "headers": {**(options.get("headers") or {}), TICK_HEADER: tick_text(tick), HEADER: facts},
    }


def expires_at(schedule: Schedule, tick: datetime) -> datetime | None:
    """When it is too late for the tick's run to start."""
    deadline = schedule.policies.starting_deadline
    return None if deadline is None else tick + timedelta(seconds=deadline)
