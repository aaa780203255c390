"""The stream: nothing is handed out twice, nothing leaves it unacknowledged, nothing in it can hide
the rest.
"""

from datetime import UTC, datetime

import pytest
from redis import Redis

from scheduler.events.schema import UndecodableEvent, decode
from scheduler.events.stream import EventStream
from scheduler.storage import keys
from tests.support.builders import a_run_history
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for


def test_events_come_out_as_they_went_in(stream: EventStream) -> None:
    events = a_run_history("run-1", result={"text": "ü€😀", "nested": [1, None]})
    stream.append(events[0])
    stream.append_many(events[1:])
    assert [decode(entry.fields) for entry in stream.read("r1", 10)] == events


def test_what_was_read_is_not_handed_out_again_until_it_is_claimed_from_the_dead(
    stream: EventStream,
) -> None:
    ids = stream.append_many(a_run_history("run-1"))
    assert [entry.id for entry in stream.read("r1", 10)] == ids
    assert stream.read("r2", 10) == []
    assert [entry.id for entry in stream.pending("r1", 10)] == ids
    assert stream.claim("r2", 60_000, 10) == ("0-0", [])
    assert [entry.id for entry in stream.claim("r2", 0, 10)[1]] == ids
    assert stream.pending("r1", 10) == []


def test_claiming_goes_on_where_it_stopped(stream: EventStream) -> None:
    ids = stream.append_many(a_run_history("run-1"))
    stream.read("r1", 10)
    following, first = stream.claim("r2", 0, 3)
    end, rest = stream.claim("r2", 0, 3, following)
    assert [entry.id for entry in [*first, *rest]] == ids
    assert end == "0-0"


def test_an_acknowledged_event_is_gone(stream: EventStream, redis: Redis) -> None:
    ids = stream.append_many(a_run_history("run-1"))
    stream.read("r1", 10)
    stream.ack(ids[:3])
    assert stream.length() == 1
    assert [entry.id for entry in stream.pending("r1", 10)] == ids[3:]
    stream.ack(ids[3:])
    assert stream.length() == 0
    assert redis.xpending(keys.EVENTS_STREAM, keys.EVENTS_GROUP)["pending"] == 0


def test_the_group_sees_what_was_appended_before_there_was_one(stream: EventStream) -> None:
    stream.append_many(a_run_history("run-1"))
    stream.ensure_group()
    stream.ensure_group()
    assert len(stream.read("r1", 10)) == 4


def test_reading_makes_the_group_again_where_the_server_was_emptied(
    stream: EventStream, redis: Redis
) -> None:
    stream.append_many(a_run_history("run-1"))
    stream.read("r1", 10)
    redis.flushall()
    assert stream.read("r1", 10) == []
    stream.append_many(a_run_history("run-2"))
    assert len(stream.read("r1", 10)) == 4


def test_bytes_that_are_no_text_cost_only_their_own_entry(
    stream: EventStream, redis: Redis
) -> None:
    redis.xadd(keys.EVENTS_STREAM, {"event": b"\xff\xfe"})
    stream.append_many(a_run_history("run-1"))
    broken, *others = stream.read("r1", 10)
    with pytest.raises(UndecodableEvent):
        decode(broken.fields)
    assert [decode(entry.fields) for entry in others] == a_run_history("run-1")
    assert stream.lag().events == 5


def test_an_entry_deleted_under_a_reader_is_handed_out_empty(
    stream: EventStream, redis: Redis
) -> None:
    ids = stream.append_many(a_run_history("run-1"))
    stream.read("r1", 10)
    redis.xdel(keys.EVENTS_STREAM, ids[0])
    assert [bool(entry.fields) for entry in stream.pending("r1", 10)] == [False, True, True, True]


def test_the_lag_counts_what_is_not_in_sql_and_the_age_of_the_oldest(
    stream: EventStream, redis: Redis
) -> None:
    assert stream.lag() == (0, 0.0)
    seconds, micros = redis.time()
    minute_ago = datetime.fromtimestamp(seconds + micros / 1e6 - 60, UTC)
    redis.xadd(keys.EVENTS_STREAM, {"event": "old"}, id=f"{int(minute_ago.timestamp() * 1000)}-0")
    stream.append_many(a_run_history("run-1"))
    stream.read("r1", 10)
    lag = stream.lag()
    assert lag.events == 5
    assert 60 <= lag.seconds < 70


def test_a_dead_letter_keeps_the_entry_and_says_why(stream: EventStream, redis: Redis) -> None:
    entry = redis.xadd(keys.EVENTS_STREAM, {"event": "nonsense", "more": "x"})
    stream.read("r1", 10)
    stream.dead(str(entry), "ValueError: no", 1)
    (letter,) = stream.dead_letters(10)
    assert (letter.entry, letter.error, letter.fields) == (
        entry,
        "ValueError: no",
        {"event": "nonsense", "more": "x"},
    )
    assert (stream.length(), stream.dead_letter_count(), stream.pending("r1", 10)) == (0, 1, [])


def test_consumers_that_hold_nothing_are_forgotten_and_others_are_not(
    stream: EventStream, redis: Redis
) -> None:
    stream.append_many(a_run_history("run-1"))
    stream.read("holding", 1)
    stream.read("idle", 1)
    stream.ack([entry.id for entry in stream.pending("idle", 10)])

    def forgotten() -> bool:
        stream.forget_consumers(idle_ms=5)
        return {
            consumer["name"]
            for consumer in redis.xinfo_consumers(keys.EVENTS_STREAM, keys.EVENTS_GROUP)
        } == {"holding"}

    wait_for(forgotten, what="the idle consumer is forgotten")
    assert len(stream.pending("holding", 10)) == 1


def test_what_was_handed_out_outlives_the_servers_death(
    stream: EventStream, valkey: ValkeyServer
) -> None:
    ids = stream.append_many(a_run_history("run-1"))
    stream.read("r1", 2)
    valkey.restart()
    assert [entry.id for entry in stream.pending("r1", 10)] == ids[:2]
    assert [entry.id for entry in stream.read("r1", 10)] == ids[2:]
