"""Commands that are shown and not executed: programs, options and settings exist.

`console` blocks are executed by `tests/integration/cli/test_documented_commands.py`, `sh`
blocks are checked here.
"""

import re
from collections.abc import Callable, Sequence

import click
import pytest
from celery.bin.celery import celery as celery_command
from gunicorn.config import Config

from scheduler.cli import cli
from scheduler.cli.lazy_command import loaded
from scheduler.settings.schema import Settings
from scheduler.settings.validation import unusable
from tests.architecture.tree import ROOT
from tests.docs.files import documents
from webadmin.guard import LEAST_ROLE

PREFIX = "BEATDESK_"
LANGUAGES = {"sh", "console", "python", "yaml", "text", "json"}
SHOWN = [(one.name, words) for one in documents() for words in one.commands()]


def check_click(group: click.Group, words: Sequence[str]) -> None:
    """The words name a command and options that it has, with as many arguments as it takes."""
    context = click.Context(group, resilient_parsing=True)
    command: click.Command = group
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        found = loaded(found)
        context = click.Context(found, info_name=name, parent=context, **found.context_settings)
        command = found
    command.make_parser(context).parse_args(args=rest)


def check_beatdesk(words: Sequence[str]) -> None:
    check_click(cli, words)


def check_celery(words: Sequence[str]) -> None:
    assert words[:2] in (["-A", "scheduler"], ["-A", "yourapp"]), "an application is named first"
    check_click(celery_command, words[2:])


def check_export(words: Sequence[str]) -> None:
    assert len(words) == 1
    name, _, value = words[0].partition("=")
    field = name.removeprefix(PREFIX).lower()
    assert name.startswith(PREFIX)
    if field.endswith("_file") and field.removesuffix("_file") in Settings.model_fields:
        return
    assert field in Settings.model_fields, f"there is no setting {name}"
    assert unusable(field, value, "document") is None


def check_gunicorn(words: Sequence[str]) -> None:
    found = Config().parser().parse_args(list(words))
    assert found.args == ["webadmin:create_app()"]


def check_make(words: Sequence[str]) -> None:
    targets = re.findall(
        r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [word for word in words if "=" not in word and word not in targets] == []


def check_curl(words: Sequence[str]) -> None:
    paths = [word.split("/", 3)[3] for word in words if word.startswith("http://127.0.0.1:8000/")]
    assert len(paths) == 1
    starter = "starter." + paths[0].split("/")[0].replace("-", "_")
    assert {starter, paths[0].replace("/", ".")} & LEAST_ROLE.keys()


def check_python(words: Sequence[str]) -> None:
    module = words[1].replace(".", "/")
    assert words[0] == "-m"
    assert (ROOT / f"{module}.py").is_file() or (ROOT / module / "__main__.py").is_file()


def check_nothing(words: Sequence[str]) -> None:
    """A program of somebody else, whose options are its own."""


CHECKS: dict[str, Callable[[Sequence[str]], None]] = {
    "beatdesk": check_beatdesk,
    "celery": check_celery,
    "export": check_export,
    "gunicorn": check_gunicorn,
    "make": check_make,
    "curl": check_curl,
    ".venv/bin/python": check_python,
    "rabbitmqctl": check_nothing,
    "git": check_nothing,
}


@pytest.mark.parametrize(
    ("name", "words"), SHOWN, ids=[f"{name}: {' '.join(words)[:60]}" for name, words in SHOWN]
)
def test_a_command_that_is_shown_exists_with_its_options(name: str, words: list[str]) -> None:
    program, *rest = words
    if "=" in program and program.startswith(PREFIX):
        check_export([program])
        program, *rest = rest
    assert program in CHECKS, f"{name}: nobody checks {program!r}"
    CHECKS[program](rest)


def test_every_code_block_is_in_a_language_that_is_checked() -> None:
    assert {
        one.name: one.languages - LANGUAGES for one in documents() if one.languages - LANGUAGES
    } == {}


def test_every_command_in_a_sentence_exists() -> None:
    """Words between back quotes that begin with `beatdesk`: the command exists, and so does each
    option.
    """
    wrong = {}
    for one in documents():
        for text in re.findall(r"`beatdesk ([a-z][^`]*)`", one.text):
            words = re.sub(r"[…|]", " ", text).split()
            try:
                check_names(words)
            except (AssertionError, click.UsageError) as error:
                wrong[f"{one.name}: {text}"] = str(error)
    assert wrong == {}


def check_names(words: Sequence[str]) -> None:
    """The first words name a command or a group; every option is one of its options."""
    command: click.Command = cli
    context = click.Context(cli, resilient_parsing=True)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command = loaded(found)
    options = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word for word in rest if word.startswith("--")} - options - {"--help"} == set()
