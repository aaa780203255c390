"""`beatdesk db`: the steps of the history's tables."""

import click
from redis.exceptions import RedisError

from scheduler.cli.output import json_option, print_json
from scheduler.services.services import Services
from scheduler.storage.availability import answering


@click.group()
def db() -> None:
    """Build and change the tables of the history."""


@db.command()
@json_option
@click.pass_obj
def upgrade(services: Services, as_json: bool) -> None:
    """Bring the database to the newest step; make a missing database. A second call changes
    nothing.
    """
    from scheduler.history import identity, schema_version

    try:
        identity.refuse_new_tables(services.engine, services.redis)
    except RedisError as error:
        click.echo(f"not compared with the history that Redis remembers: {error}", err=True)
    schema_version.upgrade(services.engine)
    _say(services, as_json)


@db.command()
@json_option
@click.pass_obj
def adopt(services: Services, as_json: bool) -> None:
    """Make this database the history from now on, instead of the one that was recorded into
    before; make its tables where missing.
    """
    from scheduler.history import identity, schema_version

    with answering():
        schema_version.upgrade(services.engine)
        identity.adopt(services.engine, services.redis)
    _say(services, as_json)


@db.command()
@click.argument("step")
@json_option
@click.pass_obj
def downgrade(services: Services, step: str, as_json: bool) -> None:
    """Take the database back to STEP (`base`: no tables, and no data, at all)."""
    from scheduler.history import schema_version

    schema_version.downgrade(services.engine, step)
    _say(services, as_json)


@db.command()
@json_option
@click.pass_obj
def current(services: Services, as_json: bool) -> None:
    """Show the step of the database, and the newest step."""
    _say(services, as_json)


def _say(services: Services, as_json: bool) -> None:
    from scheduler.history import schema_version

    step, newest = schema_version.current(services.engine), schema_version.head()
    if as_json:
        print_json({"current": step, "newest": newest, "is_current": step == newest})
        return
    place = "the newest step" if step == newest else f"run `beatdesk db upgrade` for {newest}"
    click.echo(f"the database is at {step or 'no step, it has no tables'} ({place})")
