"""The JSON that others script against: a schedule and a run as the interface publishes them.

Pure: rearranges what it is given. The commands print these forms, and whatever else speaks the
published interface is to use them too, so that two doors never show two shapes.
"""

from datetime import UTC, datetime
from typing import Any

from scheduler.history.queries.views import RunView
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule


def rfc3339(at: datetime | None) -> str | None:
    """The instant in UTC with `Z`, or none."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def schedule_json(
    schedule: Schedule,
    *,
    next_tick: datetime | None,
    last_run: dict[str, Any] | None,
    code: Schedule | None = None,
    code_has_changed: bool = False,
) -> dict[str, Any]:
    """The published form of a schedule; `last_run` has the `id` and `state` of its newest run.

    Where an override stands on a static entry, `code` is what code alone would have.
    """
    override = None
    if schedule.override is not None and code is not None:
        of_code = code.to_json()
        fields = {name: of_code[name] for name in schedule.override.fields}
        override = {"fields": list(fields), "code": fields, "code_has_changed": code_has_changed}
    return {
        **schedule.to_json(),
        "override": override,
        "next": rfc3339(next_tick),
        "last_run": last_run,
        "problem": None,
    }


def unreadable_json(name: str, problem: str) -> dict[str, Any]:
    """The same keys for an entry that cannot be read: all empty but its name and what is wrong with
    it.
    """
    keys = [*Schedule.model_fields, "next", "last_run"]
    return {**dict.fromkeys(keys), "name": name, "problem": problem}


def held_json(held: WaitingTick) -> dict[str, Any]:
    """The published form of a tick that waits for its turn."""
    return {"tick": rfc3339(held.tick), "trigger": held.trigger, "actor": held.actor}


def run_json(run: RunView) -> dict[str, Any]:
    """The published form of a run; in lists its large parts are empty."""
    body = run.model_dump(mode="json")
    told = {name: body.pop(f"progress_{name}") for name in ("done", "total", "text")}
    return {**body, "progress": None if told["done"] is None else told}


def progress_words(run: RunView) -> str:
    """How far a run is, for people: `30 of 120 (25 %), shelf 30`; empty where it has not told."""
    if run.progress_done is None:
        return ""
    words = f"{run.progress_done:.15g}"
    if run.progress_total is not None:
        words += f" of {run.progress_total:.15g}"
        if run.progress_total > 0:
            words += f" ({min(max(run.progress_done / run.progress_total, 0), 1):.0%})".replace(
                "%", " %"
            )
    return f"{words}, {run.progress_text}" if run.progress_text else words


def queued_run(
    run_id: str,
    schedule: Schedule,
    *,
    actor: str,
    args: list[Any],
    kwargs: dict[str, Any],
    queued_at: datetime,
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
        "state": RunState.QUEUED.value,
        "queued_at": queued_at,
        "queue": schedule.queue,
        "args": args,
        "kwargs": kwargs,
        "attempts": [],
        "children": [],
    }
    return RunView(**{**dict.fromkeys(RunView.model_fields), "ticks": 1, **named})
