"""What Beat sends for a tick: the facts of its run, the limits of its policies, and the entry's own
options.
"""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.dispatch.message_options import facts_of, for_tick, options_for
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies
from scheduler.runs.headers import headers_for
from scheduler.runs.own_header import HEADER
from tests.support.builders import NOON, a_schedule

TICKS = st.integers(-(10**9), 10**9).map(lambda millis: NOON + timedelta(milliseconds=millis))
HELD = st.none() | st.builds(
    WaitingTick,
    TICKS,
    st.sampled_from(["schedule", "manual", "backfill"]),
    st.none() | st.just("ada@example.org"),
)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"headers": {"a": 1}, "expires": 5},
    {"headers": None, "task_id": "theirs"},
]


@given(TICKS, HELD, st.sampled_from(OPTIONS))
@example(NOON, None, OPTIONS[0])
def test_a_message_carries_the_facts_of_its_run(
    tick: datetime, held: WaitingTick | None, options: dict[str, Any]
) -> None:
    schedule = a_schedule(policies=Policies(retries=2, retry_backoff=5))
    answer = options_for(schedule, tick, options, held)
    facts = headers_for(facts_of(schedule, tick, held))
    facts[HEADER] |= {"retries": 2, "backoff": 5}
    assert answer == {
        **options,
        "task_id": run_id(schedule.uid, tick),
        "headers": (options.get("headers") or {}) | facts,
    }


@given(TICKS, st.floats(1, 1e6), st.booleans())
def test_it_ends_with_its_starting_deadline_unless_an_operator_asked_for_it(
    tick: datetime, deadline: float, asked: bool
) -> None:
    schedule = a_schedule(policies=Policies(starting_deadline=deadline))
    answer = options_for(
        schedule, tick, {}, WaitingTick(tick, "manual", "ada@example.org") if asked else None
    )
    assert answer.get("expires") == (None if asked else tick + timedelta(seconds=deadline))


@given(TICKS, TICKS, st.none() | st.floats(1, 1e6), st.sampled_from(OPTIONS))
def test_the_options_of_one_tick_follow_from_those_of_another(
    before: datetime, tick: datetime, deadline: float | None, options: dict[str, Any]
) -> None:
    schedule = a_schedule(policies=Policies(starting_deadline=deadline, retries=2))
    answer = for_tick(options_for(schedule, before, options), schedule, tick)
    assert answer == options_for(schedule, tick, options)
    assert list(answer["headers"]) == list(options_for(schedule, tick, options)["headers"])
