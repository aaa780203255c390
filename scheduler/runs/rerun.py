"""A run once more: what its history says of it, as a new run whose parent it is. Pure.

The history holds arguments bounded, with secrets hidden. Where that has taken something away, the
schedule that fired the run still knows the whole; where it does not either, they have to be given.
"""

from datetime import datetime
from typing import Any, NamedTuple

from scheduler.errors import Refused
from scheduler.events.bounds import bounded
from scheduler.events.schema import RunFacts
from scheduler.events.secret_names import MASK
from scheduler.rules.model.run_states import is_without_run
from scheduler.rules.model.spec import Schedule
from scheduler.runs.past_run import PastRun


class Arguments(NamedTuple):
    """What a job is called with."""

    args: list[Any]
    kwargs: dict[str, Any]


def facts_again(run: PastRun, *, actor: str, now: datetime) -> RunFacts:
    """Why the new run exists. It stands for the same tick, so that the job works on the same
    time.
    """
    if run.tick_to is not None or is_without_run(run.state):
        raise Refused(
            f"nothing ran for {'these ticks' if run.ticks > 1 else 'this tick'}, so that nothing "
            "can run again; backfill the schedule over that time",
            field="run",
        )
    if not run.job:
        raise Refused(f"the history does not know what run {run.id} was to do", field="run")
    return RunFacts(
        job=run.job,
        schedule=run.schedule,
        schedule_uid=run.schedule_uid,
        revision=run.revision,
        tick=run.tick,
        trigger="rerun",
        actor=actor,
        queue=run.queue,
        queued_at=now,
        parent=run.id,
    )


def arguments_again(
    run: PastRun,
    schedule: Schedule | None,
    limit: int,
    *,
    args: list[Any] | None,
    kwargs: dict[str, Any] | None,
) -> Arguments:
    """The arguments that are given, and those of the run where none are. `limit` bounds what the
    history keeps.
    """
    known = (schedule.args, schedule.kwargs) if schedule is not None else (None, None)
    return Arguments(
        args if args is not None else _whole(run.args or [], known[0], limit, list, "args"),
        kwargs if kwargs is not None else _whole(run.kwargs or {}, known[1], limit, dict, "kwargs"),
    )


def _whole(kept: Any, known: Any, limit: int, kind: type, field: str) -> Any:
    """The arguments as they were sent."""
    if isinstance(kept, kind) and not _has_mask(kept):
        return kept
    if known is not None and bounded(known, limit) == kept:
        return known
    raise Refused(
        f"the {field} of the run are not in the history as they were sent: secrets are hidden, "
        "and what is too large is cut; give them anew",
        field=field,
    )


def _has_mask(value: Any) -> bool:
    """Whether something is hidden at any depth."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and MASK in item:
            return True
        waiting += (
            item.values() if isinstance(item, dict) else item if isinstance(item, list) else []
        )
    return False
