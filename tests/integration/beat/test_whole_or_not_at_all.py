"""What happens between Beat's look and its transaction wins, and what cannot be written whole is
not begun.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from kombu import Queue
from redis import Redis

from scheduler.beat import Scheduler
from scheduler.dispatch.waiting_list import WaitingList
from scheduler.events.schema import TicksSkipped
from scheduler.publishing.calls import Call, Rendered
from scheduler.publishing.kombu_commands import Renderer
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.runs.leases import QUEUED_SECONDS
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import REFUSED, between_read_and_transaction, queued, spoil
from tests.support.builders import every
from tests.support.golden_jobs import TOPIC
from tests.support.schedules.contents import events, memory, messages, score
from tests.support.schedules.late import HOUR, due_since, first_run, full_second, hourly

OWN = {keys.BEAT_LOCK, keys.BEATS_HASH}
"""What Beat says of itself, whatever it fires."""


@pytest.fixture
def leading(beat: Scheduler) -> Scheduler:
    """A Beat of ours that leads and has seen nothing yet."""
    beat.tick()
    return beat


def everything(redis: Redis) -> dict[str, Any]:
    """The server's whole content, but for what Beat says of itself, and for queues that are
    declared.
    """
    with redis.pipeline() as pipe:
        names = [
            name
            for name in redis.keys("*")
            if name not in OWN and not name.startswith("_kombu.binding")
        ]
        for name in names:
            pipe.type(name)
        kinds = pipe.execute()
    return {name: _value(redis, name, kind) for name, kind in zip(names, kinds, strict=True)}


def _value(redis: Redis, name: str, kind: str) -> Any:
    read: dict[str, Callable[[], Any]] = {
        "string": lambda: redis.get(name),
        "hash": lambda: redis.hgetall(name),
        "list": lambda: redis.lrange(name, 0, -1),
        "set": lambda: redis.smembers(name),
        "zset": lambda: redis.zrange(name, 0, -1, withscores=True),
        "stream": lambda: redis.xrange(name),
    }
    return read[kind]()


def turn_with(
    beat: Scheduler, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]
) -> None:
    """One turn, in which `change` happens after the look."""
    with monkeypatch.context() as patch:
        between_read_and_transaction(patch, change)
        beat.tick()


@pytest.mark.parametrize("field", ["definition", "meta", "beatdesk"])
def test_whichever_field_of_an_entry_has_changed_what_was_planned_before_is_not_done(
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    field: str,
) -> None:
    """Plain RedBeat code writes the definition alone, another Beat the meta, a pause our field."""
    hourly(store)
    key = keys.entry("due")
    changed = json.dumps(json.loads(redis.hget(key, field)) | {"notes": "by somebody else"})
    turn_with(leading, monkeypatch, lambda: redis.hset(key, field, changed))
    assert queued(redis) == messages(redis) == []
    assert redis.hget(key, field) == changed


def test_an_entry_that_becomes_something_else_after_the_look_costs_only_itself(
    store: ScheduleStore, leading: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly(store, "a-spoilt")
    good = hourly(store, "b-good")

    def become() -> None:
        redis.delete(keys.entry("a-spoilt"))
        redis.set(keys.entry("a-spoilt"), "no hash")

    turn_with(leading, monkeypatch, become)
    assert queued(redis) == [first_run(good)]


def test_a_key_that_comes_back_after_the_look_is_not_taken_off_the_schedule(
    store: ScheduleStore, leading: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = hourly(store)
    fields = redis.hgetall(keys.entry("due"))
    redis.delete(keys.entry("due"))
    turn_with(leading, monkeypatch, lambda: redis.hset(keys.entry("due"), mapping=fields))
    assert score(redis, "due") is not None
    leading.tick()
    assert queued(redis) == [first_run(saved)]


def test_an_entry_of_which_only_our_field_is_left_is_set_aside(
    store: ScheduleStore, leading: Scheduler, redis: Redis
) -> None:
    hourly(store)
    redis.hdel(keys.entry("due"), "definition", "meta")
    leading.tick()
    assert (score(redis, "due"), redis.hkeys(keys.ASIDE_HASH)) == (-1, ["due"])


@pytest.mark.parametrize("end", ["it has ended", "its lease has run out"])
def test_no_tick_is_held_for_a_run_that_is_over_by_then_it_is_sent(  # noqa: PLR0917 - fixtures
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    saved = hourly(store, policies=Policies(overlap="queue_one"))
    before = services.control.start(saved, actor="ada", now=full_second())
    alive = keys.ALIVE_PREFIX + saved.uid

    def over() -> None:
        if end == "it has ended":
            services.events.forget(before)
        else:
            redis.zadd(alive, {before: 1})

    turn_with(leading, monkeypatch, over)
    assert redis.zrange(keys.WAITING_PREFIX + saved.uid, 0, -1) == []
    leading.tick()
    assert queued(redis) == [before, first_run(saved)]


def with_a_held_tick(
    store: ScheduleStore, beat: Scheduler, services: Services
) -> tuple[Schedule, str]:
    """A schedule with ticks that are held, whose run has just ended; and the first of them."""
    start = full_second() - timedelta(minutes=150)
    late = Policies(overlap="queue_one", catch_up="all", catch_up_window=4 * 3600)
    saved = due_since(store, every(3600, start), start, policies=late)
    beat.tick()
    (first,) = queued(services.redis)
    assert first == run_id(saved.uid, start + HOUR)
    held = tick_text(start + 2 * HOUR)
    assert WaitingList(services.redis).of(saved.uid)[0].text == held
    services.events.forget(first)
    return saved, held


def test_a_held_tick_that_an_operator_drops_after_the_look_is_not_sent(
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved, _ = with_a_held_tick(store, leading, services)
    waiting = WaitingList(redis)
    turn_with(leading, monkeypatch, lambda: waiting.drop(saved, actor="eve", now=full_second()))
    assert (len(queued(redis)), waiting.of(saved.uid)) == (1, [])
    assert [event.reason for event in events(redis) if isinstance(event, TicksSkipped)] == [
        "operator"
    ]


def test_held_ticks_that_are_no_list_any_more_hold_up_nobody_else(
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved, _ = with_a_held_tick(store, leading, services)
    good = hourly(store, "z-good")
    turn_with(
        leading, monkeypatch, lambda: redis.set(keys.WAITING_PREFIX + saved.uid, "of another type")
    )
    assert queued(redis)[1:] == [first_run(good)]
    assert services.leases.get(first_run(good)) is not None
    assert score(redis, "z-good") == (good.when.anchor + 2 * HOUR).timestamp()


def test_a_run_that_was_alive_before_its_message_is_refused_is_alive_after_it(
    store: ScheduleStore, leading: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = hourly(store, policies=Policies(overlap="allow"), queue="broken")
    redis.zadd(keys.ALIVE_PREFIX + saved.uid, {first_run(saved): full_second().timestamp() + 3600})
    turn_with(leading, monkeypatch, lambda: redis.set("broken", "no queue"))
    assert queued(redis) == []
    assert redis.zrange(keys.ALIVE_PREFIX + saved.uid, 0, -1) == [first_run(saved)]


def test_a_held_tick_that_is_sent_is_held_no_more(
    store: ScheduleStore, leading: Scheduler, redis: Redis, services: Services
) -> None:
    saved, held = with_a_held_tick(store, leading, services)
    leading.tick()
    second = run_id(saved.uid, saved.when.anchor + 2 * HOUR)
    assert queued(redis)[1:] == [second]
    assert held not in [one.text for one in WaitingList(redis).of(saved.uid)]
    services.events.forget(second)
    leading.tick()
    assert len(set(queued(redis))) == len(queued(redis))


def test_a_run_that_is_sent_is_known_as_its_schedules_and_as_alive_as_long_as_its_message_may_wait(
    store: ScheduleStore, leading: Scheduler, redis: Redis, services: Services
) -> None:
    brief = Policies(starting_deadline=7200)
    long, short = hourly(store, "long"), hourly(store, "short", policies=brief)
    leading.tick()
    now = full_second().timestamp()
    for saved in (long, short):
        lease = services.leases.get(first_run(saved))
        assert lease is not None
        assert (lease.uid, lease.name, lease.worker, lease.attempt) == (
            saved.uid,
            saved.name,
            None,
            1,
        )
        assert services.leases.runs_of(saved.uid) == [first_run(saved)]
        ends = {
            redis.zscore(key, first_run(saved))
            for key in (keys.LEASES_ZSET, keys.ALIVE_PREFIX + saved.uid)
        }
        expires = (saved.when.anchor + HOUR).timestamp() + 7200
        (end,) = ends
        assert end is not None
        assert end == expires if saved is short else abs(end - now - QUEUED_SECONDS) < 60


@pytest.mark.parametrize(
    "key",
    [
        keys.EVENTS_STREAM,
        keys.LEASES_ZSET,
        keys.LEASE_OWNERS_HASH,
        keys.ASIDE_HASH,
        keys.SCHEDULE_ZSET,
    ],
)
def test_while_a_key_that_all_entries_need_is_of_a_wrong_type_nothing_is_written_at_all(
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    bad, good = hourly(store, "bad"), hourly(store, "good")
    spoil(redis, bad.name, REFUSED)
    redis.hset(keys.ASIDE_HASH, "another", "{}")
    redis.zadd(keys.LEASES_ZSET, {"another": 1})
    redis.hset(keys.LEASE_OWNERS_HASH, "another", "x")
    found: dict[str, Any] = {}

    def damage() -> None:
        if not found:
            redis.rename(key, "kept")
            redis.set(key, "of another type")
            found.update(everything(redis))

    turn_with(leading, monkeypatch, damage)
    assert everything(redis) == found
    redis.rename("kept", key)
    leading.tick()
    assert queued(redis) == [first_run(good)]
    assert "bad" in redis.hkeys(keys.ASIDE_HASH)


@pytest.mark.parametrize("prefix", [keys.ALIVE_PREFIX, keys.WAITING_PREFIX])
@pytest.mark.parametrize("overlap", ["skip", "queue_one"])
def test_a_schedule_whose_own_list_is_of_a_wrong_type_is_left_as_it_is_and_the_next_one_is_sent(  # noqa: PLR0917
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
    overlap: Any,
) -> None:
    """With `skip` it is a run that is sent, with `queue_one` a tick that is held for another
    run.
    """
    broken = hourly(store, "a-broken", policies=Policies(overlap=overlap))
    good = hourly(store, "b-good")
    if overlap == "queue_one":
        services.control.start(broken, actor="ada", now=full_second())
    key, before = prefix + broken.uid, queued(redis)
    touched = prefix == keys.ALIVE_PREFIX or overlap == "queue_one"

    def damage() -> None:
        redis.delete(key)
        redis.set(key, "of another type")

    turn_with(leading, monkeypatch, damage)
    assert first_run(good) in queued(redis)
    leading.tick()
    sent = [first_run(good)] if touched else [first_run(broken), first_run(good)]
    assert queued(redis) == before + sent
    assert len(messages(redis)) == len(before + sent)
    assert redis.get(key) == "of another type"
    if touched:
        assert memory(redis, "a-broken").total_run_count is None
        assert score(redis, "a-broken") in {-1, (broken.when.anchor + HOUR).timestamp()}
        assert redis.hget(keys.LEASE_OWNERS_HASH, first_run(broken)) is None


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_message_for_two_queues_comes_into_both_or_into_none_and_holds_up_nobody(  # noqa: PLR0917 - fixtures
    store: ScheduleStore,
    leading: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """Which of the queues kombu names first is left to chance, so that it is settled here."""
    names = {"sports": "news.sports.#", "all": "news.#"}
    services.celery.conf.task_queues = [
        Queue(name, TOPIC, routing_key=pattern) for name, pattern in names.items()
    ]
    services.celery.conf.task_queues.append(Queue("default"))
    with services.celery.connection_for_write() as connection:
        for queue in services.celery.conf.task_queues:
            queue(connection.default_channel).declare()
    render = Renderer.render

    def in_order(self: Renderer, call: Call, now: datetime) -> Rendered:
        made = render(self, call, now)
        commands = sorted(made.commands, key=lambda one: one[1], reverse=place == "last")
        return replace(made, commands=tuple(commands))

    monkeypatch.setattr(Renderer, "render", in_order)
    saved, good = hourly(store, "a-news", queue="sports"), hourly(store, "b-good", queue="default")
    redis.set("all", "no list")
    leading.tick()
    assert queued(redis) == [first_run(good)]
    assert redis.exists("sports") == 0
    assert memory(redis, "a-news").total_run_count is None
    redis.delete("all")
    redis.hset(
        keys.entry("a-news"), "meta", redis.hget(keys.entry("a-news"), "meta") + " "
    )  # so that nobody waits
    leading.tick()
    assert queued(redis) == [first_run(good), first_run(saved)]
    assert [redis.llen(name) for name in names] == [1, 1]


def test_an_entry_that_is_taken_off_the_schedule_after_the_look_does_not_come_back_onto_it(
    store: ScheduleStore, leading: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly(store)
    turn_with(leading, monkeypatch, lambda: redis.zrem(keys.SCHEDULE_ZSET, keys.entry("due")))
    assert score(redis, "due") is None
