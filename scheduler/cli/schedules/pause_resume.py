"""`schedules pause | resume | skip | drop-waiting | pause-all | resume-all`."""

from datetime import datetime
from typing import cast

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.cli.schedules.changes import comment_option
from scheduler.cli.schedules.listing import clock_of, local_time, one_as_json
from scheduler.clock import utc_now
from scheduler.interface.published import rfc3339, waiting_json
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted, plural
from scheduler.schedules.operations import Missed
from scheduler.schedules.pause_all import Outcome
from scheduler.services.services import Services

until_option = click.option(
    "--until",
    metavar="T",
    help="The pause ends at this time: monday 8:00, or in 15m, 24h, 7d.",
)


@click.command()
@click.argument("name")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why; shown with the paused schedule."
)
@until_option
@json_option
@click.pass_obj
def pause(
    services: Services, /, *, name: str, reason: str, until: str | None, as_json: bool
) -> None:
    """Let nothing of schedule NAME fire until it is resumed. Its ticks are recorded as skipped."""
    now = utc_now()
    ends = None
    if until is not None:
        ends = fields.moment_ahead(until, "until", now=now, zone=clock_of(services, name))
    saved = services.operations.pause(name, reason=reason, until=ends, edit=fields.edit(now=now))
    if as_json:
        print_json(one_as_json(services, services.schedules.listed(name)))
    else:
        click.echo(f"{name} paused {_end(saved, ends)}")


def _end(schedule: Schedule, ends: datetime | None) -> str:
    """Return the end of a pause as text."""
    if ends is None:
        return f"until `beatdesk schedules resume {schedule.name}`"
    return f"until {local_time(ends, schedule.when)}"


missed_option = click.option(
    "--missed",
    type=click.Choice(["skip", "latest", "all"]),
    default="skip",
    show_default=True,
    help="The ticks of the pause: run none, run the latest now, or run all.",
)


@click.command()
@click.argument("name")
@missed_option
@comment_option
@json_option
@click.pass_obj
def resume(services: Services, /, *, name: str, missed: str, comment: str, as_json: bool) -> None:
    """End the pause of schedule NAME."""
    how = cast(Missed, missed)
    resumed = services.operations.resume(
        name, missed=how, edit=fields.edit(now=utc_now(), comment=comment)
    )
    listed = services.schedules.listed(name)
    if as_json:
        print_json({**one_as_json(services, listed), "runs": resumed.runs})
        return
    following = (
        f"next {local_time(listed.next, resumed.schedule.when)}"
        if listed.next
        else "no tick is left"
    )
    count = len(resumed.runs)
    started = (
        f", {counted(count, 'held back run starts', 'held back runs start one after the other')}"
        if count
        else ""
    )
    click.echo(f"{name} resumed{started}, {following}")


@click.command("pause-all")
@click.option("--reason", required=True, metavar="TEXT", help="Why; shown with every schedule.")
@until_option
@json_option
@click.pass_obj
def pause_all(services: Services, /, *, reason: str, until: str | None, as_json: bool) -> None:
    """Pause every enabled schedule. Later schedules are not paused."""
    now = utc_now()
    zone = fields.default_clock(services.settings)
    ends = None if until is None else fields.moment_ahead(until, "until", now=now, zone=zone)
    _say_all(
        services.pause_all.pause(reason=reason, until=ends, edit=fields.edit(now=now)),
        "paused",
        as_json=as_json,
    )


@click.command("resume-all")
@missed_option
@comment_option
@json_option
@click.pass_obj
def resume_all(services: Services, /, *, missed: str, comment: str, as_json: bool) -> None:
    """Resume the schedules paused by `pause-all`; other pauses stay."""
    how = cast(Missed, missed)
    outcome = services.pause_all.resume(
        missed=how, edit=fields.edit(now=utc_now(), comment=comment)
    )
    _say_all(outcome, "resumed", as_json=as_json)


def _say_all(outcome: Outcome, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({done: outcome.names, "runs": outcome.runs, "refused": outcome.refused})
        return
    count = len(outcome.names)
    click.echo(f"{counted(count, 'schedule')} {done}")
    for name, why in outcome.refused.items():
        click.echo(f"not {done}: {name}: {why}", err=True)


@click.command()
@click.argument("name")
@click.option("--tick", metavar="T", help="The tick to skip; by default the next one.")
@click.option("--undo", is_flag=True, help="Let the tick run after all.")
@comment_option
@json_option
@click.pass_obj
def skip(
    services: Services, /, *, name: str, tick: str | None, undo: bool, comment: str, as_json: bool
) -> None:
    """Let one coming tick of schedule NAME pass without a run."""
    edit = fields.edit(now=utc_now(), comment=comment)
    at = None
    if tick is not None:
        at = fields.moment_ahead(tick, "tick", now=edit.now, zone=clock_of(services, name))
    if undo:
        if at is None:
            raise click.UsageError(
                "--undo needs --tick T; `beatdesk schedules show NAME` lists the skipped ticks"
            )
        saved = services.operations.keep(name, tick=at, edit=edit)
    else:
        saved, at = services.operations.skip(name, tick=at, edit=edit)
    if as_json:
        print_json({**one_as_json(services, services.schedules.listed(name)), "tick": rfc3339(at)})
    else:
        word = "runs after all" if undo else "is skipped"
        click.echo(f"{name}: the tick {local_time(at, saved.when)} {word}")


@click.command("drop-waiting")
@click.argument("name")
@click.option("--tick", metavar="T", help="This tick only; by default every waiting tick.")
@json_option
@click.pass_obj
def drop_waiting(services: Services, /, *, name: str, tick: str | None, as_json: bool) -> None:
    """Drop the waiting ticks of schedule NAME. They are recorded as skipped."""
    now = utc_now()
    at = (
        None
        if tick is None
        else fields.moment(tick, "tick", now=now, zone=clock_of(services, name))
    )
    schedule = services.schedules.get(name)
    dropped = services.waiting.drop(schedule, tick=at, actor=fields.actor(), now=now)
    if as_json:
        print_json({"name": name, "dropped": [waiting_json(waiting) for waiting in dropped]})
    else:
        count = len(dropped)
        click.echo(f"{counted(count, 'tick')} of {name} {plural(count, 'waits', 'wait')} no longer")
