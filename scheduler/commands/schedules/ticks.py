"""`schedules next` and `schedules preview`: coming ticks, from the code that fires them."""

from datetime import datetime
from typing import Any

import click

from scheduler.clock import utc_now
from scheduler.commands import fields
from scheduler.commands.output import json_option, print_json, print_table
from scheduler.commands.schedules import definition
from scheduler.commands.schedules.listing import local_time
from scheduler.published import rfc3339
from scheduler.rules import ticks
from scheduler.rules.preview import Preview, preview, warnings
from scheduler.rules.spec import When
from scheduler.rules.words import describe
from scheduler.wiring import Desk

count_option = click.option(
    "-n", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many ticks."
)
from_option = click.option("--from", "start", metavar="T", help="Ticks after this time; now without it.")


@click.command("next")
@click.argument("name")
@count_option
@from_option
@json_option
@click.pass_obj
def next_ticks(desk: Desk, /, *, name: str, count: int, start: str | None, as_json: bool) -> None:
    """Show the next ticks of schedule NAME."""
    after = _after(start, utc_now())
    schedule = desk.schedules.get(name)
    when = schedule.when
    if not schedule.enabled:
        click.echo(f"{name} is disabled: none of these will run until `beatdesk schedules enable {name}`", err=True)
    coming = Preview(describe(when), ticks.next_ticks(when, after, count), warnings(when, after))
    _print(when, coming, as_json=as_json)


@click.command("preview")
@definition.when_options
@count_option
@from_option
@json_option
@click.pass_obj
def preview_rule(desk: Desk, /, *, count: int, start: str | None, as_json: bool, **given: Any) -> None:
    """Show what a rule means, in words and ticks, before anything is saved."""
    after = _after(start, utc_now())
    when = definition.new_when(default_zone=desk.settings.default_timezone, **given)
    _print(when, preview(when, after.replace(microsecond=0), count), as_json=as_json)


def _after(start: str | None, now: datetime) -> datetime:
    return now if start is None else fields.instant(start, "from")


def _print(when: When, coming: Preview, *, as_json: bool) -> None:
    if as_json:
        upcoming = [rfc3339(tick) for tick in coming.ticks]
        print_json({"words": coming.words, "ticks": upcoming, "warnings": coming.warnings})
        return
    click.echo(coming.words)
    print_table(["TICK", "UTC"], [[local_time(tick, when), rfc3339(tick) or ""] for tick in coming.ticks])
    for warning in coming.warnings:
        click.echo(f"warning: {warning}", err=True)
