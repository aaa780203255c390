"""`beatdesk status`: the state of all processes and servers, in a few lines."""

import sys

import click

from scheduler.cli.output import json_option, print_json, print_table
from scheduler.clock import utc_now
from scheduler.services.services import Services

SQL_SECONDS = 2.5
"""Seconds for the answers of the database; with those of Redis the state is there within 5 s."""


@click.command()
@json_option
@click.pass_obj
def status(services: Services, as_json: bool) -> None:
    """Show the state of Beat, workers, recorder, Redis and SQL. Exit code 1 if one is not well."""
    from scheduler.health import status as health
    from scheduler.health.sql_in_time import sql_part_within

    answer = health.status(services, utc_now(), read_sql=sql_part_within(SQL_SECONDS))
    if as_json:
        print_json(answer)
    else:
        print_table(
            ["PART", "STATE", "SUMMARY"],
            [[x.name, "ok" if x.ok else "NOT WELL", x.summary] for x in answer.parts],
        )
        for part in answer.parts:
            if not part.ok:
                click.echo(f"{part.name}: {part.remedy}", err=True)
    sys.exit(0 if answer.ok else 1)
