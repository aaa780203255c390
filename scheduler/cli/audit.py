"""`beatdesk audit`: the access log: who logged in, changed accounts and took data out."""

import json
from datetime import datetime
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json, print_table, to_the_second
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import DataExported
from scheduler.history.access_chain import Head
from scheduler.history.queries.access import KINDS, AccessView
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.terminal_text import visible_json

USUAL = 50
MOST = 1000


@click.group()
def audit() -> None:
    """Who logged in, changed accounts, and took data out; and whether a row is missing."""


def _filters(command: Any) -> Any:
    """Add the options that choose rows."""
    for option in (
        click.option("--until", metavar="T", help="Before this time."),
        click.option("--since", metavar="T", help="From this time on: monday 8:00, 15m, 24h."),
        click.option("--kind", type=click.Choice(KINDS), help="Rows of one kind only."),
        click.option("--person", metavar="NAME", help="What this account did or suffered."),
    ):
        command = option(command)
    return command


@audit.command("list")
@_filters
@click.option("--after", metavar="PLACE", help="The next page: the `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, MOST), default=USUAL, show_default=True)
@json_option
@click.pass_obj
def list_rows(
    services: Services,
    /,
    *,
    person: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the access log, newest first."""
    page = services.access_history.page(
        person=person,
        kind=kind,
        since=_moment(services, since, "since"),
        until=_moment(services, until, "until"),
        after=after,
        limit=limit,
    )
    if as_json:
        items = [row.model_dump(mode="json") for row in page.items]
        print_json({"items": items, "next": page.next})
        return
    print_table(
        ["NUMBER", "AT", "WHAT", "WHO", "OF", "FROM", "DETAIL"], [_cells(row) for row in page.items]
    )
    if page.next is not None:
        click.echo(f"more: --after {page.next}", err=True)


@audit.command()
@_filters
@click.pass_obj
def export(
    services: Services,
    /,
    *,
    person: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
) -> None:
    """Print the access log as JSON, one object a line, oldest first. The export is a row too."""
    rows = services.access_history.rows(
        person=person,
        kind=kind,
        since=_moment(services, since, "since"),
        until=_moment(services, until, "until"),
    )
    services.access_log.record(
        DataExported, actor=fields.actor(), at=utc_now(), subject="access log"
    )
    for row in rows:
        click.echo(visible_json(json.dumps(row.model_dump(mode="json"), ensure_ascii=False)))


@audit.command()
@click.option("--head", metavar="N:DIGEST", help="A head that an earlier call printed.")
@json_option
@click.pass_obj
def verify(services: Services, /, *, head: str | None, as_json: bool) -> None:
    """Compare all rows with their digests, and find what was changed or removed.

    Note the printed head outside of the database, and give it later with --head: then a log that
    was written anew as a whole shows too.
    """
    chain = services.access_history.verify(None if head is None else Head.from_text(head))
    if chain.fault is not None:
        raise Refused(
            f"the access log is not whole: {chain.fault}; compare it with the log lines of the "
            "console and with a backup of the database"
        )
    if as_json:
        print_json({"rows": chain.rows, "head": str(chain.head)})
        return
    click.echo(f"{counted(chain.rows, 'row')}, none missing or changed")
    click.echo(f"head {chain.head}")


def _moment(services: Services, text: str | None, field: str) -> datetime | None:
    zone = fields.default_clock(services.settings)
    return None if text is None else fields.moment(text, field, now=utc_now(), zone=zone)


def _cells(row: AccessView) -> list[str]:
    return [
        str(row.number),
        to_the_second(row.at),
        row.kind,
        row.actor or "-",
        row.subject or "-",
        row.address or "-",
        row.detail or "-",
    ]
