"""`beatdesk outages`: who was away from when to when."""

from datetime import datetime, timedelta

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json, print_table, to_the_second
from scheduler.clock import utc_now
from scheduler.history.queries.outages import OutageView
from scheduler.rules.phrases import counted
from scheduler.services.services import Services

WEEK = timedelta(days=7)


@click.command()
@click.option(
    "--since",
    metavar="T",
    help="Not ended before this time: monday 8:00, or this long ago: 15m, 24h.  [default: 7d]",
)
@click.option(
    "--of",
    type=click.Choice(["beat", "workers", "worker", "recorder", "queue"]),
    help="Outages of one kind only.",
)
@json_option
@click.pass_obj
def outages(services: Services, /, *, since: str | None, of: str | None, as_json: bool) -> None:
    """List who was away: Beat, workers, recorders, and the readers of queues."""
    now = utc_now()
    zone = fields.default_clock(services.settings)
    begin = now - WEEK if since is None else fields.moment(since, "since", now=now, zone=zone)
    found = services.outages.since(begin, of=of)
    if as_json:
        print_json({"items": [outage.model_dump(mode="json") for outage in found]})
        return
    if not found:
        click.echo("no outage")
        return
    print_table(
        ["who", "name", "from", "to", "for", "host"], [_row(outage, now) for outage in found]
    )


def _row(outage: OutageView, now: datetime) -> list[str]:
    seconds = int(((outage.ended_at or now) - outage.began_at).total_seconds())
    return [
        outage.of,
        outage.name,
        to_the_second(outage.began_at),
        "lasts" if outage.ended_at is None else to_the_second(outage.ended_at),
        counted(seconds, "second"),
        outage.host or "-",
    ]
