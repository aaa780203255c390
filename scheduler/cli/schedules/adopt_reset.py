"""`schedules reset | adopt`: hand a schedule back to code, or over to an operator."""

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option
from scheduler.cli.schedules.changes import (
    comment_option,
    print_saved,
    revision_option,
    revision_or_read,
)
from scheduler.clock import utc_now
from scheduler.services.services import Services


@click.command()
@click.argument("name")
@revision_option
@comment_option
@json_option
@click.pass_obj
def reset(
    services: Services, /, *, name: str, revision: int | None, comment: str, as_json: bool
) -> None:
    """Take the override off schedule NAME, and return to the values of the code (beat_schedule).

    A pause and the switch stay, and so do owner, tags, description and notes.
    """
    saved = services.schedules.reset(
        name,
        revision=revision_or_read(services, name, revision),
        edit=fields.edit(now=utc_now(), comment=comment),
    )
    print_saved(services, saved, "is as code says", as_json=as_json)


@click.command()
@click.argument("name")
@revision_option
@comment_option
@json_option
@click.pass_obj
def adopt(
    services: Services, /, *, name: str, revision: int | None, comment: str, as_json: bool
) -> None:
    """Make schedule NAME, written by plain RedBeat code, an operator's.

    The schedule fires as before: id, next run and RedBeat's policies stay until an edit (runs may
    overlap; after an outage the newest tick runs, however late). An edit alone does not adopt an
    entry.
    """
    saved = services.schedules.adopt(
        name,
        revision=revision_or_read(services, name, revision),
        edit=fields.edit(now=utc_now(), comment=comment),
    )
    print_saved(services, saved, "is an operator's", as_json=as_json)
