"""A worker on RabbitMQ, whose messages came by the outbox: what becomes of a run that is broken
off.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.publishing.relay import Relay
from scheduler.runs.leases import HELD_SECONDS
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.road import Road
from tests.support.processes import start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.waiting import wait_for

SHORT_LEASES = "tests.support.short_leases"


@pytest.fixture
def road(rabbit: RabbitServer, settings: Settings, redis: Redis) -> Iterator[Road]:
    """RabbitMQ as the broker, and a relay that runs."""
    settings = settings.model_copy(
        update={"jobs": ("tests.support.jobs",), "broker_url": rabbit.url}
    )
    app = create_app(settings)
    app.loader.import_default_modules()
    road = Road(settings, app, redis, rabbit)
    relay: Relay = road.relay()
    relay.start()
    yield road
    relay.stop()
    app.close()


def lines(mark: Path) -> list[str]:
    """What executions of `tests.wait` have left."""
    return mark.read_text().split() if mark.exists() else []


def kinds(road: Road, run: str) -> Counter[str]:
    """What was told of a run, and how often."""
    return Counter(event.kind for event in road.events() if event.run == run)


def is_over(road: Road, run: str) -> bool:
    """Has it ended well?"""
    return kinds(road, run)["run.succeeded"] > 0


def test_the_run_of_a_killed_worker_is_the_same_run_at_another(road: Road, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = start_worker(road.settings, app=SHORT_LEASES)
    (run,) = road.put(1, "tests.wait", args=[3, str(mark)])
    wait_for(lambda: lines(mark) == ["begin"], 20, "the job begins")
    # An event that Redis does not take at once waits in the worker, and would be killed with it.
    wait_for(lambda: kinds(road, run)["run.started"], 20, "its start is told")
    first.kill()
    second = start_worker(road.settings, app=SHORT_LEASES)
    wait_for(lambda: is_over(road, run), 40, "the other worker ends it")
    wait_for(lambda: not road.redis.exists(keys.ENDED_ZSET), 20, "its message is acknowledged")
    assert second.stop(timeout=60) == 0, "it was not killed for being slow"
    assert lines(mark) == ["begin", "begin", "end"]
    told = kinds(road, run)
    assert told == {"run.received": 2, "run.started": 2, "run.lost": 1, "run.succeeded": 1}
    begun = [event for event in road.events() if event.run == run and event.kind == "run.started"]
    assert [event.attempt for event in begun] == [1, 2]
    assert road.in_broker() == 0


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_worker_that_lost_the_broker_starts_again_what_it_had_as_soon_as_it_comes_back(
    how: str, road: Road, tmp_path: Path
) -> None:
    """Sooner than its own lease would end, and what had ended before is not run again."""
    marks = [tmp_path / str(number) for number in range(4)]
    start_worker(road.settings, concurrency=2)
    runs = [road.put(1, "tests.wait", args=[0.5, str(mark)])[0] for mark in marks]
    wait_for(lambda: lines(marks[3]) == ["begin"], 20, "the last job begins")
    getattr(road.broker, how)()
    road.broker.start()
    wait_for(lambda: all(is_over(road, run) for run in runs), HELD_SECONDS * 0.8, "all have ended")
    assert [lines(mark).count("end") for mark in marks] == [1] * 4
    for run in runs:
        told = [event.kind for event in road.events() if event.run == run]
        assert told[-1] == "run.succeeded"
        assert told.count("run.succeeded") == 1


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_what_waits_for_its_time_at_a_worker_that_lost_the_broker_is_not_held_up(
    how: str, road: Road, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    start_worker(road.settings)
    (run,) = road.put(1, "tests.wait", args=[0.1, str(mark)], countdown=8)
    wait_for(lambda: kinds(road, run)["run.received"], 20, "the worker has it")
    getattr(road.broker, how)()
    road.broker.start()
    wait_for(
        lambda: is_over(road, run),
        HELD_SECONDS * 0.8,
        "it has run, sooner than its lease would end",
    )
    assert lines(mark) == ["begin", "end"]


def test_nor_at_a_worker_that_is_stopped(road: Road, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = start_worker(road.settings)
    (run,) = road.put(1, "tests.wait", args=[0.1, str(mark)], countdown=14)
    wait_for(lambda: kinds(road, run)["run.received"], 20, "the worker has it")
    start_worker(road.settings)
    first.stop()
    wait_for(
        lambda: is_over(road, run),
        HELD_SECONDS * 0.8,
        "the other one has run it, when its time had come",
    )
    assert lines(mark) == ["begin", "end"]
    assert kinds(road, run) == {"run.received": 2, "run.started": 1, "run.succeeded": 1}
