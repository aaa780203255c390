"""SQL away: what is about the future works, what is about the past says so."""

import json

import pytest

from scheduler.services.services import Services
from tests.support.commands import Commands
from tests.support.ports import free_port


@pytest.fixture
def without_sql(beatdesk, settings):
    """The commands of a desk whose database does not answer."""
    address = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    services = Services(settings.model_copy(update={"database_url": address}))
    yield Commands(services)
    services.redis.close()


def test_schedules_are_made_edited_listed_run_and_deleted(without_sql):
    for words in (
        ("add", "n", "demo.plain", "--every", "60"),
        ("edit", "n", "--owner", "ada"),
        ("disable", "n"),
        ("enable", "n"),
        ("show", "n"),
        ("list",),
        ("next", "n"),
        ("run", "n"),
        ("delete", "n", "--yes"),
    ):
        result = without_sql("schedules", *words, "--json")
        assert result.exit_code == 0, (words, result.output)
        json.loads(result.stdout)


def test_a_list_says_that_the_last_runs_are_not_known(without_sql):
    without_sql.done("schedules", "add", "n", "demo.plain", "--every", "60")
    assert "last runs are not shown" in without_sql("schedules", "list").stderr


def test_a_schedule_is_shown_without_its_past_and_says_so(without_sql):
    without_sql.done("schedules", "add", "n", "demo.plain", "--every", "60")
    shown = without_sql("schedules", "show", "n", "--json")
    assert "last runs and statistics are not shown" in shown.stderr
    assert json.loads(shown.stdout)["statistics"] is None


def test_a_run_can_be_cancelled(without_sql):
    without_sql.done("schedules", "add", "n", "demo.plain", "--every", "60")
    run = without_sql.json("schedules", "run", "n")
    result = without_sql("runs", "cancel", run["id"])
    assert result.exit_code == 0
    assert "is unknown" in result.stderr


@pytest.mark.parametrize(
    "words", [("runs", "list"), ("runs", "show", "x"), ("schedules", "history", "n")]
)
def test_questions_about_the_past_are_refused_with_what_to_do(without_sql, words):
    without_sql.done("schedules", "add", "n", "demo.plain", "--every", "60")
    error = without_sql.refused_json(*words)["error"]
    assert "database" in error
    assert "beatdesk doctor" in error
