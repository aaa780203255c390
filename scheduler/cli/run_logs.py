"""`beatdesk runs logs`: the log lines of a run, until now or as the run goes on."""

import json
import threading
from typing import Any

import click

from scheduler.cli.output import json_option, print_json
from scheduler.history.queries.views import LogView
from scheduler.interface.published import rfc3339
from scheduler.rules.model.run_states import FINAL
from scheduler.services.services import Services
from scheduler.terminal_text import visible, visible_json

LOOK_EVERY = 1.0
AT_ONCE = 100
"""Most events in one query; each event has up to 100 lines."""

TINTS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


@click.command()
@click.argument("run_id", metavar="ID")
@click.option(
    "--follow",
    is_flag=True,
    help="Go on until the run has ended; Ctrl-C ends the watching, not the run.",
)
@json_option
@click.pass_obj
def logs(services: Services, /, *, run_id: str, follow: bool, as_json: bool) -> None:
    """Show the log of run ID. With --follow and --json, one object a line."""
    run = services.history.run(run_id)
    if as_json and not follow:
        items, _ = _read(services, run_id, None)
        print_json({"items": [_json(line) for line in items], "next": None})
        return
    place: str | None = None
    waiting = threading.Event()
    while True:
        over = run.state in FINAL  # state before lines, so that no line is missed
        items, place = _read(services, run_id, place)
        for line in items:
            _print(line, as_json=as_json)
        if over or not follow:
            return
        waiting.wait(LOOK_EVERY)
        run = services.history.run(run_id)


def _read(services: Services, run_id: str, place: str | None) -> tuple[list[LogView], str | None]:
    """Return all lines after `place`, and the next `place`."""
    items: list[LogView] = []
    while True:
        page = services.history.log(run_id, after=place, limit=AT_ONCE)
        items += page.items
        place = page.last
        if page.next is None:
            return items, place


def _json(line: LogView) -> dict[str, Any]:
    return line.model_dump(mode="json")


def _print(line: LogView, *, as_json: bool) -> None:
    if as_json:
        click.echo(visible_json(json.dumps(_json(line), ensure_ascii=False)))
        return
    if line.left_out:
        click.echo(line.text)
        return
    first, *rest = [visible(part) for part in line.text.splitlines()] or [""]
    level = click.style(line.level, fg=TINTS[line.level]) if line.level in TINTS else line.level
    click.echo(f"{rfc3339(line.at)} {level} {visible(line.logger)}: {first}")
    for part in rest:
        click.echo(f"    {part}")
