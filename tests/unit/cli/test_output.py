"""Tables are aligned, coloured on a terminal only, and cannot be used to write into the
terminal.
"""

import click
import pytest
from click.testing import CliRunner

from scheduler.cli.output import print_table

TINTS = {"failed": "red"}


def printed(*, terminal: bool, rows=(("a", "failed"), ("bc", "fine"))) -> str:
    @click.command()
    def show() -> None:
        print_table(["NAME", "STATE"], rows, tints=TINTS)

    return CliRunner().invoke(show, color=terminal).stdout


def test_columns_are_aligned_with_and_without_colours():
    assert printed(terminal=False) == "NAME  STATE\na     failed\nbc    fine\n"
    assert click.unstyle(printed(terminal=True)) == printed(terminal=False)


def test_words_are_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mfailed\x1b[0m" in printed(terminal=True)
    assert "\x1b" not in printed(terminal=False)


def test_no_colours_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed(terminal=True)


def test_control_characters_are_shown_and_not_sent_to_the_terminal():
    assert "\x1b" not in printed(terminal=False, rows=(("\x1b[2J", "\x07"),))
    assert "\\x1b[2J" in printed(terminal=False, rows=(("\x1b[2J", "\x07"),))
