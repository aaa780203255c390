"""Deleted schedules, for `schedules list --deleted` and `schedules restore`."""

import click

from scheduler.cli.output import print_json, print_table, to_the_second
from scheduler.errors import NotFound, UnreadableEntry
from scheduler.history.queries.views import RevisionView
from scheduler.interface.published import revision_json
from scheduler.services.services import Services

USUAL = 50


def list_deleted(
    services: Services, *, after: str | None, limit: int | None, as_json: bool
) -> None:
    """Print a page of deleted schedules, newest deletion first."""
    page = services.history.deleted(after, limit or USUAL)
    if as_json:
        print_json({"items": [revision_json(item) for item in page.items], "next": page.next})
        return
    print_table(
        ["NAME", "DELETED", "BY", "REVISION", "COMMENT"],
        [
            [item.name, to_the_second(item.at), item.actor, str(item.revision - 1), item.comment]
            for item in page.items
        ],
    )
    if page.next is not None:
        click.echo(f"more: --after {page.next}", err=True)


def deletion_of(services: Services, name: str) -> RevisionView | None:
    """Return the deletion of the schedule `name`; None for an existing or unknown schedule."""
    try:
        services.schedules.get(name)
    except NotFound:
        return services.history.deleted_as(name)
    except UnreadableEntry:
        return None
    return None
