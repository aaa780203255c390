"""What Beat sends for a tick: the short way to the options of the next tick is the long one's answer."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.spec import Policies
from scheduler.schedules.sending import for_tick, options_for
from tests.support.builders import NOON, a_schedule

TICKS = st.integers(-(10**9), 10**9).map(lambda millis: NOON + timedelta(milliseconds=millis))


@given(TICKS, TICKS, st.none() | st.floats(1, 1e6), st.sampled_from([{}, {"headers": {"a": 1}, "expires": 5}]))
def test_the_next_ticks_options_follow_from_the_last_ones(
    before: datetime, tick: datetime, deadline: float | None, options: dict[str, object]
) -> None:
    schedule = a_schedule(policies=Policies(starting_deadline=deadline, retries=2))
    answer = for_tick(options_for(schedule, before, options), schedule, tick)
    assert answer == options_for(schedule, tick, options)
    assert list(answer["headers"]) == list(options_for(schedule, tick, options)["headers"])
