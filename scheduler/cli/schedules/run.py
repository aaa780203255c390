"""`schedules run`: start a schedule's job now, and optionally wait for the end of the run.

Waiting reads the history until the run's state is final, and holds no lock: Ctrl-C ends the
waiting, never the run.
"""

import threading
from datetime import timedelta

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.cli.runs import say_run
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError, NotFound
from scheduler.history.queries.views import RunView
from scheduler.interface.published import queued_run, run_json
from scheduler.rules.check import check_arguments
from scheduler.rules.model.run_states import FINAL, RunState
from scheduler.services.services import Services

LOOK_EVERY = 0.2


class NotFinished(BeatdeskError):
    """The run had not ended when the waiting did."""


@click.command()
@click.argument("name")
@click.option("--args", metavar="JSON", help="Instead of the schedule's own positional arguments.")
@click.option("--kwargs", metavar="JSON", help="Instead of the schedule's own named arguments.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit 1 unless the run succeeded.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Wait so many seconds at most.",
)
@json_option
@click.pass_obj
def run(
    services: Services,
    /,
    *,
    name: str,
    args: str | None,
    kwargs: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Run schedule NAME now. The next tick is unaffected."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    positional = None if args is None else fields.json_list(args)
    named = None if kwargs is None else fields.json_object(kwargs)
    schedule = services.schedules.get(name)
    positional = schedule.args if positional is None else positional
    named = schedule.kwargs if named is None else named
    check_arguments(positional, named)
    services.catalogue.check_call(schedule.job, positional, named)
    who, now = fields.actor(), utc_now()
    run_id = services.control.start(
        schedule, actor=who, trigger="manual", args=positional, kwargs=named, now=now
    )
    if wait:
        _report(_end_of(services, run_id, timeout), as_json=as_json)
        return
    if as_json:
        queued = queued_run(
            run_id, schedule, actor=who, args=positional, kwargs=named, queued_at=now
        )
        print_json(run_json(queued))
    else:
        click.echo(f"{name} queued as run {run_id}; see: beatdesk runs show {run_id}")


def _end_of(services: Services, run_id: str, timeout: float | None) -> RunView:
    deadline = None if timeout is None else utc_now() + timedelta(seconds=timeout)
    waiting = threading.Event()
    try:
        while (found := _final(services, run_id)) is None:
            if deadline is not None and utc_now() >= deadline:
                raise NotFinished(
                    f"timeout: run {run_id} had not ended after {timeout:g} seconds and goes on; "
                    f"see `beatdesk runs show {run_id}`, or give a longer --timeout",
                    field="timeout",
                )
            waiting.wait(LOOK_EVERY)
    except KeyboardInterrupt:
        raise NotFinished(
            f"waiting stopped; run {run_id} goes on: beatdesk runs show {run_id}"
        ) from None
    return found


def _final(services: Services, run_id: str) -> RunView | None:
    try:
        view = services.history.run(run_id)
    except NotFound:
        return None
    return view if view.state in FINAL else None


def _report(ended: RunView, *, as_json: bool) -> None:
    say_run(ended, as_json=as_json)
    if ended.state != RunState.SUCCEEDED:
        raise click.exceptions.Exit(1)
