"""Runs for a broker that is not the Redis of the schedules: none is lost, and none is run twice."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from scheduler.celery_app.queues import DEFAULT
from scheduler.clock import utc_now
from scheduler.events.schema import RunFailed
from scheduler.publishing.calls import Unsendable
from scheduler.publishing.outbox import OutboxRenderer, backlog
from scheduler.publishing.relay import Relay
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.road import TOKEN, Road, a_road, call_of
from tests.support.processes import Process, env_of, start_worker
from tests.support.valkey import PASSWORD, ValkeyServer
from tests.support.waiting import wait_for

TICK = datetime(2026, 11, 21, 6, tzinfo=UTC)


@pytest.fixture(params=["rabbit", "second_valkey"])
def road(request: pytest.FixtureRequest, settings: Settings, redis: Redis) -> Iterator[Road]:
    """The test runs twice: with RabbitMQ as the broker, and with another Redis."""
    broker = request.getfixturevalue(request.param)
    settings = settings.model_copy(
        update={"jobs": ("tests.support.jobs",), "broker_url": broker.url}
    )
    with a_road(settings, redis, broker) as road:
        yield road


@pytest.fixture
def running(road: Road) -> Iterator[Relay]:
    """A relay that runs."""
    relay = road.relay()
    relay.start()
    yield relay
    relay.stop()


def test_what_is_in_the_outbox_is_published_and_a_worker_runs_it(
    road: Road, running: Relay
) -> None:
    runs = road.put(5)
    wait_for(road.is_empty, what="the outbox is empty")
    assert road.in_broker() == 5
    start_worker(road.settings)
    wait_for(
        lambda: [e.run for e in road.events() if e.kind == "run.succeeded"] == runs,
        20,
        "they ran in their order",
    )
    assert Counter(event.kind for event in road.events()) == dict.fromkeys(
        ["run.received", "run.started", "run.succeeded"], 5
    )
    assert road.redis.exists(keys.OUTBOX_DOUBTS_ZSET) == 0


def test_what_is_long_over_is_forgotten(road: Road, running: Relay) -> None:
    road.redis.hset(keys.OUTBOX_CLAIMS_HASH, mapping={"old": "a", "new": "b"})
    road.redis.zadd(keys.OUTBOX_CLAIMS_ZSET, {"old": 1, "new": 9e9})
    road.redis.zadd(keys.OUTBOX_DOUBTS_ZSET, {"old": 1, "new": 9e9})
    road.put(1)
    wait_for(road.is_empty, what="the outbox is empty")
    assert road.redis.hkeys(keys.OUTBOX_CLAIMS_HASH) == ["new"]
    assert [
        road.redis.zrange(key, 0, -1) for key in (keys.OUTBOX_CLAIMS_ZSET, keys.OUTBOX_DOUBTS_ZSET)
    ] == [["new"]] * 2


def test_a_relay_killed_between_publishing_and_deleting_loses_nothing_and_doubles_nothing(
    road: Road, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    runs = road.put(6, "tests.wait", args=[0.01, str(mark)])
    road.redis.acl_setuser(
        "relay",
        enabled=True,
        reset=True,
        passwords=f"+{PASSWORD}",
        keys="*",
        channels="*",
        categories=["+@all"],
    )
    road.redis.execute_command(
        "ACL", "SETUSER", "relay", "-xdel"
    )  # it can publish, and cannot delete
    road.redis.set(keys.BEAT_LOCK, TOKEN)
    unable = road.settings.model_copy(
        update={"redis_url": road.settings.redis_url.replace("redis://:", "redis://relay:")}
    )
    relaying = Process(
        sys.executable, "-m", "tests.support.relaying", TOKEN, env=env_of(unable), name="relay"
    )
    wait_for(lambda: road.in_broker() >= 12, 20, "they are in the broker twice")
    relaying.kill()
    worker = start_worker(road.settings, concurrency=2)
    second = road.relay("2:there:2:y")
    second.start()
    try:
        wait_for(road.is_empty, 20, "the outbox is empty")
        wait_for(lambda: road.in_broker() == 0, 30, "all messages are taken")
        wait_for(
            lambda: sum(e.kind == "run.succeeded" for e in road.events()) >= 6, 30, "all have run"
        )
    finally:
        second.stop()
    worker.stop()  # what it holds is done, or goes back
    assert road.in_broker() == 0
    assert mark.read_text().count("begin") == 6
    assert Counter(
        (event.run, event.kind) for event in road.events() if event.kind != "run.received"
    ) == {(run, kind): 1 for run in runs for kind in ("run.started", "run.succeeded")}


def test_a_relay_that_is_frozen_while_it_publishes_doubles_nothing_when_it_thaws(
    road: Road, tmp_path: Path
) -> None:
    """Another one takes over meanwhile: both have read the same entries, and both publish them."""
    mark = tmp_path / "mark"
    road.redis.set(keys.BEAT_LOCK, TOKEN)
    frozen = Process(
        sys.executable,
        "-m",
        "tests.support.relaying",
        TOKEN,
        env=env_of(road.settings),
        name="relay",
    )
    road.put(1)
    wait_for(road.is_empty, 20, "it publishes")
    road.broker.freeze()
    try:
        runs = road.put(6, "tests.wait", args=[0.01, str(mark)])
        wait_for(
            lambda: _waits_for_the_broker(road.redis),
            20,
            "it has read them, and waits for the broker",
        )
        os.kill(frozen.pid, signal.SIGSTOP)
    finally:
        road.broker.thaw()
    second = road.relay("2:there:2:y")
    second.start()
    try:
        wait_for(road.is_empty, 20, "the other one has published them")
        os.kill(frozen.pid, signal.SIGCONT)
        assert frozen.wait(20) == 0
        wait_for(lambda: road.in_broker() == 13, 20, "they are in the broker twice")
        start_worker(road.settings, concurrency=2)
        wait_for(lambda: road.in_broker() == 0, 30, "all messages are taken")
        wait_for(
            lambda: sum(e.kind == "run.succeeded" for e in road.events()) >= 7, 30, "all have run"
        )
    finally:
        second.stop()
    assert mark.read_text().count("begin") == 6
    told = Counter((event.run, event.kind) for event in road.events() if event.run in runs)
    assert told == {
        (run, kind): 1 for run in runs for kind in ("run.received", "run.started", "run.succeeded")
    }


def _waits_for_the_broker(redis: Redis) -> bool:
    """Has the relay's client read, and asked for nothing since? While there is nothing to read it
    waits in XREAD.
    """
    last = [client["cmd"] for client in redis.client_list() if int(client["idle"]) >= 1]
    return "exec" in last


def test_a_broker_that_is_away_is_waited_for(road: Road, running: Relay) -> None:
    road.put(1)
    wait_for(road.is_empty)
    road.broker.stop()
    runs = road.put(3)
    wait_for(lambda: running.problem, 40, "the relay has a problem")
    assert backlog(road.redis).entries == 3
    road.broker.start()
    wait_for(road.is_empty, 30, "the outbox is empty")
    assert running.problem == ""
    assert len(runs) + 1 <= road.in_broker() <= 2 * len(runs) + 1


def test_a_broker_that_is_killed_keeps_what_it_has_confirmed(road: Road, running: Relay) -> None:
    road.put(20)
    wait_for(road.is_empty, what="the outbox is empty")
    road.broker.kill()
    road.put(5)
    road.broker.start()
    wait_for(road.is_empty, 30, "the outbox is empty")
    assert road.in_broker() >= 25


def test_a_call_that_celery_refuses_is_a_failed_run_and_stops_nobody(
    road: Road, running: Relay
) -> None:
    running.stop()
    before = road.put(2)
    (odd,) = road.put(1, args=[{"no": "json"}], serializer="no-such-serializer")
    after = road.put(2)
    relay = road.relay()
    relay.start()
    wait_for(road.is_empty, what="the outbox is empty")
    relay.stop()
    (failed,) = [event for event in road.events() if isinstance(event, RunFailed)]
    assert failed.run == odd
    assert "no-such-serializer" in failed.error
    assert road.in_broker() >= len(before + after)


def test_an_entry_that_nobody_can_read_is_dropped(road: Road, running: Relay) -> None:
    road.redis.xadd(keys.OUTBOX_STREAM, {"call": "{"})
    road.redis.xadd(keys.OUTBOX_STREAM, {"other": "1"})
    road.put(1)
    wait_for(road.is_empty, what="the outbox is empty")
    assert road.in_broker() == 1


def test_who_leads_no_more_publishes_nothing_new(road: Road) -> None:
    relay = road.relay()
    road.redis.set(keys.BEAT_LOCK, "2:another:9:z")
    road.put(1)
    relay.run()
    assert (backlog(road.redis).entries, road.in_broker()) == (1, 0)


def test_a_stopped_relay_ends_though_the_broker_is_away(road: Road) -> None:
    relay = road.relay()
    road.broker.stop()
    road.put(1)
    relay.start()
    wait_for(lambda: relay.problem, 40, "the relay has a problem")
    relay.stop()
    assert not relay.lives


def test_a_relay_that_is_stopped_while_it_reads_leaves_what_it_reads_to_the_next(
    road: Road, valkey: ValkeyServer
) -> None:
    road.put(2)
    relay = road.relay()
    valkey.freeze()
    try:
        relay.start()
        relay.stop()
        assert relay.lives, "it waits for Redis, and its Beat for it no longer than a lock lives"
    finally:
        valkey.thaw()
    wait_for(lambda: not relay.lives, 20, "it ends")
    assert (backlog(road.redis).entries, road.in_broker()) == (2, 0)


def test_times_that_count_from_sending_become_moments(road: Road) -> None:
    now = utc_now()
    rendered = OutboxRenderer(road.app).render(call_of("r", countdown=60, expires=90.0), now)
    options = json.loads(rendered.commands[0][4])["options"]
    assert options["countdown"] is None
    assert datetime.fromisoformat(options["eta"]) == now + timedelta(seconds=60)
    assert datetime.fromisoformat(options["expires"]) == now + timedelta(seconds=90)


@pytest.mark.parametrize(
    "said",
    [{"args": [1, 2, 3]}, {"args": [object()]}],
    ids=["arguments that do not fit", "no JSON"],
)
def test_what_celery_would_refuse_is_set_aside_by_beat(said: dict[str, Any], road: Road) -> None:
    with pytest.raises(Unsendable, match=r"tests\.add"):
        OutboxRenderer(road.app).render(call_of("r", **said), utc_now())


def test_the_queue_that_a_run_is_told_for_is_the_one_it_is_routed_to(road: Road) -> None:
    renderer: Callable[..., Any] = OutboxRenderer(road.app).render
    (usual,) = renderer(call_of("r"), utc_now()).messages
    (named,) = renderer(call_of("r", queue="slow"), utc_now()).messages
    assert (usual.queue, named.queue, usual.run) == (DEFAULT, "slow", "r")
