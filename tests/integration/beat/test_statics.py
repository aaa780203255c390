"""Static entries: written by whoever leads, and only where the code says something else than Redis
has.
"""

from typing import Any

import pytest
from celery.schedules import crontab
from redis import Redis

from scheduler.beat import Scheduler
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import our_beat
from tests.support.builders import JOB, a_spec
from tests.support.schedules.contents import events, score

DAILY = {"task": JOB, "schedule": crontab(minute="0", hour="6")}
OFTEN = {"task": JOB, "schedule": 60.0, "kwargs": {"days": 2}}


def led(services: Services, **static: Any) -> None:
    """A Beat with this `beat_schedule` leads for a turn."""
    services.celery.conf.beat_schedule = static
    beat = our_beat(services)
    beat.tick()
    beat.close()


def test_a_leader_writes_them_with_the_due_time_of_their_rule(
    services: Services, redis: Redis, store: ScheduleStore
) -> None:
    led(services, daily=DAILY, often=OFTEN)
    assert redis.smembers(keys.STATICS_SET) == {"daily", "often"}
    listed = store.listed("daily")
    assert listed.schedule is not None
    assert listed.schedule.origin == "code"
    assert listed.next is not None
    assert score(redis, "daily") == listed.next.timestamp()
    assert events(redis) == [], "a new entry waits for its first tick"


def test_a_stand_by_writes_nothing(services: Services, redis: Redis, beat: Scheduler) -> None:
    beat.tick()
    led(services, daily=DAILY)
    assert redis.smembers(keys.STATICS_SET) == set()
    assert score(redis, "daily") is None


def test_what_is_the_same_is_not_written_again(services: Services, redis: Redis) -> None:
    led(services, daily=DAILY, often=OFTEN)
    redis.hset(keys.entry("daily"), "meta", '{"last_run_at": null}')
    before = score(redis, "often")
    redis.config_resetstat()
    led(services, daily=DAILY, often=OFTEN | {"kwargs": {"days": 3}})
    assert redis.info("commandstats")["cmdstat_hset"]["calls"] <= 4, (
        "one definition, and what the two Beats say"
    )
    assert '"days": 3' in redis.hget(keys.entry("often"), "definition")
    assert redis.hget(keys.entry("daily"), "meta") == '{"last_run_at": null}'
    assert score(redis, "often") == before, "its memory stands"


def test_what_the_code_has_dropped_goes_and_what_operators_made_stays(
    services: Services, redis: Redis, store: ScheduleStore
) -> None:
    led(services, daily=DAILY, often=OFTEN)
    mine = store.create(a_spec("mine"), edit=Edit(actor="ada", now=utc_now()))
    led(services, often=OFTEN)
    assert redis.smembers(keys.STATICS_SET) == {"often"}
    assert redis.exists(keys.entry("daily")) == 0
    assert score(redis, "daily") is None
    assert store.get("mine") == mine
    assert score(redis, "mine") is not None


def test_one_that_is_no_entry_is_told_and_left_out(
    services: Services, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    led(services, bad={"task": JOB, "schedule": object(), "surprise": 1}, daily=DAILY)
    assert redis.smembers(keys.STATICS_SET) == {"daily"}
    assert "bad" in caplog.text
