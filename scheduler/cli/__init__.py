"""The `beatdesk` command. Subcommands' modules are imported on call, for a quick start.

A new command is a module in this folder and a row in `COMMANDS` with the first sentence of the
command's help.

Commands read options and print results; the work is done in the neighbouring packages. Data goes to
standard output, all else to standard error. Exit codes: 0 is done, 1 refused or failed, 2 wrong
usage.
"""

from typing import Any

import click

from scheduler.cli.lazy_command import LazyCommand
from scheduler.cli.refusals import failure
from scheduler.settings.private_files import set_umask

COMMANDS = (
    LazyCommand(
        "up",
        "scheduler.cli.up:up",
        "Run the embedded server, recorder, worker, Beat and the console, until Ctrl-C.",
    ),
    LazyCommand(
        "doctor",
        "scheduler.cli.doctor:doctor",
        "Check every requirement of a run, and name the remedies.",
    ),
    LazyCommand(
        "status",
        "scheduler.cli.status:status",
        "Show the state of Beat, workers, recorder, Redis and SQL.",
    ),
    LazyCommand(
        "outages",
        "scheduler.cli.absences:outages",
        "List who was away: Beat, workers, recorders, and the readers of queues.",
    ),
    LazyCommand(
        "schedules",
        "scheduler.cli.schedules:schedules",
        "List, make, change and run schedules.",
    ),
    LazyCommand(
        "calendars",
        "scheduler.cli.calendars:calendars",
        "Days and hours without runs, for the schedules of a calendar.",
    ),
    LazyCommand(
        "runs",
        "scheduler.cli.runs:runs",
        "List and show runs, run them again, and cancel runs without an end.",
    ),
    LazyCommand("jobs", "scheduler.cli.jobs:jobs", "List and show the jobs that can be scheduled."),
    LazyCommand("users", "scheduler.cli.users:users", "Say who may log in to the console."),
    LazyCommand(
        "tokens",
        "scheduler.cli.tokens:tokens",
        "Make, list and revoke tokens, by which programs call the console.",
    ),
    LazyCommand(
        "audit",
        "scheduler.cli.audit:audit",
        "Who logged in, changed accounts, and took data out; and whether a row is missing.",
    ),
    LazyCommand(
        "dead-letters",
        "scheduler.cli.dead_letters:dead_letters",
        "Events that could not be recorded, and are missing from the history.",
    ),
    LazyCommand(
        "recorder",
        "scheduler.cli.recorder:recorder",
        "Record events in SQL, find lost runs, and watch that each tick has a row.",
    ),
    LazyCommand(
        "worker",
        "scheduler.cli.worker:worker",
        "Run a worker, with the options of Celery's worker.",
    ),
    LazyCommand(
        "beat", "scheduler.cli.worker:beat", "Run Beat, with the options of Celery's beat."
    ),
    LazyCommand("web", "webadmin.serve:web", "Serve the console until SIGTERM or Ctrl-C."),
    LazyCommand("db", "scheduler.cli.db:db", "Build and change the tables of the history."),
)
"""All commands, in the order of the help."""

READ_THEIR_OWN_SETTINGS = frozenset({"beat", "doctor", "up", "web", "worker"})


class Commands(click.Group):
    """The root group: lists commands in the table's order, and prints refusals."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the table's order."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command, and print a refusal as text, or as JSON with `--json`."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            refusal = failure(error, as_json=as_json)
            if refusal is None:
                raise
            raise refusal from error


@click.group(
    cls=Commands,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="beatdesk", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Edit schedules, run jobs, and see every run of Celery Beat."""
    set_umask()
    if (
        ctx.obj is None
        and ctx.invoked_subcommand not in READ_THEIR_OWN_SETTINGS
        and not ctx.resilient_parsing
    ):
        ctx.obj = _services()


def _services() -> object:
    from scheduler.process_logs import configure
    from scheduler.services.services import Services
    from scheduler.settings.environment import load

    settings = load()
    configure("WARNING", settings.log_format)
    return Services(settings)
