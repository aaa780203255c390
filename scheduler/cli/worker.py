"""`beatdesk worker` and `beatdesk beat`: Celery's commands with Beatdesk's app.

`celery -A scheduler worker` imports the app by name, and a user's own module `scheduler` would win.
Here the app is passed within the process, and the user's modules come last in the search path.
"""

import sys
from pathlib import Path
from typing import Any

import click

from scheduler.settings import user_modules

PASSED_ON: dict[str, Any] = {
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
"""Settings of click for passing every option, including `--help`, on to Celery."""

quiet_option = click.option("--quiet", is_flag=True, help="No banner.")
celerys_options = click.argument("options", nargs=-1, type=click.UNPROCESSED)


@click.command(context_settings=PASSED_ON)
@quiet_option
@celerys_options
def worker(quiet: bool, options: tuple[str, ...]) -> None:
    """Run a worker, with the options of Celery's worker."""
    _run("worker", quiet, options)


@click.command(context_settings=PASSED_ON)
@quiet_option
@celerys_options
def beat(quiet: bool, options: tuple[str, ...]) -> None:
    """Run Beat, with the options of Celery's beat."""
    _run("beat", quiet, options)


def _run(command: str, quiet: bool, options: tuple[str, ...]) -> None:
    """Run Celery in this process, and exit with Celery's exit code."""
    folder = Path.cwd()
    user_modules.put_last(folder)
    for collision in user_modules.collisions(folder):
        click.echo(f"beatdesk: {collision}", err=True)
    from scheduler.celery import app

    sys.exit(app.start([*(["--quiet"] if quiet else []), command, *options]))
