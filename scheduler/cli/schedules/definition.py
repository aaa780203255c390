"""Options of `add`, `edit` and `preview` -> a Spec. Pure: no store, no clock.

An absent option is None here, so that `edit` changes the named fields only.
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
    """Add the options for a schedule's rule to a command."""
    return options.with_options(command, rule.ROWS)


def what_options(command: Command) -> Command:
    """Add the options for the job, the arguments and the description to a command."""
    return options.with_options(comment_option(command), fields_of(""))


def policy_options(command: Command) -> Command:
    """Add the options for policies and window to a command."""
    return options.with_options(command, policies.ROWS)


def named_fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the Spec fields named by options, as values; includes `--job` of `edit`."""
    rows = [row for row in fields_of("") if row.flag or row.name == "job"]
    return options.values_of(rows, given)


def spec_of(values: dict[str, Any]) -> Spec:
    """Return the Spec of the fields. Raises a refusal with the first invalid field."""
    try:
        return Spec.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][-1]) if first["loc"] else None
        raise Refused(
            f"{field}: {first['input']!r} cannot be used: {first['msg']}", field=field
        ) from None
