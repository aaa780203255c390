"""Output of commands: tables and facts for people, JSON for programs. Reads no server."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from pydantic import BaseModel

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


def print_json(data: Any) -> None:
    """Print `data` as one JSON document; times as RFC 3339 in UTC with `Z`."""
    click.echo(visible_json(json.dumps(data, indent=2, ensure_ascii=False, default=_plain)))


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, tints: Mapping[str, str] = NO_TINTS
) -> None:
    """Print rows below headers, aligned.

    `tints` maps words such as states to colours. Colours appear on a terminal only, and not with
    NO_COLOR.
    """
    lines = [[visible(cell) for cell in row] for row in (headers, *rows)]
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
        lines = [visible(line) for line in value.splitlines()] or [""]
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


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")
