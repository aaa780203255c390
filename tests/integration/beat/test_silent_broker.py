"""A broker that accepts a connection and then says nothing, or loses packets on the way: Beat goes
on with the rest.
"""

from collections.abc import Iterator
from threading import Event
from time import monotonic
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from redis import Redis

from scheduler.beat import heartbeat
from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued
from scheduler.health.status import beat_part
from scheduler.publishing import delivery_mode
from scheduler.publishing.kombu_commands import Renderer
from scheduler.publishing.outbox import backlog
from scheduler.queues.timeouts import ANSWER_SECONDS, call_with_timeout
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Policies
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.golden import call_of
from tests.support.beat.ours import OUR_BEAT
from tests.support.builders import JOB, a_spec, every
from tests.support.processes import start_beat
from tests.support.schedules.contents import events
from tests.support.silent import Road, Silent
from tests.support.valkey import PASSWORD, ValkeyServer
from tests.support.waiting import stays, wait_for

SLACK = 1.0
"""Seconds that a busy machine may take beside the waiting itself."""


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.end()


@pytest.fixture
def road(valkey: ValkeyServer) -> Iterator[Road]:
    """A road to the Redis of the schedules."""
    road = Road(valkey.port)
    yield road
    road.end()


def app_at(settings: Settings, broker: str) -> BeatdeskApp:
    return create_app(settings.model_copy(update={"broker_url": broker}))


def redis_at(port: int) -> str:
    return f"redis://:{PASSWORD}@127.0.0.1:{port}/0"


def test_a_message_is_not_waited_for_longer_than_a_lock_lives(
    settings: Settings, silent: Silent
) -> None:
    renderer = Renderer(app_at(settings, redis_at(silent.port)))
    for _ in range(2):
        began = monotonic()
        with pytest.raises(OperationalError, match=r"no answer|[Tt]imeout"):
            renderer.render(call_of(JOB), utc_now())
        assert monotonic() - began < ANSWER_SECONDS + SLACK
    assert silent.visits == 2


def test_nor_is_an_answer_that_a_message_needs(settings: Settings, road: Road) -> None:
    renderer = Renderer(app_at(settings, redis_at(road.port)))
    assert renderer.render(call_of(JOB), utc_now()).commands
    road.swallows.set()
    began = monotonic()
    with pytest.raises(OperationalError, match="does not answer"):
        renderer.render(
            call_of(JOB, options={"exchange": "news", "exchange_type": "topic"}), utc_now()
        )
    assert monotonic() - began < ANSWER_SECONDS + SLACK
    road.swallows.clear()
    assert renderer.render(call_of(JOB), utc_now()).commands
    renderer.reset()


def test_the_way_is_chosen_without_an_answer(
    settings: Settings, redis: Redis, silent: Silent, caplog: pytest.LogCaptureFixture
) -> None:
    began = monotonic()
    assert delivery_mode.choose(app_at(settings, redis_at(silent.port)), redis) == "outbox"
    assert monotonic() - began < ANSWER_SECONDS + SLACK
    assert "no answer in 1 s" in caplog.text


def test_an_answer_that_comes_too_late_is_left_by_who_got_it() -> None:
    left: list[str] = []
    gate = Event()
    with pytest.raises(TimeoutError, match=r"no answer in 0\.05 s"):
        call_with_timeout(0.05, lambda: "late" if gate.wait(10) else "never", left.append)
    gate.set()
    wait_for(lambda: left == ["late"], what="the late answer is left")


def leads_on(redis: Redis, beat: Any) -> None:
    """For longer than its lock lives without being renewed it leads, under the same token, and says
    so.
    """
    token = redis.get(keys.BEAT_LOCK)

    def well() -> bool:
        (pulse,) = heartbeat.read(redis, utc_now())
        return redis.get(keys.BEAT_LOCK) == token and (utc_now() - pulse.at).total_seconds() < 3

    assert token
    wait_for(lambda: heartbeat.read(redis, utc_now()), 5, "it has said so once")
    stays(well, 7, "it leads, and says that it lives")
    assert beat.running()


def test_beat_leads_on_while_its_broker_swallows_everything(
    settings: Settings, services: Services, redis: Redis, store: ScheduleStore, road: Road
) -> None:
    """The broker is the Redis of the schedules, but the road to it is another one."""
    beat = start_beat(
        settings.model_copy(update={"broker_url": redis_at(road.port)}), scheduler=OUR_BEAT
    )
    beat.wait_for_log("'atomic'")
    road.swallows.set()
    store.create(a_spec("ticking", JOB, when=every(1.0)), edit=Edit(actor="ada", now=utc_now()))
    beat.wait_for_log("waits and tries again")
    leads_on(redis, beat)
    part = beat_part(services, utc_now())
    assert not part.ok
    assert "cannot send" in part.summary
    road.swallows.clear()
    wait_for(
        lambda: any(isinstance(event, RunQueued) for event in events(redis)), 20, "a run is sent"
    )
    wait_for(lambda: beat_part(services, utc_now()).ok, 10, "all is well")


def test_beat_fires_into_the_outbox_while_another_broker_never_answers(
    settings: Settings, redis: Redis, store: ScheduleStore, silent: Silent
) -> None:
    """Also where each tick has a run to cancel, which is asked for by way of the broker."""
    broker = f"amqp://guest:guest@127.0.0.1:{silent.port}//"
    replaces = a_spec(
        "replacing", JOB, when=every(1.0), policies=Policies(overlap="cancel_previous")
    )
    store.create(replaces, edit=Edit(actor="ada", now=utc_now()))
    beat = start_beat(settings.model_copy(update={"broker_url": broker}), scheduler=OUR_BEAT)
    store.create(
        a_spec("ticking", JOB, when=every(1.0), policies=Policies(overlap="allow")),
        edit=Edit(actor="ada", now=utc_now()),
    )
    wait_for(lambda: silent.visits > 0 and backlog(redis).entries, 20, "runs wait for the broker")
    before = backlog(redis).entries
    leads_on(redis, beat)
    assert backlog(redis).entries >= before + 5
    beat.terminate()
    wait_for(lambda: redis.get(keys.BEAT_LOCK) is None, 2, "it has given its lock back")
    assert beat.wait(10) == 0
