"""`schedules rebuild`: restore lost schedules in Redis by hand.

A running recorder restores lost schedules within seconds.
"""

import click

from scheduler.cli.output import json_option, print_json, print_table
from scheduler.clock import utc_now
from scheduler.healing.repair import PLANNED
from scheduler.services.services import Services


@click.command()
@click.option("--dry-run", is_flag=True, help="Show the changes, and make none.")
@json_option
@click.pass_obj
def rebuild(services: Services, /, *, dry_run: bool, as_json: bool) -> None:
    """Repair the schedules and calendars in Redis from the history, and add missing events to the
    history.

    Lost, outdated and damaged schedules come back in their last saved form; edits and deletions
    stand.
    """
    healer = services.healer()
    if dry_run:
        rows = [(one.name, one.planned, one.why) for one in healer.calendar_findings()]
        rows += [
            (one.stored.name, PLANNED[one.verdict.what], one.verdict.why)
            for one in healer.findings()
        ]
    else:
        now = utc_now()
        rows = [(one.name, one.done, one.why) for one in healer.run_once(now)]
        healer.remind(now)
    if as_json:
        items = [{"name": name, "action": action, "reason": why} for name, action, why in rows]
        print_json({"dry_run": dry_run, "items": items})
    elif rows:
        print_table(["NAME", "PLANNED" if dry_run else "DONE", "WHY"], rows)
    else:
        click.echo(
            "nothing to repair: Redis holds every schedule and every calendar as it was saved",
            err=True,
        )
