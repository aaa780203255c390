"""`beatdesk dead-letters`: list, show, retry and drop events missing from the history."""

import sys
from collections.abc import Callable
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import (
    json_option,
    print_facts,
    print_json,
    print_table,
    to_the_second,
)
from scheduler.cli.runs import limit_options
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.terminal_text import visible

SHORT = 60
"""Most characters of a reason in the table."""

comment_option = click.option(
    "--comment", default="", metavar="TEXT", help="Why; recorded in the history."
)


def letter_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments for a choice of letters: ids, or `--all`."""
    command = click.option("--all", "everything", is_flag=True, help="All present dead letters.")(
        command
    )
    return click.argument("letters", metavar="[ID]...", nargs=-1)(command)


@click.group("dead-letters")
def dead_letters() -> None:
    """Events that could not be recorded, and are missing from the history."""


@dead_letters.command("list")
@limit_options
@json_option
@click.pass_obj
def list_letters(services: Services, /, *, limit: int, after: str | None, as_json: bool) -> None:
    """List the dead letters, newest first."""
    from scheduler.events.letter_text import content_of, error_of, letter_json

    page = services.dead_letters.page(after, limit)
    if as_json:
        print_json({"items": [letter_json(letter) for letter in page.items], "next": page.next})
        return
    rows = []
    for letter in page.items:
        content = content_of(letter)
        reason = error_of(letter).partition("\n")[0]
        tries = "-" if letter.tries is None else str(letter.tries)
        rows.append(
            [
                letter.id,
                to_the_second(letter.at),
                content.kind or "-",
                content.about or "-",
                tries,
                reason if len(reason) <= SHORT else reason[: SHORT - 1] + "…",
            ]
        )
    print_table(["ID", "SET ASIDE", "KIND", "ABOUT", "TRIES", "WHY"], rows)
    if page.next is not None:
        click.echo(f"more: --after {page.next}", err=True)


@dead_letters.command()
@click.argument("letter", metavar="ID")
@json_option
@click.pass_obj
def show(services: Services, /, *, letter: str, as_json: bool) -> None:
    """Show dead letter ID: why and when, how often it was tried, and the event itself. Secrets are
    hidden.
    """
    from scheduler.events.letter_text import letter_json

    body = letter_json(services.dead_letters.get(letter), whole=True)
    if as_json:
        print_json(body)
        return
    given = body["tries"]
    print_facts(
        [
            ("id", body["id"]),
            ("set aside", body["at"]),
            ("kind", body["kind"] or "-"),
            ("about", body["about"] or "-"),
            ("event of", body["event_at"] or "-"),
            ("tries", "not known" if given is None else str(given)),
            ("retries", str(body["retries"])),
            ("entry", body["entry"]),
            ("first entry", body["first_entry"]),
            ("why", body["error"]),
        ]
    )
    for name, text in body["fields"].items():
        click.echo(f"\n{visible(name)}:")
        click.echo("\n".join(visible(line) for line in text.splitlines()))


@dead_letters.command()
@letter_arguments
@comment_option
@json_option
@click.pass_obj
def retry(
    services: Services,
    /,
    *,
    letters: tuple[str, ...],
    everything: bool,
    comment: str,
    as_json: bool,
) -> None:
    """Send dead letters ID... back to the recorder. A second failure makes a new dead letter."""
    _check(letters, everything)
    store, edit = services.dead_letters, fields.edit(now=utc_now(), comment=comment)
    if everything:
        newest = store.newest()
        _say("retried", 0 if newest is None else store.retry_all(newest, edit), [], as_json=as_json)
        return
    outcome = store.retry(letters, edit)
    _say("retried", len(outcome.done), outcome.gone, as_json=as_json)


@dead_letters.command()
@letter_arguments
@click.option("--yes", is_flag=True, help="Do not ask.")
@comment_option
@json_option
@click.pass_obj
def drop(
    services: Services,
    /,
    *,
    letters: tuple[str, ...],
    everything: bool,
    yes: bool,
    comment: str,
    as_json: bool,
) -> None:
    """Delete dead letters ID... for good. The history never gets the events, but records who
    dropped them.
    """
    _check(letters, everything)
    store = services.dead_letters
    newest = store.newest() if everything else None
    if not yes and sys.stdin.isatty():
        what = (
            f"all {store.count()} dead letters"
            if everything
            else f"dead letters: {', '.join(letters)}"
        )
        click.confirm(f"Drop {what}? The history will never have these events.", abort=True)
    elif not yes:
        raise Refused("yes: dropping needs a yes; without a terminal add --yes", field="yes")
    edit = fields.edit(now=utc_now(), comment=comment)
    if everything:
        _say("dropped", 0 if newest is None else store.drop_all(newest, edit), [], as_json=as_json)
        return
    outcome = store.drop(letters, edit)
    _say("dropped", len(outcome.done), outcome.gone, as_json=as_json)


def _check(letters: tuple[str, ...], everything: bool) -> None:
    """Raise UsageError unless either ids or `--all` are given."""
    if everything == bool(letters):
        raise click.UsageError(
            "give the IDs of dead letters, or --all; `beatdesk dead-letters list` shows them"
        )


def _say(action: str, count: int, gone: list[str], *, as_json: bool) -> None:
    """Print the outcome of a retry or drop.

    Missing letters do not count as a failure: another operator was quicker.
    """
    if as_json:
        print_json({action: count, "gone": gone})
        return
    click.echo(f"{counted(count, 'dead letter')} {action}")
    for letter in gone:
        click.echo(
            f"{visible(letter[:60])} no longer exists: it was retried or dropped already",
            err=True,
        )
