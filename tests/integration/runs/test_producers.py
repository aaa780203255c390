"""Application code that sends runs, while the desk's Redis is well, away, silent, and back."""

import logging
from collections.abc import Iterator
from time import monotonic

import pytest
from redis import Redis

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.events.schema import RunStarted, run_event
from scheduler.events.stream import EventStream
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.worker.producer_spool import FIRST_TRY_SECONDS, ProducerSpool
from scheduler.worker.signals import RunSignals
from tests.support.builders import NOON
from tests.support.processes import Process, env_of
from tests.support.runs.stream import Stream
from tests.support.silent import Silent
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

SENDER = """
from scheduler.celery import app

print("sent", app.send_task("tests.add", (1,)).id, flush=True)
"""


@pytest.fixture
def producer(
    settings: Settings, second_valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BeatdeskApp]:
    """The app as application code imports it; its broker is another server than the desk's."""
    services = Services(settings.model_copy(update={"broker_url": second_valkey.url}))
    app = services.celery
    run_signals = RunSignals(app)
    run_signals.connect()
    yield app
    run_signals.disconnect()
    app.close()


def send(app: BeatdeskApp) -> tuple[str, float]:
    """Send a run. Returns its id, and the seconds that it took."""
    begin = monotonic()
    run = str(app.send_task("tests.add", (1,)).id)
    return run, monotonic() - begin


def test_the_event_of_a_sent_run_is_in_the_stream_at_once(
    producer: BeatdeskApp, stream: Stream
) -> None:
    run, _ = send(producer)
    assert stream.kinds(run) == ["run.queued"]


def test_sending_does_not_wait_while_redis_is_away_and_the_events_come_when_it_is_back(
    producer: BeatdeskApp,
    valkey: ValkeyServer,
    second_valkey: ValkeyServer,
    stream: Stream,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send(producer)
    valkey.stop()
    sent = [send(producer) for _ in range(5)]
    assert sum(seconds for _, seconds in sent) < FIRST_TRY_SECONDS + 1
    with second_valkey.client() as broker:
        assert broker.llen("default") == 6
    valkey.start()
    for run, _ in sent:
        wait_for(lambda run=run: stream.kinds(run) == ["run.queued"], 20, "the event comes")
    warnings = [text for text in caplog.messages if "does not answer" in text]
    assert len(warnings) == 1
    wait_for(lambda: any("is back" in text for text in caplog.messages), 5, "the log says so")


def test_sending_does_not_wait_for_a_redis_that_is_silent(
    settings: Settings, second_valkey: ValkeyServer
) -> None:
    silent = Silent()
    lame = settings.model_copy(
        update={
            "redis_url": f"redis://127.0.0.1:{silent.port}/0",
            "broker_url": second_valkey.url,
        }
    )
    begin = monotonic()
    program = Process("python", "-c", SENDER, env=env_of(lame), name="program")
    program.wait_for_log("sent ", timeout=30)
    assert program.wait(timeout=10) == 0
    silent.end()
    assert monotonic() - begin < 30
    assert "1 runs that it sent have no event" in program.log


def test_an_event_that_cannot_be_written_is_dropped_and_keeps_no_other(
    redis: Redis, valkey: ValkeyServer, stream: Stream
) -> None:
    spool = ProducerSpool(EventStream(redis))
    valkey.stop()
    for run in ("a", "r\ud800", "b"):
        spool.put(run_event(RunStarted, run, 1, NOON))
    valkey.start()
    wait_for(lambda: spool.waiting == 0, 20, "the spool is empty")
    spool.put(run_event(RunStarted, "r\ud800", 1, NOON))
    spool.put(run_event(RunStarted, "c", 1, NOON))
    assert [event.run for event in stream.events()] == ["a", "b", "c"]  # type: ignore[attr-defined]
    spool.close()


def test_beyond_its_bound_a_spool_drops_and_counts(
    redis: Redis, valkey: ValkeyServer, stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    spool = ProducerSpool(EventStream(redis), most=3)
    valkey.stop()
    for run in "abcde":
        spool.put(run_event(RunStarted, run, 1, NOON))
    assert (spool.waiting, spool.dropped) == (3, 2)
    valkey.start()
    wait_for(lambda: spool.waiting == 0, 20, "the spool is empty")
    assert [event.run for event in stream.events()] == ["a", "b", "c"]  # type: ignore[attr-defined]
    wait_for(lambda: any("2 were dropped" in text for text in caplog.messages), 5, "it is counted")
    spool.close()
