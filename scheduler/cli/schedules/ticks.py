"""`schedules next` and `schedules preview`: coming ticks, computed by Beat's own code."""

from datetime import datetime
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json, print_table
from scheduler.cli.schedules import definition, rule
from scheduler.cli.schedules.listing import clock_of, local_time
from scheduler.clock import utc_now
from scheduler.interface.published import rfc3339
from scheduler.rules.explain.preview import Preview, preview
from scheduler.rules.explain.warnings import Facts, warnings
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import IntervalWhen, Schedule, When
from scheduler.rules.policies.window import live_next_tick
from scheduler.rules.time import zones
from scheduler.rules.time.typed import Zone
from scheduler.schedules.raw_entry import ScheduleRow
from scheduler.services.services import Services

count_option = click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="How many ticks.",
)
from_option = click.option(
    "--from", "start", metavar="T", help="Ticks after this time; by default now."
)


@click.command("next")
@click.argument("name")
@count_option
@from_option
@json_option
@click.pass_obj
def next_ticks(
    services: Services, /, *, name: str, count: int, start: str | None, as_json: bool
) -> None:
    """Show the next ticks of schedule NAME."""
    after = _after(start, utc_now(), clock_of(services, name))
    schedule, listed = services.schedules.get(name), services.schedules.listed(name)
    if (
        isinstance(schedule.when, IntervalWhen) and schedule.when.anchor is None
    ):  # written by plain RedBeat code
        anchor = listed.last_run_at or after
        schedule = schedule.model_copy(
            update={"when": schedule.when.model_copy(update={"anchor": anchor})}
        )
    when, upcoming = schedule.when, _upcoming(schedule, after, count, listed)
    if not schedule.enabled:
        click.echo(
            f"{name} is disabled: none of these will run until `beatdesk schedules enable {name}`",
            err=True,
        )
    named = schedule.window.calendar
    calendars = {} if named is None or listed.calendar is None else {named: listed.calendar}
    coming = Preview(
        describe(when), upcoming, warnings(schedule, after, Facts(calendars=calendars))
    )
    _print(when, coming, as_json=as_json)


@click.command("preview")
@definition.when_options
@count_option
@from_option
@json_option
@click.pass_obj
def preview_rule(
    services: Services, /, *, count: int, start: str | None, as_json: bool, **given: Any
) -> None:
    """Show what a rule means, in words and ticks, before anything is saved."""
    now = utc_now()
    zone = given.get("tz") or services.settings.default_timezone
    after = _after(start, now, lambda: zones.zone(zone))
    when = rule.new_when(default_zone=services.settings.default_timezone, now=now, **given)
    _print(when, preview(when, after.replace(microsecond=0), count), as_json=as_json)


def _upcoming(
    schedule: Schedule, after: datetime, count: int, listed: ScheduleRow
) -> list[datetime]:
    """Return the next ticks that will run.

    Ticks outside window and calendar, during a pause, or skipped by an operator are left out.
    """
    enabled = schedule.model_copy(update={"enabled": True})
    ticks: list[datetime] = []
    while len(ticks) < count and not listed.lacks_calendar:
        tick = live_next_tick(
            enabled, after, runs=listed.runs + len(ticks), calendar=listed.calendar
        )
        if tick is None:
            break
        ticks.append(tick)
        after = tick
    return ticks


def _after(start: str | None, now: datetime, zone: Zone) -> datetime:
    return now if start is None else fields.moment_ahead(start, "from", now=now, zone=zone)


def _print(when: When, coming: Preview, *, as_json: bool) -> None:
    if as_json:
        upcoming = [rfc3339(tick) for tick in coming.ticks]
        print_json({"words": coming.words, "ticks": upcoming, "warnings": coming.warnings})
        return
    click.echo(coming.words)
    print_table(
        ["TICK", "UTC"], [[local_time(tick, when), rfc3339(tick) or ""] for tick in coming.ticks]
    )
    for warning in coming.warnings:
        click.echo(f"warning: {warning}", err=True)
