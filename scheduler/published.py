"""The JSON that others script against: a schedule and a run as the interface publishes them.

Pure: rearranges what it is given. The commands print these forms, and whatever else speaks the published
interface is to use them too, so that two doors never show two shapes.
"""

from datetime import UTC, datetime
from typing import Any

from scheduler.history.views import RunView
from scheduler.rules.spec import Schedule


def rfc3339(at: datetime | None) -> str | None:
    """The instant in UTC with `Z`, or none."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def schedule_json(schedule: Schedule, *, next_tick: datetime | None, last_run: dict[str, Any] | None) -> dict[str, Any]:
    """The published form of a schedule; `last_run` has the `id` and `state` of its newest run."""
    return {
        **schedule.to_json(),
        "next": rfc3339(next_tick),
        "last_run": last_run,
        "problem": None,
    }


def unreadable_json(name: str, problem: str) -> dict[str, Any]:
    """The same keys for an entry that cannot be read: all empty but its name and what is wrong with it."""
    keys = [*Schedule.model_fields, "next", "last_run"]
    return {**dict.fromkeys(keys), "name": name, "problem": problem}


def run_json(run: RunView) -> dict[str, Any]:
    """The published form of a run; in lists its large parts are empty."""
    body = run.model_dump(mode="json")
    told = {name: body.pop(f"progress_{name}") for name in ("done", "total", "text")}
    return {**body, "progress": None if told["done"] is None else told}


def queued_run(
    run_id: str, schedule: Schedule, *, actor: str, args: list[Any], kwargs: dict[str, Any], queued_at: datetime
) -> RunView:
    """A run that was started by hand this moment, which the history has not recorded yet."""
    named: dict[str, Any] = {
        "id": run_id,
        "schedule": schedule.name,
        "schedule_uid": schedule.uid,
        "revision": schedule.revision,
        "job": schedule.job,
        "trigger": "manual",
        "actor": actor,
        "state": "queued",
        "queued_at": queued_at,
        "queue": schedule.queue,
        "args": args,
        "kwargs": kwargs,
        "attempts": [],
    }
    return RunView(**{**dict.fromkeys(RunView.model_fields), "ticks": 1, **named})
