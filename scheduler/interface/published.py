"""The published JSON of schedules and runs, relied on by other people's scripts. Pure.

Commands and API print these forms, so two doors never show two shapes.
"""

from datetime import UTC, datetime
from typing import Any

from scheduler.events.bounds import masked_definition
from scheduler.history.days import Summary
from scheduler.history.queries.views import RevisionView, RunView
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule


def rfc3339(at: datetime | None) -> str | None:
    """The instant in UTC with `Z`; None stays None."""
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

    For an override of a static entry, `code` is the schedule without the override.
    """
    override = None
    if schedule.override is not None and code is not None:
        of_code = code.to_json()
        fields = masked_definition({name: of_code[name] for name in schedule.override.fields})
        override = {"fields": list(fields), "code": fields, "code_has_changed": code_has_changed}
    return {
        **masked_definition(schedule.to_json()),
        "override": override,
        "next": rfc3339(next_tick),
        "last_run": last_run,
        "problem": None,
    }


def unreadable_json(name: str, problem: str) -> dict[str, Any]:
    """The published form of an unreadable entry: all keys, empty but for name and problem."""
    keys = [name for name in (*Schedule.model_fields, "next", "last_run") if name != "approval"]
    return {**dict.fromkeys(keys), "name": name, "problem": problem}


def revision_json(revision: RevisionView) -> dict[str, Any]:
    """The published form of a revision; secrets in the definition are masked."""
    body = revision.model_dump(mode="json")
    return {**body, "definition": masked_definition(body["definition"])}


def waiting_json(waiting: WaitingTick) -> dict[str, Any]:
    """The published form of a waiting tick."""
    return {"tick": rfc3339(waiting.tick), "trigger": waiting.trigger, "actor": waiting.actor}


def statistics_json(summary: Summary | None) -> dict[str, Any] | None:
    """The published form of a schedule's recent days: days in UTC, shares from 0 to 1, `median` and
    `p95` in seconds; None stays None.
    """
    if summary is None:
        return None
    body = summary.model_dump(mode="json")
    days = [{name: day[name] for name in day if name != "schedule_uid"} for day in body["days"]]
    return {**body, "days": days}


def run_json(run: RunView) -> dict[str, Any]:
    """The published form of a run; in lists its large fields are empty."""
    body = run.model_dump(mode="json")
    progress = {name: body.pop(f"progress_{name}") for name in ("done", "total", "text")}
    return {**body, "progress": None if progress["done"] is None else progress}


def progress_words(run: RunView) -> str:
    """A run's progress in words: `30 of 120 (25 %), shelf 30`; empty without progress."""
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
    """The run of a manual start just now, not yet recorded by the history."""
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
        **masked_definition({"args": args, "kwargs": kwargs}),
        "attempts": [],
        "children": [],
    }
    return RunView(**{**dict.fromkeys(RunView.model_fields), "ticks": 1, **named})
