"""`schedules backfill`: runs for past ticks, with the number printed first."""

import sys

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json, print_table
from scheduler.cli.schedules.listing import clock_of, local_time
from scheduler.clock import utc_now
from scheduler.dispatch import backfill as backfills
from scheduler.dispatch.backfill import (
    MOST_RUNS,
    OVERLAPS,
    USUAL,
    Backfill,
    Overlap,
    Started,
)
from scheduler.errors import Refused
from scheduler.interface.published import rfc3339
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted, plural
from scheduler.services.services import Services


@click.command()
@click.argument("name")
@click.option(
    "--from",
    "since",
    required=True,
    metavar="T",
    help="The first tick may be at this time: monday 8:00, or 24h, 7d ago.",
)
@click.option(
    "--to", "until", required=True, metavar="T", help="The last tick is before this time."
)
@click.option(
    "--limit", type=click.IntRange(1, MOST_RUNS), default=USUAL, show_default=True, metavar="N"
)
@click.option(
    "--overlap",
    type=click.Choice(OVERLAPS),
    default=OVERLAPS[0],
    show_default=True,
    help="One after the other, each when no run of the schedule is alive; or all at once.",
)
@click.option("--dry-run", is_flag=True, help="Say which ticks would run, and start nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def backfill(
    services: Services,
    /,
    *,
    name: str,
    since: str,
    until: str,
    limit: int,
    overlap: Overlap,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Start a run of schedule NAME for each of its ticks from T up to T, oldest first.

    A tick with a run gets no second one; `runs rerun` runs it again.
    """
    now = utc_now()
    zone = clock_of(services, name)
    begins = fields.moment(since, "from", now=now, zone=zone)
    ends = fields.moment(until, "to", now=now, zone=zone)
    schedule = services.schedules.get(name)
    calendar, beat = services.schedules.calendar_of(schedule), services.schedules.dealt_with(name)
    found = backfills.plan(
        schedule, begins, ends, limit=limit, now=now, calendar=calendar, beat=beat
    )
    _check_limit(found, dry_run=dry_run)
    if not dry_run and found.ticks:
        services.catalogue.check_call(schedule.job, schedule.args, schedule.kwargs)
        if not yes:
            _ask(found)
    done = Started([], 0)
    if not dry_run:
        done = backfills.start(
            found,
            services.control,
            services.waiting,
            services.existing_runs,
            overlap=overlap,
            actor=fields.actor(),
            now=now,
        )
    _print(schedule, found, done, overlap, dry_run=dry_run, as_json=as_json)


def _print(
    schedule: Schedule,
    found: Backfill,
    done: Started,
    overlap: Overlap,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Print the started runs, or the ticks of a dry run."""
    name = schedule.name
    if as_json:
        ticks = [rfc3339(tick) for tick in found.ticks]
        counts = {
            "count": found.count,
            "ticks": ticks,
            "runs": done.runs,
            "known": done.known,
            "left": found.left,
        }
        print_json({"name": name, **counts})
    elif dry_run:
        click.echo(f"{_runs(found.count)} of {name} would start{_left(found.left)}")
        print_table(
            ["TICK", "UTC"],
            [[local_time(tick, schedule.when), rfc3339(tick) or ""] for tick in found.ticks],
        )
    else:
        how = "wait for their turn" if overlap == "queue_all" else "started"
        repeated = (
            f", {counted(done.known, 'tick has', 'ticks have')} a run already" if done.known else ""
        )
        click.echo(
            f"{_runs(len(done.runs))} of {name} {how}{repeated}{_left(found.left)}; see: beatdesk "
            f"schedules history {name}"
        )


def _check_limit(found: Backfill, *, dry_run: bool) -> None:
    """Raise a refusal for more ticks than the limit, before any run starts."""
    if not dry_run and found.count > len(found.ticks):
        raise Refused(
            f"limit: there are {found.count} ticks in that time, {len(found.ticks)} may start; "
            f"give a greater --limit (up to {MOST_RUNS}), or backfill in parts",
            field="limit",
        )


def _ask(found: Backfill) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            f"yes: starting {_runs(found.count)} needs a yes; without a terminal add --yes",
            field="yes",
        )
    if not click.confirm(f"Start {_runs(found.count)} of {found.schedule.name}?", err=True):
        raise Refused("yes: nothing was started, because the answer was no", field="yes")


def _left(count: int) -> str:
    """Return a sentence about the ticks left to Beat."""
    if not count:
        return ""
    ticks, them = counted(count, "tick is", "ticks are"), plural(count, "it", "them")
    return f"; {ticks} left to Beat, which has not dealt with {them} yet"


def _runs(count: int) -> str:
    return counted(count, "run")
