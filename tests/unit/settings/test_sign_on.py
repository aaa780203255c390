"""Logins from outside: roles by groups, and the proxies that are believed."""

import pytest

from scheduler.accounts.policy import ROLES as ACCOUNT_ROLES
from scheduler.settings.sign_on import ROLES, group_role, is_from, role_of_groups
from scheduler.settings.web_names import network


def test_the_roles_are_those_of_accounts() -> None:
    assert ROLES == ACCOUNT_ROLES


def test_the_highest_role_of_a_persons_groups_counts() -> None:
    entries = ["ops=operator", "all=viewer", "desk = admin"]
    assert role_of_groups(["all", "ops"], entries) == "operator"
    assert role_of_groups(["desk", "all"], entries) == "admin"
    assert role_of_groups(["others"], entries) is None


@pytest.mark.parametrize("text", ["ops", "=admin", "ops=root", "ops=", ""])
def test_an_entry_that_gives_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"GROUP=ROLE|is none of"):
        group_role(text)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "proxy", "10.1.2.3/24"])
def test_everybody_is_no_proxy(text: str) -> None:
    with pytest.raises(ValueError, match=r"every address|is no address"):
        network(text)


@pytest.mark.parametrize(
    ("address", "is_believed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.1.3.1", False),
        ("::ffff:10.1.3.1", False),
        ("unix", False),
        ("", False),
    ],
)
def test_a_proxy_is_recognized_by_its_address(address: str, is_believed: bool) -> None:
    assert is_from(address, ["10.1.2.0/24"]) is is_believed
