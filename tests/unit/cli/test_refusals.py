"""What a command could not do is told in one message: a line for people, an object for programs."""

import json

import click
import pytest
from click.testing import CliRunner

from scheduler.cli import Commands, refusals
from scheduler.cli.refusals import failure
from scheduler.errors import BadExpression, StaleRevision, Unavailable
from scheduler.settings.errors import EXPLAINED, BadSettings, SettingFault


class OneCommand(Commands):
    """A root group with one command, which fails as it is told."""

    def __init__(self, error: Exception) -> None:
        super().__init__(name="desk")
        self.error = error

    def get_command(self, ctx, cmd_name):
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def fail(as_json):
            raise self.error

        return fail


def told(error, *words):
    return CliRunner().invoke(OneCommand(error), ["fail", *words])


def test_a_refusal_is_a_line_on_standard_error_and_exit_code_1():
    result = told(BadExpression("crontab: '61 * * * *' …", field="crontab"))
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "beatdesk: crontab: '61 * * * *' …\n",
    )


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (BadExpression("no", field="crontab"), "crontab"),
        (StaleRevision("no", given=1, current=2), "revision"),
        (Unavailable("no"), None),
    ],
)
def test_with_json_a_refusal_is_an_object_with_its_field(error, field):
    result = told(error, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr) == {"error": "no", "field": field}


def test_a_fault_of_ours_is_not_told_as_a_refusal():
    result = told(ZeroDivisionError("ours"))
    assert isinstance(result.exception, ZeroDivisionError)
    assert refusals.failure(ZeroDivisionError("ours"), as_json=False) is None


def test_people_learn_where_settings_are_explained_and_programs_get_the_faults_only() -> None:
    error = BadSettings([SettingFault("BEATDESK_X", "1", "there is no such setting", "Remove it")])
    for_people, for_programs = (failure(error, as_json=as_json) for as_json in (False, True))
    assert for_people is not None
    assert for_programs is not None
    assert for_people.message == f"{error}\n{EXPLAINED}"
    assert "docs/reference/settings.md" in for_people.message
    assert for_programs.message == str(error)
