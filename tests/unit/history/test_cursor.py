"""A cursor is opaque, comes back from anybody, and is checked."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import Refused
from scheduler.history.queries.cursor import cursor, key_of


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_gives_its_key_back(key: int) -> None:
    assert key_of(cursor(key)) == key


@pytest.mark.parametrize("first", [None, ""])
def test_no_cursor_is_the_first_page(first: str | None) -> None:
    assert key_of(first) is None


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "bad",
    [
        "1",
        "x",
        "'; DROP TABLE runs",
        "ü",
        "a\x00",
        "\ud800",
        encoded(b"5"),
        encoded(b"k"),
        encoded(b"k-1"),
        encoded(b"k1e3"),
        encoded(b"k" + b"9" * 19),
        encoded(b"k" + b"9" * 5000),
        encoded("k²".encode()),
        "k" * 100_000,
    ],
)
def test_anything_else_is_refused_naming_the_field(bad: str) -> None:
    with pytest.raises(Refused, match="after") as refused:
        key_of(bad)
    assert refused.value.field == "after"
    assert len(str(refused.value)) < 500


@given(st.text(max_size=40))
def test_no_text_at_all_makes_it_fail_otherwise(text: str) -> None:
    try:
        key = key_of(text)
    except Refused:
        return
    assert key is None or 0 <= key < 2**63
