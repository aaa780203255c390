"""A saved schedule as a form and back."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.model.spec import IntervalWhen, When
from tests.support.builders import a_spec, cron
from webadmin.forms import json_text
from webadmin.forms.fields import UNITS
from webadmin.forms.schedule import ScheduleForm
from webadmin.forms.texts import split_seconds

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)

INTERVALS = [IntervalWhen(every=seconds, anchor=ANCHOR) for seconds in (1.5, 90, 7200)]


@pytest.mark.parametrize("when", [cron("*/5 * * * *", "Asia/Tokyo"), *INTERVALS])
def test_what_is_saved_is_read_back_from_its_form(when: When) -> None:
    spec = a_spec(
        when=when,
        args=[1, "ü"],
        kwargs={"a": {"b": [None, 1.5]}},
        tags=["x", "y z"],
        priority=0,
        queue="q",
    )
    assert ScheduleForm.showing(spec).read().spec == spec


@given(st.floats(min_value=1, max_value=1e8, allow_nan=False))
def test_a_length_of_time_survives_its_unit(seconds: float) -> None:
    number, unit = split_seconds(seconds)
    assert float(number) * UNITS[unit] == pytest.approx(seconds, rel=1e-14)


@given(st.text())
def test_any_text_is_json_or_refused_with_a_reason(text: str) -> None:
    with suppress(json_text.BadJson):
        json.dumps(json_text.parse(text), allow_nan=False).encode()
