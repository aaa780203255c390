"""`schedules move-waiting`: runs that wait in a queue other than the schedule's go to its queue."""

import sys

import click

from scheduler.cli.output import json_option, print_json
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted
from scheduler.services.services import Services


@click.command("move-waiting")
@click.argument("name")
@click.option("--from", "source", metavar="QUEUE", help="Only what waits in this queue.")
@json_option
@click.pass_obj
def move_waiting(services: Services, /, *, name: str, source: str | None, as_json: bool) -> None:
    """Move the waiting runs of schedule NAME to its present queue, but for what a worker has."""
    schedule = services.schedules.get(name)
    queue = services.queue_of(schedule)
    count = services.message_moves.move(schedule.uid, queue, utc_now(), source)
    if as_json:
        print_json({"name": name, "queue": queue, "moved": count})
    else:
        click.echo(f"{counted(count, 'waiting run')} of {name} moved to the queue {queue}")


def after_edit(services: Services, schedule: Schedule, *, sure: bool) -> None:
    """Offer to move what waits in the old queue, or move it where that is `sure`.

    The edit is saved: a broker that does not answer is reported, and does not fail the edit.
    """
    queue = services.queue_of(schedule)
    try:
        waiting = services.message_moves.waiting(schedule.uid, queue)
    except BeatdeskError as error:
        click.echo(f"beatdesk: whether runs wait in the old queue is not known: {error}", err=True)
        return
    if not waiting:
        return
    count = sum(waiting.values())
    places = ", ".join(sorted(waiting))
    if not sure and sys.stdin.isatty():
        sure = click.confirm(
            f"{counted(count, 'run')} of it in {places}. Move to {queue}?", err=True
        )
    if not sure:
        click.echo(
            f"beatdesk: {counted(count, 'run')} of {schedule.name} still in {places}; to move: "
            f"beatdesk schedules move-waiting {schedule.name}",
            err=True,
        )
        return
    moved = services.message_moves.move(schedule.uid, queue, utc_now())
    click.echo(f"{counted(moved, 'waiting run')} moved to the queue {queue}", err=True)
