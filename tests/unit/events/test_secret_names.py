"""Names of secrets: the events and the console hide the same."""

import pytest

from scheduler.events.bounds import bounded
from scheduler.events.redaction import without_secrets
from scheduler.events.secret_names import MASK, WORDS, is_hidden, is_secret
from webadmin import present

SECRET = [
    "password",
    "Passwd",
    "db_password",
    "dbpassword",
    "passwords",
    "password2",
    "secret",
    "client_secret",
    "secrets",
    "api_key",
    "apiKey",
    "X-Api-Key",
    "access_key",
    "private_key",
    "token",
    "accessToken",
    "mytoken",
    "token_1",
    "Authorization",
    "authorisation",
    "auth",
    "cookie",
    "session-cookie",
    "credentials",
    "credential",
    "signature",
    "dsn",
    "report_dsn",
    "webhook",
    "webhook_url",
    "slackWebhook",
    "passphrase",
    "user.pass",
    "pass",
]
HARMLESS = [
    "days",
    "author",
    "compass",
    "bypass",
    "keyboard",
    "key",
    "keyword",
    "passenger",
    "tokenizer",
    "secretary",
    "tokyo",
    "path",
    "authority",
    "oauth",
    "",
]


@pytest.mark.parametrize("name", SECRET)
def test_a_secret_is_hidden_in_events_and_in_the_console_alike(name: str) -> None:
    assert is_secret(name)
    assert bounded({name: "x"}, 1000) == present.masked({name: "x"}) == {name: MASK}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_hides_nothing_in_either(name: str) -> None:
    assert not is_secret(name)
    assert bounded({name: "x"}, 1000) == present.masked({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("value", [None, "", "secret://shop-password"])
def test_what_is_empty_or_only_names_a_secret_is_shown(value: object) -> None:
    assert not is_hidden("password", value)


def test_a_number_of_tokens_is_shown_and_a_list_of_them_is_not() -> None:
    assert not is_hidden("max_tokens", 4096)
    assert is_hidden("tokens", ["abc"])
    assert is_hidden("password", 1234)


@pytest.mark.parametrize(
    "word", ["password", "passwd", "secret", "token", "api_key", "access-key", "authorisation"]
)
def test_running_text_knows_the_same_words(word: str) -> None:
    assert without_secrets(f"{word}=abcdef", "#") == f"{word}=#"


def test_there_is_no_word_twice() -> None:
    assert len(set(WORDS)) == len(WORDS)
