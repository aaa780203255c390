"""Beat's memory of an entry (`meta`): dates and counts as every writer of RedBeat's format
spells them.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from tests.support.builders import NOON


@pytest.mark.parametrize(
    "meta",
    [
        Meta(),
        Meta(NOON),
        Meta(NOON + timedelta(microseconds=5), 12),
        Meta(None, 3),
    ],
)
def test_beats_memory_is_read_again(meta: Meta) -> None:
    text = codec.encode_meta(meta)
    assert codec.decode_meta(text) == meta
    assert json.dumps(json.loads(text)) == text


@given(
    st.tuples(*(st.integers(0, 70) for _ in range(6))),
    st.integers(1, 9999),
    st.none() | st.integers(0, 10**18),
    st.sampled_from(["UTC", 0.0, 3600.0, 0.5]),
)
@example((11, 21, 12, 0, 0, 0), 2026, None, "UTC")
@example((2, 29, 0, 0, 0, 999_999), 2024, 7, 0.0)
@example((2, 29, 0, 0, 0, 999_999), 2024, 7, 3600.0)
@example((2, 30, 0, 0, 0, 0), 2024, 7, "UTC")
def test_the_usual_memory_is_read_as_any_other_is(
    parts: tuple[int, ...], year: int, count: int | None, zone: str | float
) -> None:
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    said: dict[str, Any] = {
        "__type__": "datetime",
        **dict(zip(names, (year, *parts), strict=True)),
        "timezone": zone,
    }
    memory = {"last_run_at": said} | ({} if count is None else {"total_run_count": count})
    texts = json.dumps(memory), json.dumps(memory, separators=(",", ":"))

    def read(text: str) -> Meta | None:
        try:
            return codec.decode_meta(text)
        except UnreadableEntry:
            return None

    assert read(texts[0]) == read(texts[1])


@pytest.mark.parametrize("zone", [0.0, 3600.0, "UTC", "Europe/Berlin"])
def test_moments_of_plain_redbeat_code_are_read_in_their_zone(zone: Any) -> None:
    parts = {
        "year": 2026,
        "month": 11,
        "day": 21,
        "hour": 12,
        "minute": 0,
        "second": 0,
        "microsecond": 0,
    }
    text = json.dumps({"last_run_at": {"__type__": "datetime", **parts, "timezone": zone}})
    hours = 0 if zone in (0.0, "UTC") else 1
    assert codec.decode_meta(text).last_run_at == datetime(2026, 11, 21, 12 - hours, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"last_run_at": 5}',
        '{"last_run_at": {"__type__": "datetime"}}',
        '{"last_run_at": {"__type__": "datetime", "year": 2026, "month": 1, "day": 1, "timezone": "Mars"}}',
        '{"last_run_at": null, "surprise": 1}',
    ],
)
def test_a_memory_that_beat_cannot_load_is_refused(text: str) -> None:
    with pytest.raises(UnreadableEntry):
        codec.decode_meta(text)
