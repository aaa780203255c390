"""What the policies put into a message, and what a worker makes of it, whoever wrote it."""

from datetime import timedelta
from typing import Any

import pytest

from scheduler.dispatch.message_options import options_for
from scheduler.rules.model.spec import Policies
from scheduler.runs import limits
from scheduler.runs.lease_record import lease_of, owner_text
from scheduler.runs.own_header import HEADER, MOST_RETRIES, decode
from tests.support.builders import NOON, a_schedule


def attempts_left(said: Any) -> tuple[int, float]:
    """How many further attempts a header allows, and the seconds before the first of them."""
    header = decode({HEADER: said})
    return header.retries or 0, header.backoff or 0.0


def test_the_default_policies_put_nothing_into_a_message() -> None:
    assert limits.options_of(Policies()) == limits.facts_of(Policies()) == {}
    options = options_for(a_schedule(), NOON, {"queue": "slow", "headers": {"mine": 1}})
    assert set(options) == {"queue", "task_id", "headers"}
    assert set(options["headers"]) == {"mine", "tick", "beatdesk"}


def test_a_deadline_a_time_limit_and_further_attempts_travel_in_the_message() -> None:
    policies = Policies(starting_deadline=60, run_timeout=5, retries=3, retry_backoff=2)
    options = options_for(a_schedule(policies=policies), NOON, {})
    assert options["expires"] == NOON + timedelta(seconds=60)
    assert (options["soft_time_limit"], options["time_limit"]) == (5, 5 + limits.HARD_AFTER_SECONDS)
    assert attempts_left(options["headers"]["beatdesk"]) == (3, 2.0)


def test_a_run_that_must_not_be_repeated_says_so_in_its_message() -> None:
    options = options_for(a_schedule(policies=Policies(on_lost="fail")), NOON, {})
    assert options["headers"]["beatdesk"]["on_lost"] == "fail"
    assert decode({HEADER: {"on_lost": "perhaps"}}).on_lost is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        {},
        {"retries": 3},
        {"retries": "3", "backoff": 1},
        {"retries": 3, "backoff": 0},
        {"retries": 3, "backoff": float("nan")},
        {"retries": 3, "backoff": float("inf")},
        {"retries": 3, "backoff": "1"},
    ],
)
def test_a_header_that_makes_no_sense_allows_no_further_attempt(said: Any) -> None:
    assert attempts_left(said) == (0, 0.0)


def test_no_header_allows_more_attempts_than_any_schedule_may_have() -> None:
    assert attempts_left({"retries": 10**9, "backoff": 1}) == (MOST_RETRIES, 1.0)
    assert attempts_left({"retries": -1, "backoff": 1})[0] == 0


def test_what_is_known_of_a_run_is_read_as_it_was_written() -> None:
    lease = lease_of(owner_text("u-1", "a plain name", pause_after=3, expires=NOON))
    assert (lease.uid, lease.name, lease.attempt, lease.worker) == ("u-1", "a plain name", 1, None)
    assert lease.expires == NOON.timestamp()
