"""`beatdesk audit`, and the rows that `beatdesk users` leaves."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import delete

from scheduler.cli.fields import actor
from scheduler.health.doctor import access_log
from scheduler.history.access_models import AccessRow
from scheduler.services.services import Services
from tests.support.commands import Commands

ADDRESS = "ann@example.org"


@pytest.fixture
def changed(beatdesk: Commands, record: Callable[[], None]) -> Commands:
    """`beatdesk`, after four changes of an account."""
    beatdesk("users", "create", "root@example.org", "--role", "admin")
    beatdesk("users", "create", "ann@example.org")
    beatdesk("users", "set-role", "ann@example.org", "operator")
    beatdesk("users", "reset-password", "ann@example.org")
    beatdesk("users", "disable", "ann@example.org")
    beatdesk("users", "enable", "ann@example.org")
    record()
    return beatdesk


def test_changes_of_accounts_by_command_leave_a_row(changed: Commands) -> None:
    answer = json.loads(changed("audit", "list", "--person", "ann@example.org", "--json").stdout)
    assert [(row["kind"], row["actor"], row["detail"]) for row in answer["items"]] == [
        ("account_enabled", actor(), ""),
        ("account_disabled", actor(), ""),
        ("password_changed", actor(), ""),
        ("role_changed", actor(), "operator"),
        ("account_created", actor(), "viewer"),
    ]
    assert "role_changed" in changed("audit", "list", "--kind", "role_changed").stdout


def test_an_export_has_every_row_and_is_one(changed: Commands, record: Callable[[], None]) -> None:
    lines = changed("audit", "export").stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    record()
    newest = json.loads(changed("audit", "list", "--json", "--limit", "1").stdout)["items"][0]
    assert (newest["kind"], newest["subject"]) == ("exported", "access log")


def test_a_removed_row_shows(changed: Commands, services: Services) -> None:
    whole = json.loads(changed("audit", "verify", "--json").stdout)
    assert whole["rows"] == 6
    assert changed("audit", "verify", "--head", whole["head"]).exit_code == 0
    with services.engine.begin() as connection:
        connection.execute(delete(AccessRow).where(AccessRow.number == 3))
    assert "row 3 is missing" in changed.refused("audit", "verify")
    part = access_log(services)
    assert (part.ok, part.summary) == (False, "row 3 is missing")


def test_what_is_no_head_is_refused(changed: Commands) -> None:
    assert "NUMBER:DIGEST" in changed.refused("audit", "verify", "--head", "x")


def test_a_weak_password_is_refused_by_the_command(beatdesk: Commands) -> None:
    refused = beatdesk("users", "create", ADDRESS, "--password-stdin", typed=f"{ADDRESS}\n")
    assert refused.exit_code == 1
    assert "easily guessed" in refused.stderr
