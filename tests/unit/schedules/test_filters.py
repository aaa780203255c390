"""Filters: the text rules out, the meaning decides, and both agree."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.redbeat import codec, extra_field
from scheduler.redbeat.codec import Raw
from scheduler.schedules.filters import Filter
from tests.support.builders import a_schedule

WORDS = st.sampled_from(["a", "app.task", "größe", 'quo"te', "back\\slash", "a/b", "é", "☃"])


@given(
    enabled=st.booleans(),
    job=WORDS,
    tags=st.lists(WORDS, max_size=2),
    static=st.booleans(),
    filters=st.builds(
        Filter,
        st.sampled_from(["all", "enabled", "disabled"]),
        WORDS | st.just(""),
        WORDS | st.just(""),
    ),
    ascii_only=st.booleans(),
)
def test_the_text_never_rules_out_what_the_meaning_lets_pass(
    *, enabled: bool, job: str, tags: list[str], static: bool, filters: Filter, ascii_only: bool
) -> None:
    schedule = a_schedule(
        job=job, tags=tags, enabled=enabled, origin="code" if static else "operator"
    )
    text = json.dumps(json.loads(codec.encode_definition(schedule)), ensure_ascii=ascii_only)
    raw = Raw(text, None, extra_field.encode(schedule, text))
    read = codec.decode(schedule.name, raw, static=static).schedule
    assert read.enabled == enabled
    if filters.matches(read):
        assert filters.may_match(raw, static=static)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, True),
        ({"state": "enabled"}, True),
        ({"state": "disabled"}, False),
        ({"state": "problem"}, False),
        ({"tag": "x"}, True),
        ({"tag": "y"}, False),
        ({"job": "reports.job_summary", "tag": "x", "state": "enabled"}, True),
        ({"job": "reports.job"}, False),
    ],
)
def test_all_filters_must_let_a_schedule_pass(filters: dict[str, Any], passes: bool) -> None:
    assert Filter(**filters).matches(a_schedule(tags=["x"])) is passes


def test_an_unreadable_entry_is_a_problem_and_nothing_else() -> None:
    assert Filter("problem").matches(None)
    assert Filter("all").matches(None)
    for filters in (
        Filter("enabled"),
        Filter("disabled"),
        Filter("all", job="x"),
        Filter("problem", tag="x"),
    ):
        assert not filters.matches(None)
