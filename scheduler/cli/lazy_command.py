"""A command that a group can list, suggest and complete without importing its module.

    beatdesk --help          the name and help text of each row; no command's module is imported
    beatdesk runs --help     the module of `runs`
    beatdesk runs list       the same; what it needs beyond that is imported inside its function

Why: the modules of all commands together load Celery, SQLAlchemy and Alembic, a second of CPU
before the first line.
"""

from importlib import import_module
from typing import Any

import click


class LazyCommand(click.Command):
    """Stands in a group for a command in another module, and hands over to it when it is called.

    `target` is `module:attribute`. `help` is the first sentence of the command's own help, which a
    list of commands shows; a test holds the two equal.
    """

    def __init__(self, name: str, target: str, help: str) -> None:
        super().__init__(name, help=help)
        self.target = target

    def load(self) -> click.Command:
        """The command itself. Imports its module."""
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
        """The context of the command itself: click invokes, completes and explains what stands
        in it.
        """
        return self.load().make_context(info_name, args, parent, **extra)


def loaded(command: click.Command) -> click.Command:
    """The command itself, where `command` stands for one in another module."""
    return command.load() if isinstance(command, LazyCommand) else command
