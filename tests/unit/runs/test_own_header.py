"""The message header `beatdesk` has one encoding, and the messages of earlier versions are still
read.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.runs.own_header import (
    HEADER,
    LONGEST_BACKOFF,
    LONGEST_NAME,
    MOST_RETRIES,
    OwnHeader,
    decode,
    encode,
    moment_in,
    schedule_of,
    tick_of,
    updated,
)

GOLDEN: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "golden/message_headers.json").read_text()
)
SIX = datetime(2026, 11, 21, 6, tzinfo=UTC)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_header_is_written_and_read_as_the_golden_file_says(name: str) -> None:
    written = GOLDEN[name]
    header = decode({HEADER: written})
    assert encode(header) == written
    assert list(encode(header)) == list(written), "Beat's prepared messages rely on the order"
    moments = {
        name: moment_in(written[name]) for name in ("queued_at", "due_at") if name in written
    }
    assert header == OwnHeader(**{**written, **moments})


def test_every_part_stands_in_the_golden_file() -> None:
    assert {part for written in GOLDEN.values() for part in written} == set(OwnHeader._fields)


def test_a_message_of_another_origin_says_nothing() -> None:
    for headers in ({}, {HEADER: None}, {HEADER: "x"}, None):
        assert decode(headers) == OwnHeader()
        assert encode(decode(headers)) == {}


def test_parts_that_are_changed_leave_the_others_and_those_of_later_versions() -> None:
    headers = {"id": "r-1", HEADER: {"schedule": "nightly", "later": [1]}}
    assert updated(headers, lost=1) == {
        "id": "r-1",
        HEADER: {"schedule": "nightly", "later": [1], "lost": 1},
    }
    assert updated({}, lost=1) == {HEADER: {"lost": 1}}
    assert headers == {"id": "r-1", HEADER: {"schedule": "nightly", "later": [1]}}


@pytest.mark.parametrize(
    ("retries", "backoff", "read"),
    [
        (2, 5, (2, 5.0)),
        (10**9, 5, (MOST_RETRIES, 5.0)),
        (-1, 5, (0, 5.0)),
        (2, 0, (None, None)),
        (2, LONGEST_BACKOFF + 1, (None, None)),
        ("2", 5, (None, None)),
        (2, None, (None, None)),
    ],
)
def test_further_attempts_need_a_number_and_seconds_in_their_bounds(
    retries: Any, backoff: Any, read: Any
) -> None:
    header = decode({HEADER: {"retries": retries, "backoff": backoff}})
    assert (header.retries, header.backoff) == read


@pytest.mark.parametrize(
    "parts",
    [
        {"trigger": "cron"},
        {"revision": True},
        {"revision": 2**31},
        {"outbox": "a b"},
        {"lost": "2"},
        {"actor": ""},
    ],
)
def test_a_part_in_another_form_is_none(parts: dict[str, Any]) -> None:
    assert decode({HEADER: parts}) == OwnHeader()


def test_a_name_is_cut_where_an_event_cannot_carry_it() -> None:
    name = schedule_of({HEADER: {"schedule": "n" * 1000}})
    assert name is not None
    assert len(name) <= LONGEST_NAME
    assert schedule_of({HEADER: ["nightly"]}) is None


def test_the_tick_is_a_moment_in_utc() -> None:
    assert (
        tick_of({"tick": "2026-11-21T07:00:00+01:00"})
        == tick_of({"tick": "2026-11-21T06:00:00"})
        == SIX
    )
    assert tick_of({"tick": "at six"}) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(OwnHeader._fields), ANYTHING) | ANYTHING)
def test_whatever_stands_in_a_header_can_be_read_and_written_again(parts: Any) -> None:
    header = decode({HEADER: parts})
    assert decode({HEADER: json.loads(json.dumps(encode(header)))}) == header
