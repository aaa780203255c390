"""A rule that RedBeat computes in minutes, or never, costs Beat a moment, and its neighbour nothing."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from scheduler.beat import Scheduler
from scheduler.clock import utc_now
from scheduler.redbeat.memory import Meta, encode_meta
from scheduler.storage import keys
from tests.support.schedules.contents import messages, score
from tests.support.schedules.raw_entries import definition
from tests.support.waiting import wait_for

DAYS = 30
COSTLY: dict[str, dict[str, Any]] = {
    "counted": {"count": 10**9},
    "without a tick": {"bymonth": [2], "bymonthday": [30]},
    "interval 0": {"interval": 0},
    "many positions": {"bysetpos": [1] * 100_000},
}


def put_rule(redis: Redis, name: str, *, queue: str = "rules", **parts: Any) -> None:
    """Write a due entry with a rule by the second that began a month ago, as RedBeat writes one."""
    begun = utc_now() - timedelta(days=DAYS)
    rule = {"__type__": "rrule", "freq": "SECONDLY", "dtstart": int(begun.timestamp())} | parts
    text = definition(name=name, schedule=rule, options={"queue": queue})
    meta = encode_meta(Meta(utc_now() - timedelta(seconds=10)))
    redis.hset(keys.entry(name), mapping={"definition": text, "meta": meta})
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): utc_now().timestamp() - 1})


def test_a_rule_by_the_second_that_began_a_month_ago_is_sent_at_once(
    beat: Scheduler, redis: Redis
) -> None:
    put_rule(redis, "old")
    began = time.process_time()
    beat.tick()
    assert len(messages(redis, "rules")) == 1
    assert time.process_time() - began < 1.0
    following = score(redis, "old")
    assert following is not None
    assert following - utc_now().timestamp() < 2


@pytest.mark.parametrize("rule", COSTLY)
def test_a_rule_beyond_the_bound_is_set_aside_with_the_reason(
    beat: Scheduler, redis: Redis, rule: str
) -> None:
    put_rule(redis, "costly", **COSTLY[rule])
    beat.tick()
    assert score(redis, "costly") == -1
    why = json.loads(redis.hgetall(keys.ASIDE_HASH)["costly"])["why"]
    assert "steps" in why or "schedule." in why


def test_a_neighbour_is_on_time_beside_forty_costly_rules(beat: Scheduler, redis: Redis) -> None:
    for number in range(40):
        put_rule(redis, f"costly-{number}", **COSTLY["without a tick"])
    put_rule(redis, "neighbour", queue="neighbour")
    longest = 0.0
    while score(redis, "costly-39") != -1 or not messages(redis, "neighbour"):
        began = time.process_time()
        beat.tick()
        longest = max(longest, time.process_time() - began)
    assert len(redis.hgetall(keys.ASIDE_HASH)) == 40
    assert longest < 3.0, "a pass ends after its second, so that the lock is renewed"


def test_a_neighbour_that_was_planned_before_goes_before_new_costly_rules(
    beat: Scheduler, redis: Redis
) -> None:
    every = {"__type__": "interval", "every": 0.1, "relative": False}
    text = definition(name="neighbour", schedule=every, options={"queue": "neighbour"})
    redis.hset(keys.entry("neighbour"), "definition", text)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("neighbour"): utc_now().timestamp()})
    while len(messages(redis, "neighbour")) < 3:
        beat.tick()
    for number in range(20):
        put_rule(redis, f"costly-{number}", **COSTLY["without a tick"])
    due = score(redis, "neighbour") or 0
    wait_for(lambda: due < utc_now().timestamp(), what="the neighbour is due again")
    sent = len(messages(redis, "neighbour"))
    beat.tick()
    assert len(messages(redis, "neighbour")) > sent
    assert len(redis.hgetall(keys.ASIDE_HASH)) < 20, "the slow ones do not fill the pass"


def test_an_entry_of_megabytes_is_set_aside_with_the_reason(beat: Scheduler, redis: Redis) -> None:
    for name, options in (("large", {"x": "y" * 2_000_000}), ("sound", {"queue": "sound"})):
        redis.hset(keys.entry(name), "definition", definition(name=name, options=options))
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): utc_now().timestamp() - 1})
    beat.tick()
    why = json.loads(redis.hgetall(keys.ASIDE_HASH)["large"])["why"]
    assert why.startswith("the field 'definition' has 2000")
    assert len(messages(redis, "sound")) == 1
