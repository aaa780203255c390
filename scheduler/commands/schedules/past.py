"""`schedules history` and `schedules revisions`: what ran, and who changed what; from SQL."""

import click

from scheduler.commands.output import json_option, print_json, print_table
from scheduler.commands.runs import limit_options, say_page, to_the_second
from scheduler.errors import NotFound
from scheduler.history.views import RunFilter
from scheduler.wiring import Desk


@click.command()
@click.argument("name")
@limit_options
@json_option
@click.pass_obj
def history(desk: Desk, /, *, name: str, limit: int, after: str | None, as_json: bool) -> None:
    """Show the runs of schedule NAME, newest first."""
    uid = _uid(desk, name)
    wanted = RunFilter(schedule=name) if uid is None else RunFilter(schedule_uid=uid)
    page = desk.history.runs(wanted, after=after, limit=limit)
    if uid is None and not page.items:
        raise NotFound(
            f"name: there is no schedule {name!r}, nor any run of one; `beatdesk schedules list` shows all",
            field="name",
        )
    say_page(page, as_json=as_json)


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def revisions(desk: Desk, /, *, name: str, as_json: bool) -> None:
    """Show who changed schedule NAME, when and why, newest first."""
    schedule = desk.schedules.get(name)
    saved = desk.history.revisions(schedule.uid)
    if as_json:
        print_json({"items": [item.model_dump(mode="json") for item in saved], "next": None})
        return
    print_table(
        ["REVISION", "AT", "WHAT", "BY", "COMMENT"],
        [[str(item.revision), to_the_second(item.at), item.action, item.actor, item.comment] for item in saved],
    )


def _uid(desk: Desk, name: str) -> str | None:
    try:
        return desk.schedules.get(name).uid
    except NotFound:
        return None
