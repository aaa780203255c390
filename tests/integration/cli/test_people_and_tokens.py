"""`beatdesk users` and `beatdesk tokens`: rights by tag, links, and the life of a token."""

import json
from collections.abc import Callable

import pyotp
import pytest

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.commands import Commands

ANN = "ann@example.org"
ADDRESS = "https://desk.example.org"


@pytest.fixture
def people(beatdesk: Commands) -> Commands:
    """`beatdesk`, with an administrator and Ann, a viewer."""
    beatdesk("users", "create", "root@example.org", "--role", "admin")
    beatdesk("users", "create", ANN)
    return beatdesk


def test_a_role_for_a_tag_is_given_listed_withdrawn_and_recorded(
    people: Commands, record: Callable[[], None]
) -> None:
    assert (
        "is operator of finance now" in people("users", "grant", ANN, "operator", "finance").stdout
    )
    assert "operator of finance" in people("users", "list").stdout
    people("users", "withdraw", ANN, "finance")
    assert "operator of finance" not in people("users", "list").stdout
    people("users", "sign-out", ANN)
    record()
    rows = json.loads(people("audit", "list", "--person", ANN, "--json").stdout)["items"]
    assert [(row["kind"], row["detail"]) for row in rows] == [
        ("sessions_ended", ""),
        ("role_changed", "none of tag:finance"),
        ("role_changed", "operator of tag:finance"),
        ("account_created", "viewer"),
    ]


def test_an_invitation_and_a_reset_print_a_link_that_works(
    people: Commands, services: Services
) -> None:
    for command, email in (("invite", "eve@example.org"), ("reset-link", ANN)):
        answer = people("users", command, email, "--url", f"{ADDRESS}/", "--json").stdout
        link = json.loads(answer)
        root, text = link["url"].rsplit("/", 1)
        assert root == f"{ADDRESS}/password"
        assert "text" not in link
        assert services.password_links.find(text, utc_now()).email == email


def test_a_token_is_made_shown_once_listed_and_revoked(
    people: Commands, services: Services, record: Callable[[], None]
) -> None:
    made = json.loads(people("tokens", "create", "ci", "--expires", "30d", "--json").stdout)
    assert services.tokens.holder(made["token"], utc_now()) is not None
    listed = people("tokens", "list").stdout
    assert "a service" in listed
    assert made["token"] not in listed + people("tokens", "list", "--json").stdout
    people("tokens", "revoke", str(made["id"]))
    assert services.tokens.holder(made["token"], utc_now()) is None
    assert "revoked" in people("tokens", "list").stdout
    record()
    rows = json.loads(people("audit", "list", "--person", "ci", "--json").stdout)["items"]
    assert [row["kind"] for row in rows] == ["token_revoked", "token_created"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ci", "--expires", "soon"), "expires: 'soon' is not a number of days"),
        (("ci", "--scope", "all"), "scope: there is no scope 'all'"),
        (("ci", "--owner", ANN, "--scope", "admin"), "has no right to admin"),
        (("a b",), "name: 'a b' cannot name a token"),
    ],
)
def test_a_token_with_a_wrong_value_is_refused(
    people: Commands, arguments: tuple[str, ...], words: str
) -> None:
    assert words in people.refused("tokens", "create", *arguments)


def test_a_second_factor_is_reset_by_a_command_that_is_recorded(
    people: Commands, services: Services, record: Callable[[], None]
) -> None:
    assert "has no second factor" in people.refused("users", "reset-second-factor", ANN)
    setup = services.second_factors.begin(ANN)
    now = utc_now()
    code = pyotp.TOTP(setup.secret).at(now)
    services.second_factors.confirm(ANN, setup.sealed, code, now=now)
    assert "no second factor any more" in people("users", "reset-second-factor", ANN).stdout
    assert services.second_factors.protected() == set()
    record()
    newest = json.loads(people("audit", "list", "--person", ANN, "--json").stdout)["items"][0]
    assert newest["kind"] == "second_factor_reset"
