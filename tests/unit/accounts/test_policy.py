"""What an account may look like."""

import pytest

from scheduler.accounts.policy import (
    FIRST_ADMIN,
    check_email,
    check_password,
    check_role,
    make_password,
)
from scheduler.errors import Refused


@pytest.mark.parametrize("email", ["ann@example.com", FIRST_ADMIN, "a.b+c@host", "jörg@bücher.de"])
def test_addresses_that_can_log_in(email: str) -> None:
    assert check_email(f" {email.upper()} ") == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "ann@",
        "@host",
        "a b@host",
        "ann@host..de",
        "ann@-host",
        "ann\n@host",
        "a@b@c",
        "a" * 250 + "@b.de",
    ],
)
def test_what_is_no_address_is_refused_at_its_field(email: str) -> None:
    with pytest.raises(Refused, match=r"write it like ann@example\.com") as refusal:
        check_email(email)
    assert refusal.value.field == "email"


def test_a_short_password_is_refused() -> None:
    with pytest.raises(Refused, match="it has 9 characters; use 10 or more"):
        check_password("123456789")
    assert check_password("Xk3-pQ9vtz") == "Xk3-pQ9vtz"


def test_an_endless_password_is_refused() -> None:
    with pytest.raises(Refused, match="at most 512"):
        check_password("x" * 513)


def test_a_made_up_password_is_long_and_never_the_same() -> None:
    made = {make_password() for _ in range(100)}
    assert len(made) == 100
    assert all(check_password(password) for password in made)


def test_an_unknown_role_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused, match="viewer, operator, admin"):
        check_role("root")
