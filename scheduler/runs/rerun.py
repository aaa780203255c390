"""Rerun of a past run: facts and arguments for a new run, whose parent is the old run. Pure.

The history has arguments bounded, with secrets hidden. Where an argument is cut or hidden, the
schedule that fired the run may still have the complete arguments; elsewhere the operator has to
give them.
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
    """Positional and named arguments of a job."""

    args: list[Any]
    kwargs: dict[str, Any]


def rerun_facts(run: PastRun, *, actor: str, now: datetime) -> RunFacts:
    """Return the facts of the new run, for the old tick: the job works on the old run's time.

    Raises Refused for a tick that never ran, and for a run without a job in the history.
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


def rerun_arguments(
    run: PastRun,
    schedule: Schedule | None,
    limit: int,
    *,
    args: list[Any] | None,
    kwargs: dict[str, Any] | None,
) -> Arguments:
    """Return the arguments `args` and `kwargs`; the run's own replace None.

    `limit` is the most bytes of arguments in the history. Raises Refused where neither the history
    nor the schedule has the run's own arguments as sent.
    """
    if args is None:
        own_args = schedule.args if schedule is not None else None
        args = _unmasked(run.args or [], own_args, limit, list, "args")
    if kwargs is None:
        own_kwargs = schedule.kwargs if schedule is not None else None
        kwargs = _unmasked(run.kwargs or {}, own_kwargs, limit, dict, "kwargs")
    return Arguments(args, kwargs)


def _unmasked(recorded: Any, own: Any, limit: int, kind: type, field: str) -> Any:
    """Return the arguments as sent.

    Recorded arguments without a hidden part are returned. Otherwise the schedule's `own` arguments
    are, where masking and cutting them gives the recorded ones.
    """
    if isinstance(recorded, kind) and not _has_mask(recorded):
        return recorded
    if own is not None and bounded(own, limit) == recorded:
        return own
    raise Refused(
        f"the {field} of the run are not in the history as they were sent: secrets are hidden, "
        "and what is too large is cut; give them anew",
        field=field,
    )


def _has_mask(value: Any) -> bool:
    """Whether a text at any depth has a hidden part."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and MASK in item:
            return True
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False
