"""`beatdesk runs`: runs from SQL; start a run again, and cancel unfinished runs.

Reads the history only, never a worker. A cancellation reaches workers through Celery's control
channel, and the effect appears in the history afterwards.
"""

import json
from collections.abc import Callable
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.outages import explain
from scheduler.cli.output import (
    STATE_TINTS,
    json_option,
    print_facts,
    print_json,
    print_table,
    to_the_second,
)
from scheduler.cli.run_logs import logs
from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused
from scheduler.history.queries.views import TRIGGERS, RunFilter, RunPage, RunView
from scheduler.interface.published import progress_words, run_json
from scheduler.rules.model.run_states import FINAL, STATES, RunState
from scheduler.runs.canceller import Cancelled
from scheduler.services.services import Services
from scheduler.terminal_text import visible


@click.group()
def runs() -> None:
    """List and show runs, run them again, and cancel runs without an end."""


runs.add_command(logs)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a page to a command."""
    command = click.option(
        "--after", metavar="NEXT", help="Go on after an earlier page: its `next`."
    )(command)
    limit = click.option(
        "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, metavar="N"
    )
    return limit(command)


@runs.command("list")
@click.option("--schedule", metavar="NAME")
@click.option("--job", metavar="JOB")
@click.option("--state", type=click.Choice(STATES))
@click.option("--worker", metavar="WORKER")
@click.option("--queue", metavar="QUEUE")
@click.option("--trigger", type=click.Choice(TRIGGERS))
@click.option("--parent", metavar="ID", help="Runs started by this run, or repeating it.")
@click.option(
    "--since",
    metavar="T",
    help="Not older than this time: monday 8:00, or this long ago: 15m, 24h, 7d.",
)
@click.option("--until", metavar="T", help="Not newer than this.")
@limit_options
@json_option
@click.pass_obj
def list_runs(
    services: Services,
    /,
    *,
    limit: int,
    after: str | None,
    since: str | None,
    until: str | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """List runs, newest first."""
    now = utc_now()
    zone = fields.default_clock(services.settings)
    wanted = RunFilter(
        since=None if since is None else fields.moment(since, "since", now=now, zone=zone),
        until=None if until is None else fields.moment(until, "until", now=now, zone=zone),
        **{key: value for key, value in filters.items() if value is not None},
    )
    say_page(services.history.runs(wanted, after=after, limit=limit), as_json=as_json)


@runs.command()
@click.argument("run_id", metavar="ID")
@json_option
@click.pass_obj
def show(services: Services, /, *, run_id: str, as_json: bool) -> None:
    """Show run ID: times, arguments, result, traceback, attempts."""
    say_run(services.history.run(run_id), as_json=as_json)


@runs.command()
@click.argument("run_id", metavar="ID")
@json_option
@click.pass_obj
def cancel(services: Services, /, *, run_id: str, as_json: bool) -> None:
    """Cancel run ID, queued or running."""
    run = _recorded(services, run_id)
    if run is not None and run.state in FINAL:
        raise Refused(f"run: {run_id} cannot be cancelled, it has {run.state} already", field="run")
    queue = None if run is None else run.queue
    effect = services.control.cancel(run_id, fields.actor(), utc_now(), queue=queue)
    if as_json:
        print_json({"id": run_id, "cancelled": True, "effect": effect.value})
    else:
        click.echo(f"run {run_id} {EFFECTS[effect]}; see: beatdesk runs show {run_id}")


EFFECTS = {
    Cancelled.ENDED: "is cancelled: no worker had it",
    Cancelled.STOPPING: "is being cancelled: its worker was asked to end it",
    Cancelled.UNSTOPPABLE: "goes on to its end: the pool of its worker cannot stop a running job",
    Cancelled.SEARCHED: "is being cancelled: a worker that has it ends it, and where none has it, "
    "it is cancelled within a minute",
}
"""Sentences about the effects of a cancellation, after the run's id."""


@runs.command()
@click.argument("run_id", metavar="ID")
@click.option("--args", metavar="JSON", help="Instead of the run's positional arguments.")
@click.option("--kwargs", metavar="JSON", help="Instead of the run's named arguments.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Also for a lost run whose message comes back by itself: the job then runs twice.",
)
@json_option
@click.pass_obj
def rerun(
    services: Services,
    /,
    *,
    run_id: str,
    args: str | None,
    kwargs: str | None,
    anyway: bool,
    as_json: bool,
) -> None:
    """Run the job of run ID once more, as a new run."""
    old = services.history.run(run_id)
    new = services.control.rerun(
        old,
        services.schedules.find(old.schedule, old.schedule_uid),
        services.catalogue.check_call,
        actor=fields.actor(),
        args=None if args is None else fields.json_list(args),
        kwargs=None if kwargs is None else fields.json_object(kwargs),
        anyway=anyway,
        now=utc_now(),
    )
    if as_json:
        print_json({"id": new, "parent": run_id, "state": RunState.QUEUED.value})
    else:
        click.echo(f"run {run_id} runs again as {new}; see: beatdesk runs show {new}")


def _recorded(services: Services, run_id: str) -> RunView | None:
    """Return the run; None without SQL, because runs must be stoppable even then."""
    try:
        return services.history.run(run_id)
    except NotFound as error:
        raise NotFound(
            f"{error}; a run started a moment ago may not be recorded yet", field="run"
        ) from None
    except Exception as error:
        if (outage := explain(error)) is None:
            raise
        click.echo(f"beatdesk: {outage}; whether run {run_id} has ended is unknown", err=True)
        return None


def say_page(page: RunPage, *, as_json: bool) -> None:
    """Print a page of runs."""
    if as_json:
        print_json({"items": [run_json(item) for item in page.items], "next": page.next})
        return
    headers = ["ID", "STATE", "SCHEDULE", "JOB", "TICK", "STARTED", "SECONDS", "WORKER"]
    print_table(headers, [_row(item) for item in page.items], tints=STATE_TINTS)
    if page.next is not None:
        click.echo(f"more: --after {page.next}", err=True)


def say_run(view: RunView, *, as_json: bool) -> None:
    """Print all facts about one run."""
    body = run_json(view)
    if as_json:
        print_json(body)
        return
    shown = [
        key
        for key in body
        if key not in {"traceback", "attempts", "children"} and body[key] not in (None, [], {})
    ]
    if view.ticks == 1:
        shown.remove("ticks")
    body["progress"] = progress_words(view)
    facts = [(key.replace("_", " "), _text(body[key])) for key in shown]
    for attempt in body["attempts"]:
        line = (
            f"{attempt['state']} on {attempt['worker'] or 'no worker'}, started "
            f"{attempt['started_at'] or 'never'}"
        )
        facts.append((f"attempt {attempt['number']}", line))
    facts += [
        ("child", f"{child['id']} {child['job']}, {child['state']}") for child in body["children"]
    ]
    print_facts(facts)
    if view.traceback:
        click.echo("")
        click.echo("\n".join(visible(line) for line in view.traceback.splitlines()))


def _row(view: RunView) -> list[str]:
    times = [to_the_second(view.tick), to_the_second(view.started_at)]
    progress = progress_words(view) if view.state == RunState.RUNNING else ""
    state = f"{view.state}, {progress}" if progress else view.state
    return [
        view.id,
        state,
        view.schedule or "-",
        view.job,
        *times,
        _text(view.duration),
        view.worker or "-",
    ]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
