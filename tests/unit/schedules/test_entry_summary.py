"""What is remembered of an entry never rules out what reading it would let pass."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.redbeat import codec, extra_field
from scheduler.redbeat.codec import Meta, Raw
from scheduler.rules.model.spec import (
    OnceWhen,
    Pause,
    RruleWhen,
    When,
    Window,
)
from scheduler.rules.policies.window import live_next_tick
from scheduler.schedules import entry_summary
from scheduler.schedules.entry_summary import Fact
from scheduler.schedules.filters import Filter, State
from tests.support.builders import NOON, a_schedule, cron, every

HOUR = timedelta(hours=1)
WORDS = st.sampled_from(["a", "app.task", "größe", 'quo"te'])
WHENS = st.sampled_from(
    [cron("0 6 * * *"), every(60, NOON), OnceWhen(at=NOON - HOUR), OnceWhen(at=NOON + HOUR)]
)
WINDOWS = st.sampled_from(
    [Window(), Window(ends_at=NOON), Window(ends_at=NOON + HOUR), Window(max_runs=2)]
)
PAUSES = st.sampled_from(
    [
        None,
        Pause(reason="r", by="a", since=NOON),
        Pause(reason="r", by="a", since=NOON - HOUR, until=NOON),
    ]
)
FILTERS = st.builds(
    Filter,
    st.sampled_from(get_args(State)),
    WORDS | st.just(""),
    WORDS | st.just(""),
    st.just(NOON),
)


@given(
    enabled=st.booleans(),
    job=WORDS,
    tags=st.lists(WORDS, max_size=2),
    when=WHENS,
    window=WINDOWS,
    paused=PAUSES,
    runs=st.integers(0, 3),
    filters=FILTERS,
)
def test_facts_never_rule_out_what_belongs_to_a_list(
    *,
    enabled: bool,
    job: str,
    tags: list[str],
    when: When,
    window: Window,
    paused: Pause | None,
    runs: int,
    filters: Filter,
) -> None:
    schedule = a_schedule(
        job=job, tags=tags, enabled=enabled, when=when, window=window, paused=paused
    )
    text = codec.encode_definition(schedule)
    raw = Raw(text, codec.encode_meta(Meta(NOON, runs)), extra_field.encode(schedule, text))
    found = entry_summary.fact(schedule.name, raw, static=False, earlier=None)
    entry = codec.decode(schedule.name, raw)
    belongs = filters.matches(entry.schedule)
    if filters.state == "finished":
        belongs = belongs and live_next_tick(entry.schedule, NOON, runs=runs) is None
    if belongs:
        assert entry_summary.may_pass(found, filters, is_aside=False)


def a_fact(
    text: str = "", meta: str | None = None, earlier: Fact | None = None, **parts: object
) -> Fact:
    schedule = a_schedule(**parts)  # type: ignore[arg-type]
    definition = text or codec.encode_definition(schedule)
    meta = codec.encode_meta(Meta(NOON, 1)) if meta is None else meta
    return entry_summary.fact(
        schedule.name,
        Raw(definition, meta, extra_field.encode(schedule, definition)),
        static=False,
        earlier=earlier,
    )


@pytest.mark.parametrize(
    ("when", "window", "is_worth_it"),
    [
        (cron("0 6 * * *"), Window(), False),
        (every(60, NOON), Window(), False),
        (every(60, NOON), Window(max_runs=1), True),
        (cron("0 6 * * *"), Window(ends_at=NOON), True),
        (cron("0 6 * * *"), Window(calendar="holidays"), True),
        (OnceWhen(at=NOON), Window(), True),
        (RruleWhen(rrule="FREQ=DAILY;COUNT=2", dtstart=NOON), Window(), True),
    ],
)
def test_only_what_can_end_is_looked_at_for_the_finished_ones(
    when: When, window: Window, *, is_worth_it: bool
) -> None:
    found = a_fact(when=when, window=window)
    assert (
        entry_summary.may_pass(found, Filter("finished", now=NOON), is_aside=False) is is_worth_it
    )


def test_a_run_that_beat_has_sent_does_not_make_the_definition_read_again() -> None:
    first = a_fact()
    again = a_fact(meta=codec.encode_meta(Meta(NOON + HOUR, 2)), earlier=first)
    assert again.definition is first.definition
    assert a_fact(earlier=first, tags=["x"]).definition is not first.definition


@pytest.mark.parametrize(
    ("definition", "meta"), [("{", None), ("", "{"), ("", '{"last_run_at": 5}'), ("[]", "[]")]
)
def test_what_cannot_be_read_is_a_problem(definition: str, meta: str | None) -> None:
    text = definition or codec.encode_definition(a_schedule())
    found = entry_summary.fact("nightly-report", Raw(text, meta, None), static=False, earlier=None)
    assert entry_summary.may_pass(found, Filter("problem", now=NOON), is_aside=False)
    assert not found.is_readable


def test_a_mended_memory_is_no_problem_any_more() -> None:
    broken = a_fact(meta="{")
    assert not entry_summary.may_pass(
        a_fact(earlier=broken), Filter("problem", now=NOON), is_aside=False
    )


def test_what_beat_has_set_aside_is_worth_reading_whatever_it_says() -> None:
    assert entry_summary.may_pass(a_fact(), Filter("problem", now=NOON), is_aside=True)
    assert not entry_summary.may_pass(
        a_fact(), Filter("problem", now=NOON, tag="nobody"), is_aside=True
    )
