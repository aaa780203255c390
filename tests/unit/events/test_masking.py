"""Masking: one function for events, console, logs, commands; nothing planted is left."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.bounds import (
    DEEP_TEXT,
    DEEPEST,
    bounded,
    masked,
    masked_arguments,
    masked_text,
)
from scheduler.events.secret_names import MASK, is_literal_secret
from webadmin import present

PLANTED = "Hunter2xQ9vLm4Zt7"

TEXTS = [
    "password={}",
    "PASSWORD = {}",
    "'db_password': '{}'",
    "pwd={}",
    "Server=db;Uid=app;Pwd={};",
    "host=db port=5432 user=app password={} dbname=shop",
    "host=db password='{}' sslmode=require",
    "jdbc:postgresql://db/shop?user=app&password={}",
    "jdbc:sqlserver://db:1433;databaseName=shop;user=app;password={};",
    "jdbc:oracle:thin:scott/{}@//db:1521/shop",
    "postgresql://app:{}@db/shop",
    "redis://:{}@cache:6379/0",
    "redis://:p@ss#w/{}@cache:6379/0",
    "redis://:{}@one:1,redis://:{}@two:2",
    "Bearer {}",
    "bearer {} was refused",
    "Authorization: Bearer {}",
    "Authorization: Basic {}",
    "authorization: {}",
    "X-Api-Key: {}",
    "X-Amz-Security-Token: {}",
    "Cookie: session={}",
    "Cookie: theme=dark; session={}",
    "Set-Cookie: sid={}; Path=/",
    "--password {} --verbose",
    "--db-password={}",
    "curl --api-key '{}'",
    '{{"password": "{}"}}',
    "{{'token': '{}'}}",
    '{{\\"secret\\": \\"{}\\"}}',
    "aws_secret_access_key={}",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{}",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\n{}\\n-----END OPENSSH PRIVATE KEY-----",
]
FORMS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "glpat-abcdefghij0123456789",
    "bd_3kJ9xQ2mVb7Lr5Tn8Wp1Zc4Yf6Hd0Gs3Aq7Ue9Ox",
    "npm_3kJ9xQ2mVb7Lr5Tn8Wp1Zc4Yf6Hd0Gs3",
    "xoxb-123456789012-abcdefghijkl",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_in_a_text_is_hidden(text: str) -> None:
    assert PLANTED not in masked_text(
        text.replace("{{", "{").replace("}}", "}").replace("{}", PLANTED)
    )


@pytest.mark.parametrize("secret", FORMS)
@pytest.mark.parametrize("around", ["{}", "used {} today", '["{}"]', "x={}"])
def test_a_key_in_its_makers_form_is_hidden_anywhere(secret: str, around: str) -> None:
    assert secret not in masked_text(around.replace("{}", secret))


@pytest.mark.parametrize(
    "value",
    [
        {"password": PLANTED},
        {"deep": [{"dbPwd": PLANTED}]},
        ["--password", PLANTED],
        ["--db-password", PLANTED, "--verbose"],
        {"headers": [["Authorization", PLANTED]]},
        {"env": [{"name": "DB_PASSWORD", "value": PLANTED}]},
        {"url": f"https://ann:{PLANTED}@example.org/"},
        ["Bearer " + PLANTED],
        {"command": f"psql 'host=db password={PLANTED}'"},
    ],
)
def test_a_secret_in_a_value_is_hidden_in_events_and_console_alike(value: Any) -> None:
    shown = [json.dumps(masked(value)), json.dumps(bounded(value, 9999)), present.pretty(value)]
    assert all(PLANTED not in text and MASK in text.replace("\\u2022", "•") for text in shown)


def test_a_positional_argument_is_hidden_by_the_parameters_name() -> None:
    assert masked_arguments(["ann", PLANTED, 3], ["user", "password"]) == ["ann", MASK, 3]
    assert masked_arguments([PLANTED], []) == [PLANTED]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org:8080/path?mail=ann@example.org",
        "https://example.org/a@b",
        "see redis://cache:6379/0, user@host",
        "Bearer tokens are refused",
        "Basic authentication is off",
        "the cookie: it is stale",
        "the days of --password are over",
        "cd $PWD",
        "12:30:45 key: value",
        "ratio=0.5 total: 1234",
        "reports.job_summary days=30",
        "token=get_the_token(1)",
    ],
)
def test_text_without_a_secret_is_unchanged(text: str) -> None:
    assert masked_text(text) == text


SECRETS = st.text(alphabet="abcdefghXYZ0123456789", min_size=8, max_size=40).map(
    lambda text: f"Q7{text}9z"
)
WRAPS = st.sampled_from(
    [
        "{}", '{{"a": "{}"}}', "x {} y", "[{}]", "a=1 {}", "{}\nnext", "({})", "see: {}", '"{}"',
    ]
)  # fmt: skip


@given(SECRETS, st.sampled_from(TEXTS), WRAPS, WRAPS)
def test_nothing_planted_is_left_whatever_stands_around(
    secret: str, text: str, first: str, second: str
) -> None:
    planted = text.replace("{{", "{").replace("}}", "}").replace("{}", secret)
    for around in (first, second):
        planted = around.replace("{{", "{").replace("}}", "}").replace("{}", planted)
    assert secret not in masked_text(planted)


@given(st.sampled_from(TEXTS), SECRETS)
def test_what_is_masked_stays_as_it_is(text: str, secret: str) -> None:
    once = masked_text(text.replace("{}", secret))
    assert masked_text(once) == once


@pytest.mark.parametrize(
    ("name", "value", "literal"),
    [
        ("password", "hunter2", True),
        ("db_pwd", "hunter2", True),
        ("apiKey", "abcdef", True),
        ("pin_password", 123456, True),
        ("credentials", {"user": "ann", "key": "abcdef"}, True),
        ("Authorization", "Bearer abcdef", True),
        ("password", "secret://shop", False),
        ("Authorization", "Bearer secret://shop", False),
        ("password", "", False),
        ("password", None, False),
        ("use_token", True, False),
        ("token_url", "https://example.org/token", False),
        ("password_file", "/run/secrets/a", False),
        ("max_tokens", 4096, False),
        ("days", "hunter2", False),
    ],
)
def test_a_literal_is_told_from_a_reference(name: str, value: Any, literal: bool) -> None:
    assert is_literal_secret(name, value) is literal


def test_a_key_that_only_looks_like_the_field_value_does_no_harm() -> None:
    class Field:
        def __str__(self) -> str:
            return "value"

    assert masked({"name": "password", Field(): PLANTED}) == {"name": "password", "value": MASK}


@pytest.mark.parametrize("naming", ["name", "key", "header"])
def test_the_value_beside_the_name_of_a_secret_is_hidden(naming: str) -> None:
    assert masked({naming: "X-Api-Key", "value": PLANTED}) == {naming: "X-Api-Key", "value": MASK}


@pytest.mark.parametrize("text", ["Authorization: Bearer abcd", f"bearer {'k' * 24}"])
def test_a_token_of_letters_is_hidden_by_its_header_or_its_length(text: str) -> None:
    assert masked_text(text).partition(" ")[0] == text.partition(" ")[0]
    assert masked_text(text).endswith(f" {MASK}")


def test_of_a_value_that_is_nested_too_deep_the_beginning_stays() -> None:
    value: Any = "x" * 100_000
    for _ in range(DEEPEST + 1):
        value = [value]
    assert len(json.dumps(masked(value))) < 2 * DEEP_TEXT
