"""One transaction per chunk: an entry is fired whole or not at all, and a stale plan never wins."""

from datetime import timedelta

import pytest
from redis import Redis

from scheduler.beat import Scheduler, dispatch_loop
from scheduler.errors import NotFound
from scheduler.events.schema import RunQueued
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Policies
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import between_read_and_transaction, our_beat, queued
from tests.support.builders import JOB, a_spec, every
from tests.support.schedules.contents import events, memory, messages, score
from tests.support.schedules.late import HOUR, LATE, due_since, first_run, full_second, hourly


def test_message_event_lease_and_memory_are_there_together(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    saved = hourly(store, args=[3], queue="slow")
    beat.tick()
    beat.tick()
    (message,) = messages(redis, "slow")
    run, tick = first_run(saved), saved.when.anchor + HOUR
    assert (message["headers"]["task"], message["headers"]["id"]) == (JOB, run)
    assert message["headers"]["tick"] == tick_text(tick)
    (told,) = [event for event in events(redis) if isinstance(event, RunQueued)]
    assert (told.run, told.facts.queue, told.facts.args) == (run, "slow", [3])
    assert redis.zscore(keys.LEASES_ZSET, run)
    assert memory(redis, "due") == Meta(tick, 1)
    assert score(redis, "due") == (tick + HOUR).timestamp()


def test_an_edit_after_the_look_stands_and_the_tick_is_sent_as_it_says(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly(store, queue="default")
    beat.tick()
    redis.delete("default")
    saved = hourly(store, "other", queue="default")
    with monkeypatch.context() as patch:

        def edit() -> None:
            store.edit(
                "other",
                a_spec("other", when=saved.when, kwargs={"days": 9}, queue="default"),
                revision=1,
                edit=Edit(actor="eve", now=full_second()),
            )

        between_read_and_transaction(patch, edit)
        beat.tick()
    assert messages(redis, "default") == []
    assert memory(redis, "other").total_run_count is None
    beat.tick()
    (message,) = messages(redis, "default")
    assert message["headers"]["beatdesk"]["revision"] == 2


def test_a_schedule_that_is_deleted_after_the_look_stays_deleted_and_sends_nothing(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = hourly(store)
    with monkeypatch.context() as patch:
        between_read_and_transaction(
            patch,
            lambda: store.delete(
                "due", revision=saved.revision, edit=Edit(actor="eve", now=full_second())
            ),
        )
        beat.tick()
    beat.tick()
    assert queued(redis) == []
    with pytest.raises(NotFound):
        store.get("due")


def test_a_leader_that_was_frozen_while_another_took_over_writes_nothing(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = hourly(store)
    with monkeypatch.context() as patch:
        between_read_and_transaction(
            patch, lambda: redis.set(keys.BEAT_LOCK, "2:other:1:x", px=60_000)
        )
        beat.tick()
    assert queued(redis) == []
    assert memory(redis, "due").total_run_count is None
    redis.delete(keys.BEAT_LOCK)
    beat.tick()
    assert queued(redis) == [first_run(saved)]


def test_two_leaders_send_each_tick_once(
    store: ScheduleStore, beat: Scheduler, services: Services, redis: Redis
) -> None:
    """The second has stolen the first one's lock, and the first one steals it back, again and
    again.
    """
    saved = [hourly(store, f"due-{number:02}") for number in range(12)]
    other = our_beat(services)
    for _ in range(6):
        for one in (beat, other):
            redis.delete(keys.BEAT_LOCK)
            one.tick()
            one.tick()
    other.close()
    assert sorted(queued(redis)) == sorted(map(first_run, saved))


def test_a_queue_that_takes_no_message_leaves_its_entry_due_and_holds_up_nobody(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    redis.set("broken", "no list")
    held, sent = hourly(store, "a-held", queue="broken"), hourly(store, "b-sent")
    beat.tick()
    beat.tick()
    assert queued(redis) == [first_run(sent)]
    assert score(redis, "a-held") == (held.when.anchor + HOUR).timestamp()
    assert redis.zscore(keys.LEASES_ZSET, first_run(held)) is None
    redis.delete("broken")
    store.edit(
        "a-held",
        a_spec("a-held", when=held.when, queue="broken", notes="mended"),
        revision=1,
        edit=Edit(actor="ada", now=full_second()),
    )
    beat.tick()
    assert queued(redis) == [first_run(sent), first_run(held)]


def test_a_server_without_memory_advances_nothing_and_all_is_sent_when_it_has_some(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    saved = [hourly(store, f"due-{number}") for number in range(3)]
    redis.config_set("maxmemory", 1)
    try:
        waits = [beat.tick() for _ in range(3)]
        assert queued(redis) == []
        assert [memory(redis, schedule.name).total_run_count for schedule in saved] == [None] * 3
        assert waits[-1] > 0, "it backs off"
    finally:
        redis.config_set("maxmemory", 0)
    beat.tick()
    beat.tick()
    assert sorted(queued(redis)) == sorted(map(first_run, saved))


def test_the_longest_due_goes_first_over_all_chunks(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", 4)
    saved = []
    for number in (7, 3, 9, 1, 5, 8, 2, 6, 4, 0):
        start = full_second() - LATE + timedelta(seconds=number)
        saved.append(due_since(store, every(3600, start), start, f"due-{number}"))
    beat.tick()
    assert queued(redis) == [
        first_run(schedule) for schedule in sorted(saved, key=lambda one: one.when.anchor)
    ]


def test_a_tick_that_waits_is_sent_when_the_run_before_it_has_ended(
    store: ScheduleStore, beat: Scheduler, redis: Redis, services: Services
) -> None:
    start = full_second() - timedelta(seconds=3)
    saved = due_since(
        store, every(1, start), start, policies=Policies(overlap="queue_one", catch_up="all")
    )
    beat.tick()
    (first,) = queued(redis)
    beat.tick()
    assert queued(redis) == [first]
    services.events.forget(first)
    beat.tick()
    assert queued(redis) == [first, run_id(saved.uid, start + timedelta(seconds=2))]
