"""A client waits for a frozen server as long as its caller may, and not for each question."""

from collections.abc import Iterator
from time import monotonic

import pytest
from redis import Redis
from redis.exceptions import ResponseError, TimeoutError

from scheduler.storage.client import connect
from scheduler.storage.waiting_time import ServerRecord, WaitingTime, limited_to
from tests.support.silent import Silent
from tests.support.valkey import ValkeyServer


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[Redis]:
    with connect(valkey.url, "desk") as client:
        yield client
        valkey.thaw()


def test_all_questions_to_a_frozen_server_share_the_time(
    client: Redis, valkey: ValkeyServer
) -> None:
    client.set("answer", "42")
    valkey.freeze()
    time = WaitingTime(0.5)
    begun = monotonic()
    with limited_to(time):
        for _ in range(20):
            with pytest.raises(TimeoutError):
                client.get("answer")
    assert 0.4 < monotonic() - begun < 4
    assert time.left == 0
    valkey.thaw()
    with limited_to(WaitingTime(5.0)):
        assert client.get("answer") == "42"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel"])
def test_a_new_connection_to_a_silent_server_shares_the_time(scheme: str) -> None:
    server = Silent()
    try:
        with connect(f"{scheme}://127.0.0.1:{server.port}", "desk") as client:
            begun = monotonic()
            with limited_to(WaitingTime(0.5)):
                for _ in range(20):
                    with pytest.raises(Exception, match=r"(?i)timeout|no answer|no master"):
                        client.get("answer")
            assert monotonic() - begun < 4
    finally:
        server.end()


def test_a_reply_that_came_too_late_is_not_taken_for_the_next(
    client: Redis, valkey: ValkeyServer
) -> None:
    client.mset({"one": "1", "two": "2"})
    valkey.freeze()
    with limited_to(WaitingTime(0.2)), pytest.raises(TimeoutError):
        client.get("one")
    valkey.thaw()
    assert client.get("two") == "2"
    time = WaitingTime(5.0)
    with limited_to(time), client.pipeline(transaction=False) as pipe:
        pipe.get("one")
        pipe.get("two")
        assert pipe.execute() == ["1", "2"]


def test_a_refusal_is_an_answer(client: Redis) -> None:
    record = ServerRecord()
    record.is_silent = True
    with limited_to(WaitingTime(5.0, record=record)), pytest.raises(ResponseError):
        client.execute_command("NONSENSE")  # type: ignore[no-untyped-call]
    assert not record.is_silent


def test_a_long_command_that_a_frozen_server_does_not_read_shares_the_time(
    client: Redis, valkey: ValkeyServer
) -> None:
    client.ping()
    valkey.freeze()
    begun = monotonic()
    with limited_to(WaitingTime(0.5)):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                client.set("long", "x" * 40_000_000)
    assert monotonic() - begun < 5
