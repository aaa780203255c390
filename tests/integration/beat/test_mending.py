"""An entry that cannot run is set aside with the reason, is shown, and runs again once it is mended
by anybody.
"""

from datetime import timedelta

import pytest
from redis import Redis

from scheduler.beat import Scheduler, loop
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued
from scheduler.health.status import beat_part
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import REFUSED, our_beat, spoil
from tests.support.builders import a_spec, every
from tests.support.schedules.contents import events, score
from tests.support.schedules.late import due_since, full_second


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RETRY_EVERY", 0.0)


def due(store: ScheduleStore, name: str = "due") -> Schedule:
    start = full_second() - timedelta(minutes=90)
    return due_since(store, every(3600, start), start, name)


def queued(redis: Redis) -> list[str | None]:
    return [event.facts.schedule for event in events(redis) if isinstance(event, RunQueued)]


def test_an_entry_that_celery_refuses_is_set_aside_and_costs_only_itself(
    store: ScheduleStore, beat: Scheduler, redis: Redis, services: Services
) -> None:
    due(store, "bad")
    due(store, "good")
    spoil(redis, "bad", REFUSED)
    beat.tick()
    beat.tick()
    assert queued(redis) == ["good"]
    assert score(redis, "bad") == -1
    listed = store.listed("bad")
    assert listed.schedule is not None
    assert "Celery cannot send" in str(listed.problem)
    assert listed.next is None
    assert store.listed("good").problem is None
    assert "1 schedule set aside" in beat_part(services, utc_now()).summary


@pytest.mark.parametrize(
    "rescored", [False, True], ids=["the definition alone", "with a due time, as RedBeat writes"]
)
def test_what_plain_redbeat_code_mends_runs_again(
    store: ScheduleStore, beat: Scheduler, redis: Redis, rescored: bool
) -> None:
    due(store)
    before = spoil(redis, "due", REFUSED)
    beat.tick()
    assert score(redis, "due") == -1
    redis.hset(keys.entry("due"), "definition", before)
    if rescored:
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): 1})
    beat.tick()
    beat.tick()
    assert queued(redis) == ["due"]
    assert store.listed("due").problem is None
    assert redis.hlen(keys.ASIDE_HASH) == 0


def test_what_is_mended_by_an_edit_runs_again_and_is_a_problem_no_more(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    saved = due(store)
    redis.hset(keys.entry("due"), "definition", "{")
    beat.tick()
    assert store.listed("due").problem
    store.delete("due", revision=saved.revision, edit=Edit(actor="ada", now=full_second()))
    store.create(a_spec("due", when=saved.when), edit=Edit(actor="ada", now=saved.when.anchor))
    assert store.listed("due").problem is None
    beat.tick()
    assert queued(redis) == ["due"]


def test_what_was_set_aside_and_is_deleted_is_forgotten(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    redis.hset(keys.entry("bad"), "definition", "{")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 1})
    beat.tick()
    assert redis.hkeys(keys.ASIDE_HASH) == ["bad"]
    redis.delete(keys.entry("bad"))
    redis.zrem(keys.SCHEDULE_ZSET, keys.entry("bad"))
    beat.tick()
    assert redis.hlen(keys.ASIDE_HASH) == 0


def test_a_new_leader_tries_again_what_an_older_one_could_not_read(
    store: ScheduleStore, redis: Redis, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(store)

    def cannot(*_: object) -> None:
        raise TypeError("an older version")

    with monkeypatch.context() as patch:
        patch.setattr("scheduler.beat.fast.decoded_entries.stored_call", cannot)
        old = our_beat(services)
        old.tick()
        old.close()
    assert score(redis, "due") == -1
    assert "an older version" in str(store.listed("due").problem)
    new = our_beat(services)
    new.tick()
    new.close()
    assert queued(redis) == ["due"]


def test_names_and_texts_of_any_bytes_cost_only_themselves(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    due(store)
    for key in (b"redbeat:\xff\xfe", b"redbeat:huge"):
        redis.hset(key, "definition", b"\xff" * 2_000_000)
        redis.zadd(keys.SCHEDULE_ZSET, {key: 1})
    redis.zadd(keys.SCHEDULE_ZSET, {"redbeat:gone": 1})
    beat.tick()
    beat.tick()
    assert queued(redis) == ["due"]
    assert redis.zrange(keys.SCHEDULE_ZSET, 0, 10, byscore=True) == []
    assert score(redis, "gone") is None
