"""Filters as they are typed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.history.queries.views import TRIGGERS
from scheduler.rules.model.run_states import STATES
from webadmin.parsed_filters import (
    CHOICES,
    FILTERS,
    moment,
    parse_filters,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_form_offers_what_the_history_knows() -> None:
    assert set(CHOICES["state"]) == set(STATES)
    assert set(CHOICES["trigger"]) == set(TRIGGERS)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("15m", NOON - timedelta(minutes=15)),
        ("15 min", NOON - timedelta(minutes=15)),
        ("24h", NOON - timedelta(hours=24)),
        ("7d", NOON - timedelta(days=7)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20 06:00", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-20 06:00:00 UTC", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-20T06:00:00+01:00", datetime(2026, 11, 20, 5, tzinfo=UTC)),
    ],
)
def test_a_time_can_be_written_as_people_write_it(text: str, meant: datetime) -> None:
    assert moment(text, NOON) == meant


@pytest.mark.parametrize(
    "text", ["yesterday", "-5m", "1w", "2026-13-01", "999999d", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="Write 24h or 7d"):
        moment(text, NOON)


def test_what_is_wrong_is_left_out_and_named_and_still_shown() -> None:
    found = parse_filters({"since": "soon", "job": " mail.digest ", "page": "3", "queue": ""}, NOON)
    assert found.parsed == {"job": "mail.digest"}
    assert found.raw == {"since": "soon", "job": "mail.digest"}
    assert list(found.errors) == ["since"]


@given(st.dictionaries(st.sampled_from(FILTERS), st.text(max_size=400)))
def test_whatever_is_typed_is_answered(query: dict[str, str]) -> None:
    found = parse_filters(query, NOON)
    assert set(found.parsed) | set(found.errors) == set(found.raw)
