"""`schedules bulk …`: one edit of many schedules, chosen by names or filters; all or nothing.

`resume` is the exception: schedules are resumed one by one, because the ticks of each pause get a
verdict at once.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, get_args

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.cli.schedules.changes import comment_option
from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, UnreadableEntry
from scheduler.rules.phrases import counted
from scheduler.schedules import edits, operations
from scheduler.schedules.edits import Decide
from scheduler.schedules.filters import Filter, State
from scheduler.services.services import Services

Command = Callable[..., Any]

CHOOSING = (
    click.argument("names", nargs=-1, metavar="[NAME]…"),
    click.option(
        "--search", default="", metavar="TEXT", help="Schedules with this text in their name."
    ),
    click.option(
        "--state",
        type=click.Choice(get_args(State)),
        default="all",
        help="Schedules in this state.",
    ),
    click.option("--job", default="", metavar="JOB", help="Schedules of this job."),
    click.option("--with-tag", default="", metavar="TAG", help="Schedules with this tag."),
    click.option("--all", "everything", is_flag=True, help="All schedules."),
)


@click.group()
def bulk() -> None:
    """Edit many schedules at once: all chosen ones, or, after a refusal, none."""


def choosing(command: Command) -> Command:
    """Add the arguments that choose schedules to a command."""
    for option in reversed(CHOOSING):
        command = option(command)
    return command


@bulk.command()
@choosing
@click.option("--add", multiple=True, metavar="TAG", help="May be given again.")
@click.option("--remove", multiple=True, metavar="TAG", help="May be given again.")
@comment_option
@json_option
@click.pass_obj
def tag(
    services: Services,
    /,
    *,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    comment: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Put tags on schedules, and take others off."""
    if not add and not remove:
        raise click.UsageError("name a tag with --add or --remove")
    now = utc_now()
    calls = services.schedules.bulk.calls(now)
    decide = edits.tagging(add, remove, calls, edit=fields.edit(now=now, comment=comment))
    _change(services, chosen, decide, "tagged", as_json=as_json)


@bulk.command()
@choosing
@click.option("--to", "target", required=True, metavar="QUEUE", help="Empty for the job's own.")
@comment_option
@json_option
@click.pass_obj
def queue(
    services: Services, /, *, target: str, comment: str, as_json: bool, **chosen: Any
) -> None:
    """Send the runs of schedules to another queue. On a static entry this is an override."""
    now = utc_now()
    calls = services.schedules.bulk.calls(now)
    decide = edits.queueing(target or None, calls, edit=fields.edit(now=now, comment=comment))
    _change(services, chosen, decide, "moved", as_json=as_json)


@bulk.command()
@choosing
@comment_option
@json_option
@click.pass_obj
def enable(services: Services, /, *, comment: str, as_json: bool, **chosen: Any) -> None:
    """Switch schedules on. Missed ticks are not run."""
    decide = edits.switching(True, edit=fields.edit(now=utc_now(), comment=comment))
    _change(services, chosen, decide, "enabled", as_json=as_json)


@bulk.command()
@choosing
@comment_option
@json_option
@click.pass_obj
def disable(services: Services, /, *, comment: str, as_json: bool, **chosen: Any) -> None:
    """Switch schedules off. The schedules stay, with their history."""
    decide = edits.switching(False, edit=fields.edit(now=utc_now(), comment=comment))
    _change(services, chosen, decide, "disabled", as_json=as_json)


@bulk.command()
@choosing
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why; shown with each paused schedule."
)
@click.option(
    "--until",
    metavar="T",
    help="The pauses end at this time: monday 8:00, or 90s, 24h, 7d from now.",
)
@json_option
@click.pass_obj
def pause(
    services: Services, /, *, reason: str, until: str | None, as_json: bool, **chosen: Any
) -> None:
    """Let nothing of schedules fire until they are resumed."""
    now = utc_now()
    zone = fields.default_clock(services.settings)
    ends = None if until is None else fields.moment_ahead(until, "until", now=now, zone=zone)
    decide = operations.pausing(reason=reason, until=ends, edit=fields.edit(now=now))
    _change(services, chosen, decide, "paused", as_json=as_json)


