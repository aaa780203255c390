"""Options of `add`, `edit` and `preview` -> the Spec that the operator means. Pure: asks no store,
reads no clock.

An option that is not given is None here, so that `edit` changes the named fields only.
"""

from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError

from scheduler.cli import fields
from scheduler.cli.schedules import policies, rule
from scheduler.errors import Refused
from scheduler.rules.model.spec import Spec

WHAT_OPTIONS = (
    click.option("--args", metavar="JSON", help="Positional arguments, a JSON list."),
    click.option("--kwargs", metavar="JSON", help="Named arguments, a JSON object."),
    click.option("--queue", metavar="QUEUE", help="Queue to send to; empty for the job's own."),
    click.option("--priority", metavar="0-9|none", help="Priority of the message."),
    click.option("--owner", metavar="TEXT", help="Who answers for it."),
    click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="May be given again; replaces all tags."
    ),
    click.option("--description", metavar="TEXT", help="What it is for, in a line."),
    click.option("--notes", metavar="TEXT", help="What whoever is called at night must know."),
    click.option(
        "--comment",
        default="",
        metavar="TEXT",
        help="Why this change is made; kept with the revision.",
    ),
)

Command = Callable[..., Any]


def when_options(command: Command) -> Command:
    """Give a command the options that say when."""
    return _decorate(command, rule.OPTIONS)


def what_options(command: Command) -> Command:
    """Give a command the options that say what, and about it."""
    return _decorate(command, WHAT_OPTIONS)


def policy_options(command: Command) -> Command:
    """Give a command the options that say what happens when things do not go as planned."""
    return _decorate(command, policies.OPTIONS)


def _decorate(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def named_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Spec that the options name, as values."""
    named: dict[str, Any] = {
        key: given[key]
        for key in ("job", "owner", "description", "notes")
        if given.get(key) is not None
    }
    if given.get("args") is not None:
        named["args"] = fields.json_list(given["args"])
    if given.get("kwargs") is not None:
        named["kwargs"] = fields.json_object(given["kwargs"])
    if given.get("queue") is not None:
        named["queue"] = given["queue"] or None
    if given.get("priority") is not None:
        named["priority"] = fields.priority(given["priority"])
    if given.get("tags"):
        named["tags"] = [tag for tag in given["tags"] if tag]
    return named


def spec_of(values: dict[str, Any]) -> Spec:
    """The Spec with these fields, or what is wrong with the first that does not fit."""
    try:
        return Spec.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][-1]) if first["loc"] else None
        raise Refused(
            f"{field}: {first['input']!r} cannot be used: {first['msg']}", field=field
        ) from None
