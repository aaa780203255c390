"""Options of `add`, `edit` and `preview` -> the Spec that the operator means. Pure: asks no store,
reads no clock.

An option that is not given is None here, so that `edit` changes the named fields only.
"""

from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError

from scheduler.cli.schedules import options, policies, rule
from scheduler.errors import Refused
from scheduler.rules.model.fields import fields_of
from scheduler.rules.model.spec import Spec

comment_option = click.option(
    "--comment", default="", metavar="TEXT", help="Why this change is made; kept with the revision."
)

Command = Callable[..., Any]


def when_options(command: Command) -> Command:
    """Give a command the options that say when."""
    return options.with_options(command, rule.ROWS)


def what_options(command: Command) -> Command:
    """Give a command the options that say what, and about it."""
    return options.with_options(comment_option(command), fields_of(""))


def policy_options(command: Command) -> Command:
    """Give a command the options that say what happens when things do not go as planned."""
    return options.with_options(command, policies.ROWS)


def named_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Spec that the options name, as values; `--job` of `edit` too."""
    rows = [row for row in fields_of("") if row.flag or row.name == "job"]
    return options.values_of(rows, given)


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
