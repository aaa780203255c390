"""RedBeat's own scheduler ticks across a loss and its repair: no tick is sent that was sent
before.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from redbeat.schedulers import RedBeatScheduler
from redis.exceptions import LockError

from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued, run_event
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.storage import keys
from tests.support.builders import every, facts_of
from tests.support.healing.house import House
from tests.support.processes import start_recorder
from tests.support.schedules.contents import messages
from tests.support.schedules.store import leading_beat
from tests.support.waiting import wait_for


@contextmanager
def leading(house: House) -> Iterator[RedBeatScheduler]:
    """A Beat that has just started; what it does at its end does not matter where its lock is
    gone.
    """
    beats = leading_beat(house.services)
    yield next(beats)
    try:
        next(beats, None)
    except LockError:
        return


def sent(house: House) -> Counter[str]:
    """How often each run was sent."""
    return Counter(message["headers"]["id"] for message in messages(house.services.redis))


@pytest.fixture
def fired(house: House) -> tuple[Schedule, str]:
    """A minutely schedule, one tick of which Beat has sent, as the history knows."""
    schedule = house.saved(when=every(3600), policies=Policies(overlap="allow", catch_up="latest"))
    set_back = house.copy()
    with leading(house) as beat:
        beat.tick()
    ((run, _),) = sent(house).items()
    tick = schedule.when.anchor + timedelta(hours=1)
    assert run == run_id(schedule.uid, tick)
    house.services.events.append(
        run_event(RunQueued, run, 1, utc_now(), facts=facts_of(schedule, tick))
    )
    house.record()
    house.set_back = set_back
    return schedule, run


def test_beat_asks_after_redis_was_set_back_and_fires_nothing_again(
    house: House, fired: tuple[Schedule, str], settings
) -> None:
    schedule, _ = fired
    start_recorder(settings)
    wait_for(lambda: house.services.redis.exists(keys.RECORDERS_HASH), 20, "the recorder lives")
    sign = house.services.redis.hgetall(keys.RECORDERS_HASH)

    house.set_back()
    house.services.redis.hset(keys.RECORDERS_HASH, mapping=sign)
    with leading(house) as beat:
        beat.lock_timeout = 10
        beat.tick()

    assert sent(house) == {}
    assert (
        house.services.redis.zscore(keys.SCHEDULE_ZSET, keys.entry(schedule.name))
        == (schedule.when.anchor + timedelta(hours=2)).timestamp()
    )


def test_without_the_question_the_tick_would_be_fired_again(
    house: House, fired: tuple[Schedule, str]
) -> None:
    _, run = fired
    house.set_back()
    with leading(house) as beat:
        beat.tick()
    assert sent(house) == {run: 1}


def test_a_redis_that_was_set_back_fires_nothing_again_once_it_is_reminded(
    house: House, fired: tuple[Schedule, str]
) -> None:
    house.set_back()
    assert house.healer.remind(utc_now()) == 1
    assert house.healer.remind(utc_now()) == 0
    assert fires_nothing(house)


def test_an_emptied_redis_fires_nothing_again_once_it_is_healed(
    house: House, fired: tuple[Schedule, str]
) -> None:
    house.services.redis.flushall()
    house.heal()
    assert fires_nothing(house)


def fires_nothing(house: House) -> bool:
    with leading(house) as beat:
        for _ in range(3):
            beat.tick()
    return sent(house) == {}


def test_beat_goes_on_by_itself_where_no_recorder_answers(house: House) -> None:
    house.saved(when=every(3600))
    house.services.redis.hset(keys.RECORDERS_HASH, "gone", "{}")
    with leading(house) as beat:
        beat.tick()
    assert sum(sent(house).values()) == 1