@bulk.command()
@choosing
@comment_option
@json_option
@click.pass_obj
def resume(services: Services, /, *, comment: str, as_json: bool, **chosen: Any) -> None:
    """End pauses, one after the other. Ticks of a pause are skipped; `schedules resume --missed`
    runs them.
    """
    now = utc_now()
    done: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for name in _names(services, chosen):
        try:
            saved = services.operations.resume(
                name, edit=fields.edit(now=now, comment=comment)
            ).schedule
        except (Refused, NotFound, UnreadableEntry) as error:
            refused[name] = str(error)
        else:
            done.append({"name": name, "outcome": "resumed", "revision": saved.revision})
    _say(done, as_json=as_json)
    if refused:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise Refused(f"{len(refused)} were not resumed: {reasons}", field="name")


@bulk.command()
@choosing
@comment_option
@json_option
@click.pass_obj
def adopt(services: Services, /, *, comment: str, as_json: bool, **chosen: Any) -> None:
    """Make entries of plain RedBeat code operators'. They fire as before."""
    decide = edits.adopting(edit=fields.edit(now=utc_now(), comment=comment))
    _change(services, chosen, decide, "adopted", as_json=as_json)


@bulk.command()
@choosing
@click.option("--yes", is_flag=True, help="Do not ask.")
@comment_option
@json_option
@click.pass_obj
def delete(services: Services, /, *, yes: bool, comment: str, as_json: bool, **chosen: Any) -> None:
    """Delete schedules. Their runs and revisions stay in the history."""
    names = _names(services, chosen)
    if not yes:
        _ask(names)
    decide = edits.deleting(edit=fields.edit(now=utc_now(), comment=comment))
    done = services.schedules.bulk.change(names, decide)
    _say(
        [{"name": one.schedule.name, "outcome": "deleted", "revision": None} for one in done],
        as_json=as_json,
    )


def _ask(names: Sequence[str]) -> None:
    what = counted(len(names), "schedule")
    if not sys.stdin.isatty():
        raise Refused(
            f"yes: deleting {what} needs a yes; without a terminal add --yes",
            field="yes",
        )
    if not click.confirm(
        f"Delete {what}: {', '.join(names)}? Their runs stay in the history.", err=True
    ):
        raise Refused("yes: nothing was deleted, because the answer was no", field="yes")


def _change(
    services: Services, chosen: dict[str, Any], decide: Decide, what: str, *, as_json: bool
) -> None:
    done = services.schedules.bulk.change(_names(services, chosen), decide)
    items = [
        {
            "name": one.schedule.name,
            "outcome": what if one.changed else "unchanged",
            "revision": one.schedule.revision,
        }
        for one in done
    ]
    _say(items, as_json=as_json)


def _names(services: Services, chosen: dict[str, Any]) -> list[str]:
    """Return the names of the chosen schedules.

    Raises UsageError where no schedule is chosen, or all without `--all`.
    """
    names: list[str] = list(chosen["names"])
    filters = Filter(chosen["state"], chosen["job"], chosen["with_tag"], utc_now())
    filtered = bool(chosen["search"]) or not filters.is_open
    if sum((bool(names), filtered, chosen["everything"])) != 1:
        raise click.UsageError(
            "name schedules, or choose them by --search, --state, --job and --with-tag, or give "
            "--all"
        )
    return names or services.schedules.bulk.names(filters, chosen["search"])


def _say(items: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": items, "next": None})
        return
    for one in items:
        revision = "" if one["revision"] is None else f", revision {one['revision']}"
        click.echo(f"{one['name']} {one['outcome']}{revision}")
    if not items:
        click.echo("no schedule is chosen by these filters")
