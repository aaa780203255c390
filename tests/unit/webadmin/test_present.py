"""Words, signs and masks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.bounds import masked_text
from scheduler.events.secret_names import MASK
from scheduler.rules.model.run_states import FINAL, STATES
from webadmin import present

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.012, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.84, "1.84 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (180_000, "2 d 2 h"),
        (-2, "-2.00 s"),
    ],
)
def test_a_length_of_time_is_as_exact_as_it_is_useful(seconds: float | None, words: str) -> None:
    assert present.duration(seconds) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.0004, "0.1 %"),
        (0.5, "50 %"),
        (0.966, "97 %"),
        (0.9999, "99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_hundred_percent_is_all(share: float | None, words: str) -> None:
    assert present.share(share) == words


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=45), "in 45 s"),
        (timedelta(minutes=4, seconds=59), "in 4 min"),
        (timedelta(hours=-3), "3 h ago"),
        (timedelta(hours=-47), "47 h ago"),
        (timedelta(days=12), "in 12 d"),
    ],
)
def test_a_moment_is_told_from_now(away: timedelta, words: str) -> None:
    assert present.relative(NOON + away, NOON) == words


def test_a_moment_always_has_its_zone() -> None:
    berlin = datetime.fromisoformat("2026-11-21T13:00:00.250+01:00")
    assert present.absolute(berlin) == "2026-11-21 12:00:00 UTC"
    assert present.iso(berlin) == "2026-11-21T12:00:00.250Z"
    assert (present.absolute(None), present.iso(None)) == ("–", "")


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_word_a_sign_and_a_colour(state: str) -> None:
    look = present.STATES[state]
    assert all((look.words, look.icon, look.colour))
    assert look.live == (state not in FINAL)


def test_no_two_states_look_alike() -> None:
    looks = [(look.words, look.icon) for look in present.STATES.values()]
    assert len({words for words, _ in looks}) == len({icon for _, icon in looks}) == len(looks)


def test_a_state_of_a_later_version_is_shown_by_its_name() -> None:
    assert present.state_words("quarantined") == "Quarantined"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Passwd",
        "db_password",
        "secret",
        "client_secret",
        "api_key",
        "apiKey",
        "APIKEY",
        "access_key",
        "private_key",
        "token",
        "auth_token",
        "Authorization",
        "authorisation",
        "auth",
        "cookie",
        "credentials",
        "signature",
        "dsn",
        "report_dsn",
        "webhook_url",
        "passphrase",
    ],
)
def test_a_secret_is_known_by_its_name(key: str) -> None:
    assert present.masked({key: "x"}) == {key: MASK}


@pytest.mark.parametrize(
    "key", ["days", "author", "compass", "keyboard", "key", "passenger", "url", "tokyo", "path"]
)
def test_a_harmless_name_hides_nothing(key: str) -> None:
    assert present.masked({key: "x"}) == {key: "x"}


def test_a_secret_is_hidden_at_any_depth_and_an_empty_one_is_shown_as_empty() -> None:
    value = {"a": [{"password": {"inner": "x"}}, ("token", {"token": ""})], "secret": None}
    assert present.masked(value) == {
        "a": [{"password": MASK}, ["token", {"token": ""}]],
        "secret": None,
    }


def test_the_password_of_an_address_is_hidden_in_any_text() -> None:
    text = (
        "cannot reach postgresql+psycopg://reader:hunter2@db:5432/x and redis://:hunter2@h, "
        "http://h:80/a@b is fine"
    )
    assert masked_text(text) == (
        f"cannot reach postgresql+psycopg://reader:{MASK}@db:5432/x and redis://:{MASK}@h, "
        "http://h:80/a@b is fine"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["password", "api_token", "Secret"]))
def test_no_planted_secret_is_ever_shown(value: object, key: str) -> None:
    planted = {"deep": [{"er": {key: "pl4nted", "also": value}}], key: ["pl4nted"]}
    assert "pl4nted" not in present.pretty(planted)


def test_json_without_an_end_is_cut_and_does_not_crash() -> None:
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    assert "…" in present.pretty(deep)


def test_the_steps_of_a_run_have_their_gaps() -> None:
    steps = present.steps(
        NOON, NOON + timedelta(seconds=1), None, NOON + timedelta(seconds=3), None
    )
    assert [(step.name, step.gap and step.gap.total_seconds()) for step in steps] == [
        ("Due", None),
        ("Queued", 1.0),
        ("Received", None),
        ("Started", 2.0),
        ("Finished", None),
    ]


def test_a_run_without_a_tick_was_never_due() -> None:
    assert present.steps(None, NOON, NOON, NOON, NOON)[0].name == "Queued"


def test_numbers_and_sizes_are_readable() -> None:
    assert (present.count(1234567), present.count(None), present.count(0)) == (
        "1\u202f234\u202f567",
        "–",
        "0",
    )
    assert [present.size(n) for n in (None, 999, 14_200, 3_000_000)] == [
        "–",
        "999 B",
        "14.2 kB",
        "3.0 MB",
    ]


def test_an_error_is_told_in_one_line_without_its_password() -> None:
    assert present.first_line("  E: redis://:hunter2@h\nTraceback") == f"E: redis://:{MASK}@h"
    assert present.first_line("x" * 300) == "x" * 159 + "…"


def test_a_docstring_loses_the_breaks_that_only_its_width_made_and_no_others() -> None:
    long = "Broken pictures and those with too many pixels are told in the result,"
    assert present.unwrapped(f"Short.\nStays.\n\n{long}\nand the others are made.") == (
        f"Short.\nStays.\n\n{long} and the others are made."
    )
    for own in ("- an item", "  an indent", "2. the second", ":param x: y"):
        assert present.unwrapped(f"{long}\n{own}") == f"{long}\n{own}"
    assert present.unwrapped(f"{long}\n\nNext.") == f"{long}\n\nNext."


def test_a_tick_of_the_past_was_due_and_one_to_come_comes() -> None:
    assert present.due(NOON + timedelta(minutes=4), NOON) == "in 4 min"
    assert present.due(NOON, NOON) == "now"
    assert present.due(NOON - timedelta(hours=10), NOON) == "due 10 h ago"
    assert present.due(None, NOON) == present.DASH
