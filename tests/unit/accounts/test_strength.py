"""Weak passwords are refused with the reason, in bounded time."""

from time import process_time

import pytest

from scheduler.accounts.policy import check_password, make_password
from scheduler.accounts.strength import weakness
from scheduler.errors import Refused

ADDRESS = "grace.hopper@example.com"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("aaaaaaaaaa", "repeats"),
        ("a" * 512, "repeats"),
        ("abcabcabcabcabc", "repeats"),
        (ADDRESS, "the account's address"),
        ("Grace.Hopper", "the account's address"),
        ("1234567890", "common password"),
        ("qwertyuiop", "common password"),
        ("password123", "common password"),
        ("P4ssw0rd!!", "commonly used password"),
        ("iloveyou2020", "commonly used password"),
        ("beatdesk2026", "few guesses"),
        ("beatdeskbeatdesk", "repeats"),
        ("gracehopper1", "few guesses"),
        ("31-12-1999!", "dates"),
    ],
)
def test_a_password_that_is_guessed_soon_is_refused_with_the_reason(
    password: str, reason: str
) -> None:
    with pytest.raises(Refused, match=r"password: it is easily guessed") as refusal:
        check_password(password, ADDRESS)
    assert refusal.value.field == "password"
    assert reason in str(refusal.value)
    assert password not in str(refusal.value) or password == ADDRESS


@pytest.mark.parametrize(
    "password",
    ["a few plain words", "other plain words", "Xk3-pQ9vtz", "aaaaaaaaaaaaaaaaaaaaaXk3-pQ9vtz"],
)
def test_a_password_of_some_words_or_of_random_letters_is_taken(password: str) -> None:
    assert check_password(password, ADDRESS) == password


def test_a_generated_password_is_never_weak() -> None:
    assert {weakness(make_password(), [ADDRESS]) for _ in range(50)} == {None}


def test_the_most_common_passwords_are_weak() -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    common = [word for word in FREQUENCY_LISTS["passwords"][:10_000] if len(word) >= 10]
    assert len(common) > 50
    assert [word for word in common if weakness(word) is None] == []


@pytest.mark.parametrize(
    "password",
    ["4@8({[<369&#!1/|0$5+7%2z" * 21, "4a@a8b(c{c[c3e6g9g1i!i|i1l|l0o$s5s+t7t%x2z" * 12, "1" * 512],
)
def test_no_password_takes_long_to_judge(password: str) -> None:
    weakness("a few plain words")  # reads the lists of words
    began = process_time()
    weakness(password)
    assert process_time() - began < 1
