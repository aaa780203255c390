"""`schedules add | edit | enable | disable | delete`: one change, one revision by `cli:<user>`."""

import sys
from datetime import datetime
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.cli.schedules import definition, moving, policies, rule
from scheduler.cli.schedules.listing import one_as_json, say_unread
from scheduler.cli.schedules.options import Clock
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import (
    Policies,
    Schedule,
    When,
    Window,
)
from scheduler.rules.time.typed import clock_zone
from scheduler.services.services import Services


@click.command()
@click.argument("name")
@click.argument("job")
@definition.when_options
@definition.policy_options
@definition.what_options
@click.option("--disabled", is_flag=True, help="Save the schedule switched off.")
@json_option
@click.pass_obj
def add(
    services: Services,
    /,
    *,
    name: str,
    job: str,
    disabled: bool,
    as_json: bool,
    comment: str,
    **given: Any,
) -> None:
    """Make a schedule NAME that runs JOB."""
    now = utc_now()
    options = {key: given[key] for key in rule.NAMES}
    when = rule.new_when(default_zone=services.settings.default_timezone, now=now, **options)
    values = definition.named_fields(given) | policies.named(
        given, Policies(), Window(), _clock(services, when, now)
    )
    spec = definition.spec_of(
        {**values, "name": name, "job": job, "when": when, "enabled": not disabled}
    )
    saved = services.schedules.create(spec, edit=fields.edit(now=now, comment=comment))
    print_saved(services, saved, "made", as_json=as_json)


def _clock(services: Services, when: When, now: datetime) -> Clock:
    """Return the clock for the start and the end of a schedule: `now` and the rule's zone."""
    return Clock(now, lambda: clock_zone(when, services.settings.default_timezone))


@click.command()
@click.argument("name")
@click.option("--job", metavar="JOB", help="The job to run.")
@definition.when_options
@definition.policy_options
@definition.what_options
@click.option(
    "--revision",
    type=int,
    metavar="N",
    help="Refuse if the schedule is not at this revision any more.",
)
@click.option(
    "--move-waiting/--leave-waiting",
    default=None,
    help="With --queue: move the runs that wait in the old queue, or leave them there, without "
    "asking.",
)
@json_option
@click.pass_obj
def edit(
    services: Services,
    /,
    *,
    name: str,
    revision: int | None,
    move_waiting: bool | None,
    as_json: bool,
    comment: str,
    **given: Any,
) -> None:
    """Change the named fields of schedule NAME, and no others."""
    now = utc_now()
    options = {key: given[key] for key in rule.NAMES}
    named = definition.named_fields(given)
    if not named and all(given[key] is None for key in (*rule.NAMES, *policies.NAMES)):
        raise click.UsageError("name at least one field to change")
    old = services.schedules.get(name)
    when = rule.edited_when(
        old.when, default_zone=services.settings.default_timezone, now=now, **options
    )
    named |= policies.named(given, old.policies, old.window, _clock(services, when, now))
    spec = definition.spec_of({**dict(old.spec()), "when": when, **named})
    saved = services.schedules.edit(
        name,
        spec,
        revision=old.revision if revision is None else revision,
        edit=fields.edit(now=now, comment=comment),
    )
    print_saved(services, saved, "saved", as_json=as_json)
    if saved.queue != old.queue and move_waiting is not False:
        moving.after_edit(services, saved, sure=bool(move_waiting))


def _switch(
    services: Services,
    name: str,
    *,
    enabled: bool,
    revision: int | None,
    comment: str,
    as_json: bool,
) -> None:
    saved = services.schedules.set_enabled(
        name, enabled, revision=revision, edit=fields.edit(now=utc_now(), comment=comment)
    )
    print_saved(services, saved, "enabled" if enabled else "disabled", as_json=as_json)


revision_option = click.option(
    "--revision", type=int, metavar="N", help="Refuse if it is at another revision."
)
comment_option = click.option(
    "--comment", default="", metavar="TEXT", help="Why; kept with the revision."
)


@click.command()
@click.argument("name")
@revision_option
@comment_option
@json_option
@click.pass_obj
def enable(
    services: Services, /, *, name: str, revision: int | None, comment: str, as_json: bool
) -> None:
    """Switch schedule NAME on. Missed ticks are not run."""
    _switch(services, name, enabled=True, revision=revision, comment=comment, as_json=as_json)


@click.command()
@click.argument("name")
@revision_option
@comment_option
@json_option
@click.pass_obj
def disable(
    services: Services, /, *, name: str, revision: int | None, comment: str, as_json: bool
) -> None:
    """Switch schedule NAME off. The schedule stays, with its history."""
    _switch(services, name, enabled=False, revision=revision, comment=comment, as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@revision_option
@comment_option
@json_option
@click.pass_obj
def delete(
    services: Services,
    /,
    *,
    name: str,
    yes: bool,
    revision: int | None,
    comment: str,
    as_json: bool,
) -> None:
    """Delete schedule NAME. Its runs and revisions stay in the history."""
    expected = revision_or_read(services, name, revision)
    if not yes:
        _ask(name)
    services.schedules.delete(
        name, revision=expected, edit=fields.edit(now=utc_now(), comment=comment)
    )
    if as_json:
        print_json({"name": name, "deleted": True})
    else:
        click.echo(f"{name} deleted")


def revision_or_read(services: Services, name: str, given: int | None) -> int | None:
    """Return the revision given, or else the one stored now: an edit between this reading and the
    change is refused. None for an entry that cannot be read. Raises NotFound.
    """
    schedule = services.schedules.listed(name).schedule
    return given if given is not None or schedule is None else schedule.revision


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            f"yes: deleting {name!r} needs a yes; without a terminal add --yes",
            field="yes",
        )
    if not click.confirm(f"Delete {name}? Its runs stay in the history.", err=True):
        raise Refused(f"yes: {name!r} was not deleted, because the answer was no", field="yes")


def print_saved(services: Services, saved: Schedule, what: str, *, as_json: bool) -> None:
    """Print a schedule as it was saved, and a remedy where no worker reads its queue."""
    say_unread(services, saved, utc_now())
    if as_json:
        print_json(one_as_json(services, services.schedules.listed(saved.name)))
    else:
        click.echo(f"{saved.name} {what}, revision {saved.revision}: {describe(saved.when)}")
