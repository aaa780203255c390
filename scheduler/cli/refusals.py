"""Errors of a command -> one message on standard error and exit code 1; with `--json`, an object.

Covers every error printed without a traceback: Beatdesk's own errors, unusable settings, and
servers without an answer. Wrong usage is click's own, exit code 2.
"""

import json
from typing import IO, Any

import click

from scheduler.cli.outages import explain
from scheduler.errors import BeatdeskError
from scheduler.settings.errors import EXPLAINED, BadSettings
from scheduler.terminal_text import visible_json, visible_lines


class Failure(click.ClickException):
    """A refusal on its way to standard error."""

    def __init__(self, message: str, *, field: str | None, as_json: bool) -> None:
        super().__init__(message)
        self.field = field
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, or the object with `error` and `field`. Secrets are masked."""
        from scheduler.events.bounds import masked_text

        message = masked_text(self.message)
        if self.as_json:
            text = json.dumps({"error": message, "field": self.field}, ensure_ascii=False)
        else:
            text = f"beatdesk: {message}"
        shown = visible_json(text) if self.as_json else visible_lines(text)
        click.echo(shown, file=file, err=file is None)


def failure(error: Exception, *, as_json: bool) -> Failure | None:
    """Return the failure to print for `error`; None for a bug, shown with a traceback."""
    if isinstance(error, BeatdeskError):
        return Failure(str(error), field=error.field, as_json=as_json)
    if isinstance(error, BadSettings):
        message = str(error) if as_json else f"{error}\n{EXPLAINED}"
        return Failure(message, field=None, as_json=as_json)
    outage = explain(error)
    return None if outage is None else Failure(outage, field=None, as_json=as_json)
