"""The rules of the guard: safe paths, ranks, closed by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.accounts.policy import ROLES
from scheduler.accounts.rights import Rights
from scheduler.accounts.store import rights_of
from scheduler.history.account_models import Role, User
from webadmin.guard import ANYONE, LEAST_ROLE, RANKS, permits, safe_path


@pytest.mark.parametrize(
    "target",
    ["/", "/runs/", "/runs/?state=failed&since=24h", "/schedules/a.b-c_d/", "/a//b", "/%09"],
)
def test_paths_of_the_console_are_safe(target: str) -> None:
    assert safe_path(target)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "runs",
        "http:evil",
        "http://evil",
        "//evil",
        "///evil",
        "/\\evil",
        "\\evil",
        "/a\\b",
        "/\t/evil",
        "/ /evil",
        "/\n/evil",
        "/\r",
        " /",
        "/é",
        "/\x00",
        "/\x7f",
        "javascript:1",
    ],
)
def test_everything_else_is_not(target: str) -> None:
    assert not safe_path(target)


@given(st.text(max_size=30))
def test_a_safe_path_names_no_host(text: str) -> None:
    from urllib.parse import urljoin, urlsplit

    if safe_path(text):
        assert urlsplit(urljoin("https://desk.example/login", text)).netloc == "desk.example"


def _rights(*names: str) -> Rights:
    """The rights of an account with roles of these names."""
    return rights_of(User(roles=[Role(name=name) for name in names]))


def test_the_highest_role_counts() -> None:
    assert _rights("viewer", "admin", "operator") == Rights("admin")


def test_a_role_may_what_the_lesser_ones_may() -> None:
    for endpoint, least in LEAST_ROLE.items():
        for role in ROLES:
            assert permits(endpoint, Rights(role)) == (RANKS[role] >= RANKS[least]), (
                endpoint,
                role,
            )


@pytest.mark.parametrize("names", [[], ["viewer"], ["admin"], ["root"], ["admin", "operator"]])
def test_an_endpoint_without_a_row_is_closed(names: list[str]) -> None:
    assert not permits("nobody.wrote_this_down", _rights(*names))
    assert not permits(None, _rights(*names))


def test_an_unknown_role_is_no_role() -> None:
    assert not permits("home.index", _rights("root"))
    assert [endpoint for endpoint in LEAST_ROLE if permits(endpoint, Rights())] == [
        endpoint for endpoint, least in LEAST_ROLE.items() if least == ANYONE
    ]
