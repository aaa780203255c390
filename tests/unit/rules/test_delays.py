"""Backoff and jitter: never sooner than said, never past the next tick, and the same whoever
computes them.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.policies import backoff, jitter
from tests.support.builders import NOON

UID = "0b2d4c55-5f0e-4a8f-9d5e-0d6c2f7c8f11"


@pytest.mark.parametrize(
    ("attempt", "least"), [(1, 60), (2, 120), (3, 240), (6, 1920), (40, 86400), (10**6, 86400)]
)
def test_each_wait_is_twice_the_one_before_up_to_a_day(attempt: int, least: float) -> None:
    assert least <= backoff.delay(attempt, 60, "run") <= least * 1.25


def test_runs_that_failed_together_do_not_come_back_together() -> None:
    waits = {round(backoff.delay(1, 60, f"run-{number}"), 3) for number in range(100)}
    assert len(waits) > 90
    assert max(waits) - min(waits) > 10


def test_a_wait_is_the_same_whoever_computes_it() -> None:
    assert (
        backoff.delay(2, 30, UID) == backoff.delay(2, 30, UID) == pytest.approx(64.5854, abs=1e-3)
    )
    assert (
        jitter.delay(UID, NOON, 30, None)
        == jitter.delay(UID, NOON, 30, None)
        == pytest.approx(5.7528, abs=1e-3)
    )


@given(
    seconds=st.integers(0, 10**6),
    amount=st.floats(0, 10**6),
    distance=st.none() | st.floats(0.001, 10**6),
)
def test_a_jittered_tick_stays_before_the_next(
    seconds: int, amount: float, distance: float | None
) -> None:
    tick = NOON + timedelta(seconds=seconds)
    following = None if distance is None else tick + timedelta(seconds=distance)
    delay = jitter.delay(UID, tick, amount, following)
    assert 0 <= delay < amount or delay == amount == 0
    assert following is None or tick + timedelta(seconds=delay) < following


def test_jitter_spreads_over_all_of_its_room() -> None:
    delays = [
        jitter.delay(UID, NOON + timedelta(minutes=number), 60, None) for number in range(600)
    ]
    for low in range(0, 60, 10):
        assert 50 < sum(low <= delay < low + 10 for delay in delays) < 150


def test_without_jitter_nothing_moves() -> None:
    assert jitter.delay(UID, NOON, 0, NOON + timedelta(seconds=5)) == 0
