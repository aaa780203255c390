"""What of a body may stand in an event."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.bounds import DEEPEST, bounded, bounded_text
from scheduler.events.secret_names import MASK, is_secret

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Rude:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@given(JSON, st.integers(min_value=256, max_value=2000))
def test_whatever_is_given_comes_out_as_json_that_fits(value: Any, limit: int) -> None:
    told = json.dumps(bounded(value, limit), allow_nan=False, ensure_ascii=False).encode()
    assert len(told) <= limit * 2 + 200
    assert b"\\u0000" not in told


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "text", [1, [2]], {"a": {"b": [None, "c"]}}, "ünï", 2**62]
)
def test_plain_json_stays_as_it_is(value: Any) -> None:
    assert bounded(value, 1000) == value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "nan"),
        (2**70, str(2**70)),
        ((1, 2), [1, 2]),
        (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00Z"),
        (Path("/x"), "/x"),
        ("\ud800", "\\ud800"),
        ("a\x00b", "a\\x00b"),
        (Rude(), "[Rude, cannot be shown: RuntimeError]"),
        ({1: "x"}, {"1": "x"}),
    ],
)
def test_what_is_not_json_is_told_as_what_is(value: Any, told: Any) -> None:
    assert bounded(value, 1000) == told


def test_what_refers_to_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert json.dumps(bounded(loop, 10_000)).count("[") >= DEEPEST


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "passwd",
        "token",
        "accessToken",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "client_secret",
        "Authorization",
        "credentials",
        "private_key",
        "dsn",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)
    assert bounded({"deep": [{name: "hunter2"}]}, 1000) == {"deep": [{name: MASK}]}


@pytest.mark.parametrize(
    "name", ["days", "passenger", "tokenizer", "secretary", "key", "keyword", "author", "compass"]
)
def test_names_that_only_look_like_secrets_are_not(name: str) -> None:
    assert not is_secret(name)


def test_an_empty_secret_is_told_as_empty() -> None:
    assert bounded({"password": None, "token": ""}, 1000) == {"password": None, "token": ""}


def test_passwords_in_addresses_are_hidden() -> None:
    assert bounded("redis://:hunter2@host/0", 1000) == f"redis://:{MASK}@host/0"
    text = "could not connect to postgresql://ada:hunter2@db:5432/x?y=z"
    assert bounded_text(text, 1000) == f"could not connect to postgresql://ada:{MASK}@db:5432/x?y=z"
    assert bounded_text("see http://host:80/a@b", 1000) == "see http://host:80/a@b"


def test_a_large_value_is_cut_with_a_mark_that_says_how_large_it_was() -> None:
    told = bounded(["x" * 5000], 1000)
    assert isinstance(told, str)
    assert told.startswith('["xxx')
    assert "5004 bytes, 1000 kept" in told


def test_a_traceback_keeps_its_first_and_its_last_lines() -> None:
    text = "Traceback\n" + "middle\n" * 1000 + "ValueError: the reason"
    told = bounded_text(text, 1000, keep="ends")
    assert told.startswith("Traceback")
    assert told.endswith("ValueError: the reason")
    assert len(told) < 1200


def test_letters_are_not_cut_in_half() -> None:
    assert bounded_text("ü" * 1000, 257).startswith("ü" * 128 + "…")


def test_what_only_names_a_secret_is_shown() -> None:
    said = bounded({"password": "secret://shop-password", "token": "secret://shop and more"}, 1000)
    assert said == {"password": "secret://shop-password", "token": MASK}
