"""A command that a group lists, suggests and completes without importing the command's module.

    beatdesk --help          the name and help text of each row; no command's module is imported
    beatdesk runs --help     the module of `runs`
    beatdesk runs list       the module of `runs`; further modules are imported inside the function

Why: the modules of all commands together load Celery, SQLAlchemy and Alembic, a second of CPU
before the first line.
"""

from importlib import import_module
from typing import Any

import click


class LazyCommand(click.Command):
    """Placeholder in a group for a command in another module; calls are passed to the command.

    `target` is `module:attribute`. `help` is the first sentence of the command's own help, for the
    group's list of commands; a test compares the two.
    """

    def __init__(self, name: str, target: str, help: str) -> None:
        super().__init__(name, help=help)
        self.target = target

    def load(self) -> click.Command:
        """Import the module, and return the command itself."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the real command, for click to invoke and complete."""
        return self.load().make_context(info_name, args, parent, **extra)


def loaded(command: click.Command) -> click.Command:
    """Return the command itself, also for a placeholder."""
    return command.load() if isinstance(command, LazyCommand) else command
