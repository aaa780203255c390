"""The lists of commands are written down, so that a list imports none of them; here they are
held to the commands.
"""

import click
import pytest

from scheduler.cli import COMMANDS, cli
from scheduler.cli.lazy_command import LazyCommand
from scheduler.cli.schedules import COMMANDS as COMMANDS_OF_SCHEDULES

ROWS = [*COMMANDS, *COMMANDS_OF_SCHEDULES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.target)
def test_a_row_says_of_its_command_what_the_command_says_itself(row: LazyCommand) -> None:
    command = row.load()
    assert (row.name, row.hidden, row.deprecated) == (
        command.name,
        command.hidden,
        command.deprecated,
    )
    for width in range(10, 150):
        assert row.get_short_help_str(width) == command.get_short_help_str(width)


def test_no_two_rows_have_one_name() -> None:
    for rows in (COMMANDS, COMMANDS_OF_SCHEDULES):
        assert len({row.name for row in rows}) == len(rows)


def test_the_context_of_a_row_is_that_of_its_command() -> None:
    root = click.Context(cli)
    row = cli.get_command(root, "schedules")
    assert isinstance(row, LazyCommand)
    context = row.make_context("schedules", ["list"], root)
    assert context.command is row.load()
    assert context.parent is root
