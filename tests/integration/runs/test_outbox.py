"""The way of events to a stream that answers, does not, and does again."""

import threading
from datetime import UTC, datetime

import pytest
from redis import Redis

from scheduler.events.schema import Event, RunStarted, run_event
from scheduler.events.stream import EventStream
from scheduler.worker.event_buffer import EventBuffer
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(run: str) -> Event:
    return run_event(RunStarted, run, 1, NOON)


def arrived(stream: Stream) -> list[str]:
    return [event.run for event in stream.events()]  # type: ignore[attr-defined]


def test_events_go_out_at_once_while_the_stream_answers(redis: "Redis", stream: Stream) -> None:
    outbox = EventBuffer(EventStream(redis))
    outbox.offer(event("a"))
    outbox.deliver(event("b"), event("c"))
    assert arrived(stream) == ["a", "b", "c"]
    assert outbox.waiting == 0


def test_offered_events_wait_in_order_while_the_server_is_away(
    valkey: ValkeyServer, redis: "Redis", stream: Stream
) -> None:
    outbox = EventBuffer(EventStream(redis))
    valkey.stop()
    for run in "abc":
        outbox.offer(event(run))
    assert outbox.waiting == 3
    assert not outbox.flush()
    valkey.start()
    outbox.offer(event("d"))
    assert outbox.waiting == 4, "only flush and deliver ask a server that was away"
    assert outbox.flush()
    assert arrived(stream) == ["a", "b", "c", "d"]


def test_a_delivery_waits_until_the_server_is_back_and_takes_along_what_waited(
    valkey: ValkeyServer, redis: "Redis", stream: Stream
) -> None:
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            valkey.start()

    outbox = EventBuffer(EventStream(redis), wait=wait)
    valkey.stop()
    outbox.offer(event("a"))
    outbox.deliver(event("b"))
    assert arrived(stream) == ["a", "b"]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_an_event_that_cannot_be_written_is_dropped_and_keeps_no_other(
    redis: "Redis", stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = EventBuffer(EventStream(redis))
    outbox.offer(event("r\ud800"))
    outbox.add(event("a"), event("r\ud800"))
    outbox.deliver(event("b"))
    assert arrived(stream) == ["a", "b"]
    assert outbox.waiting == 0
    assert [text for text in caplog.messages if "is dropped" in text] == caplog.messages
    assert len(caplog.messages) == 2


def test_while_a_delivery_waits_for_the_server_other_threads_do_not(
    valkey: ValkeyServer, redis: "Redis", stream: Stream
) -> None:
    waits, is_back = threading.Event(), threading.Event()

    def wait(_seconds: float) -> None:
        waits.set()
        is_back.wait(20)

    outbox = EventBuffer(EventStream(redis), wait=wait)
    valkey.stop()
    delivery = threading.Thread(target=outbox.deliver, args=(event("a"),), daemon=True)
    delivery.start()
    assert waits.wait(10)
    offer = threading.Thread(target=outbox.offer, args=(event("b"),), daemon=True)
    offer.start()
    offer.join(10)
    assert not offer.is_alive(), "an offer waits for nothing"
    assert outbox.waiting == 2
    valkey.start()
    is_back.set()
    delivery.join(10)
    assert not delivery.is_alive()
    assert arrived(stream) == ["a", "b"]


def test_when_too_many_wait_the_worker_waits_too(
    valkey: ValkeyServer, redis: "Redis", stream: Stream
) -> None:
    waited: list[int] = []

    def wait(_seconds: float) -> None:
        waited.append(outbox.waiting)
        valkey.start()

    outbox = EventBuffer(EventStream(redis), most=3, wait=wait)
    valkey.stop()
    for run in "abcd":
        outbox.offer(event(run))
    assert waited == [3]
    assert arrived(stream) == ["a", "b", "c", "d"]
