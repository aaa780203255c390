"""Output of commands: tables and facts for people, JSON for programs. Reads no server."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from pydantic import BaseModel

from scheduler.events.bounds import masked_text
from scheduler.events.secret_names import MASK, is_hidden
from scheduler.rules.model.run_states import RunState
from scheduler.terminal_text import visible, visible_json

Command = TypeVar("Command", bound=Callable[..., Any])

NO_TINTS: Mapping[str, str] = {}

STATE_TINTS = {
    **{state.value: state.terminal_colour for state in RunState if state.terminal_colour},
    "problem": "red",
    "paused": "yellow",
}
"""Colours by state of a run or schedule. The word is printed too: a colour is never the only sign.
"""


def json_option(command: Command) -> Command:
    """Add `--json` to a command, as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def print_json(data: Any, *, reveals: bool = False) -> None:
    """Print `data` as one JSON document; times as RFC 3339 in UTC with `Z`.

    Secrets in texts, and texts under the name of a secret, are masked; `reveals` is for a new
    password or token, which is shown once.
    """
    shown = data if reveals else _masked(data)
    click.echo(visible_json(json.dumps(shown, indent=2, ensure_ascii=False, default=_plain)))


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, tints: Mapping[str, str] = NO_TINTS
) -> None:
    """Print rows below headers, aligned.

    `tints` maps words such as states to colours. Colours appear on a terminal only, and not with
    NO_COLOR.
    """
    lines = [[visible(masked_text(cell)) for cell in row] for row in (headers, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    plain = False if os.environ.get("NO_COLOR") else None
    for line in lines:
        cells = [
            _tinted(cell, tints) + " " * (width - len(cell))
            for cell, width in zip(line, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip(), color=plain)


def _tinted(cell: str, tints: Mapping[str, str]) -> str:
    return click.style(cell, fg=tints[cell]) if cell in tints else cell


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two columns; further lines of a value are indented."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        lines = [visible(line) for line in masked_text(value).splitlines()] or [""]
        click.echo(
            "\n".join(
                [
                    f"{name.ljust(width)}  {lines[0]}".rstrip(),
                    *(" " * (width + 2) + x for x in lines[1:]),
                ]
            )
        )


def to_the_second(at: datetime | None) -> str:
    """Return an instant for people: UTC, without fractions of a second."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _masked(value: Any) -> Any:
    """The data without secrets in its texts. Objects under the name of a secret stay: a parameter
    may have that name.
    """
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, BaseModel):
        return _masked(value.model_dump(mode="json"))
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(item, str) and is_hidden(key, item) else _masked(item)
            for key, item in value.items()
        }
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")
