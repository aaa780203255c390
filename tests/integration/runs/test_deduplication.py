"""Which of several messages of one run becomes the run: asked of a real server, message by
message.
"""

from typing import Any

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.events.schema import Event, RunFailed, RunRetried, RunSucceeded, run_event
from scheduler.runs.deduplication import (
    DOUBTFUL_SECONDS,
    Deduplication,
    DeliveryClaim,
    delivery_claim_of,
)
from scheduler.runs.lease_record import owner_text
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.storage import keys

FIRST, SECOND = DeliveryClaim("r1", "a1"), DeliveryClaim("r1", "b2")


@pytest.fixture
def copies(redis: Redis) -> Deduplication:
    """The question; the run is in its queue."""
    redis.hset(keys.LEASE_OWNERS_HASH, "r1", owner_text("u1", "s"))
    redis.zadd(keys.LEASES_ZSET, {"r1": 2e9})
    return Deduplication(redis)


def tell(redis: Redis, kind: Any, **more: Any) -> None:
    """Something became of the run."""
    event: Event = run_event(kind, "r1", 1, utc_now(), worker="a@h", **more)
    LeasedStream(redis).append(event)


def remembered_for(redis: Redis) -> float:
    """Seconds."""
    until = redis.zscore(keys.OUTBOX_CLAIMS_ZSET, "r1")
    assert until is not None
    return float(until) - redis.time()[0]


def test_the_first_message_has_the_run_however_often_it_comes(copies: Deduplication) -> None:
    assert [copies.take(FIRST), copies.take(SECOND), copies.take(FIRST)] == [True, False, True]


@pytest.mark.parametrize(
    ("kind", "more"), [(RunSucceeded, {"result": None}), (RunFailed, {"error": "e"})]
)
def test_a_run_that_is_over_is_nobodys(
    kind: Any, more: dict[str, Any], copies: Deduplication, redis: Redis
) -> None:
    copies.take(FIRST)
    tell(redis, kind, **more)
    assert [copies.take(FIRST), copies.take(SECOND)] == [False, False]
    assert 590 <= remembered_for(redis) <= 600


def test_a_doubtful_run_that_is_over_is_remembered_for_long(
    copies: Deduplication, redis: Redis
) -> None:
    redis.zadd(keys.OUTBOX_DOUBTS_ZSET, {"r1": 1})
    copies.take(FIRST)
    tell(redis, RunSucceeded, result=None)
    assert copies.take(SECOND) is False
    assert remembered_for(redis) > DOUBTFUL_SECONDS - 60


def test_a_run_whose_worker_lost_the_broker_is_still_its_messages(
    copies: Deduplication, redis: Redis
) -> None:
    copies.take(FIRST)
    tell(
        redis,
        RunRetried,
        error="the worker lost its connection to the broker, the message comes back",
    )
    assert [copies.take(SECOND), copies.take(FIRST)] == [False, True]


def test_a_lost_run_may_start_again_by_its_own_message(copies: Deduplication, redis: Redis) -> None:
    copies.take(FIRST)
    redis.zadd(keys.LEASES_ZSET, {"r1": 1})
    watch = LeaseWatch(Leases(redis, LeasedStream(redis)))
    watch.look(utc_now())
    watch.look(utc_now())
    assert redis.hlen(keys.LEASE_OWNERS_HASH) == 0
    assert [copies.take(SECOND), copies.take(FIRST)] == [False, True]


def test_other_runs_leave_no_memory(redis: Redis) -> None:
    redis.hset(keys.LEASE_OWNERS_HASH, "r1", owner_text("u1", "s"))
    tell(redis, RunSucceeded, result=None)
    assert redis.exists(keys.OUTBOX_CLAIMS_HASH, keys.OUTBOX_CLAIMS_ZSET) == 0


SAID = {"schedule": "s", "schedule_uid": "u1", "outbox": "a1"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"beatdesk": "text"},
        {"beatdesk": {**SAID, "outbox": None}},
        {"beatdesk": {**SAID, "outbox": "two words"}},
        {"beatdesk": SAID, "retries": 1},
        {"beatdesk": SAID, "id": 5},
    ],
)
def test_other_messages_and_further_attempts_are_not_asked_about(headers: dict[str, Any]) -> None:
    assert delivery_claim_of({"id": "r1", **headers}) is None


def test_the_relays_mark_is_read() -> None:
    assert delivery_claim_of({"id": "r1", "beatdesk": SAID, "retries": 0}) == FIRST
