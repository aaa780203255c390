"""The `beatdesk` command. Each subcommand's module is imported when it is called, so that start-up
is quick.

Commands only ask and tell: what they do is done by the rooms beside this one. Data goes to standard
output, everything else to standard error; 0 is done, 1 refused or failed, 2 wrong usage.
"""

from importlib import import_module
from typing import Any

import click

from scheduler.cli.refusals import failure

COMMANDS = {
    "up": "scheduler.cli.up:up",
    "doctor": "scheduler.cli.doctor:doctor",
    "status": "scheduler.cli.status:status",
    "schedules": "scheduler.cli.schedules:schedules",
    "calendars": "scheduler.cli.calendars:calendars",
    "runs": "scheduler.cli.runs:runs",
    "jobs": "scheduler.cli.jobs:jobs",
    "users": "scheduler.cli.users:users",
    "recorder": "scheduler.cli.recorder:recorder",
    "worker": "scheduler.cli.worker:worker",
    "beat": "scheduler.cli.worker:beat",
    "web": "webadmin.serve:web",
    "db": "scheduler.cli.db:db",
}
"""Name -> where the command is, in the order in which the help lists them."""

READ_THEIR_OWN_SETTINGS = frozenset({"beat", "doctor", "up", "web", "worker"})


class Commands(click.Group):
    """A group that imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command, and tell what it refuses, as JSON where the call asks for JSON."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            told = failure(error, as_json=as_json)
            if told is None:
                raise
            raise told from error


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="beatdesk", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Edit schedules, run jobs, and see every run of Celery Beat."""
    if (
        ctx.obj is None
        and ctx.invoked_subcommand not in READ_THEIR_OWN_SETTINGS
        and not ctx.resilient_parsing
    ):
        ctx.obj = _services()


def _services() -> object:
    from scheduler.services.services import Services
    from scheduler.settings.environment import load
    from scheduler.settings.logging import configure

    settings = load()
    configure("WARNING", settings.log_format)
    return Services(settings)
