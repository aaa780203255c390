"""The claiming transport on a real server: messages, notes and leases, without a worker around it."""

import json
from resource import RUSAGE_SELF, getrusage
from time import monotonic
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunReceived, RunRetried, RunSucceeded, run_event
from scheduler.messages import unpacking
from scheduler.runs.lease_record import lease_of
from scheduler.runs.leases import LeasedStream
from scheduler.storage import keys
from scheduler.worker.transport.channel import DELIVERY, MOST_OF_A_LARGE_ONE
from tests.support.builders import a_schedule, facts_of
from tests.support.inbox import inbox
from tests.support.runs.stream import Stream

JOB = "tests.add"
ONE = "one@here"
OTHER = "other@here"
SCHEDULE: Any = a_schedule("due", JOB)


@pytest.fixture
def events(redis: Redis) -> LeasedStream:
    """The stream, which moves leases."""
    return LeasedStream(redis)


def sent(app: BeatdeskApp, **options: Any) -> str:
    """Send a run; its id."""
    return str(app.send_task(JOB, (1,), **options).id)


def lease(redis: Redis, run: str) -> Any:
    """The lease of a run."""
    text = redis.hget(keys.LEASE_OWNERS_HASH, run)
    return None if text is None else lease_of(str(text))


def received(events: LeasedStream, run: str, attempt: int, worker: str) -> None:
    """A worker's history of a run begins."""
    events.append(
        run_event(RunReceived, run, attempt, utc_now(), worker=worker, facts=facts_of(SCHEDULE))
    )


def expire(redis: Redis, run: str) -> None:
    """Let the worker of a run be silent for longer than its lease."""
    redis.zadd(keys.LEASES_ZSET, {run: 1})


def come_back(redis: Redis, box: Any) -> None:
    """Let every unacknowledged message be as old as one of a dead worker, and give it back."""
    for tag in redis.zrange("unacked_index", 0, -1):
        redis.zadd("unacked_index", {tag: 1})
    box.channel.qos.restore_visible(num=None, interval=1)


def test_a_claimed_message_is_noted_and_its_run_has_a_lease_at_once(
    app: BeatdeskApp, redis: Redis
) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        message = box.take()
        (noted,) = redis.hvals("unacked")
        payload, exchange, routing_key = json.loads(noted)
        assert (payload["headers"]["id"], exchange, routing_key) == (run, "", "default")
        assert redis.zcard("unacked_index") == 1
        held = lease(redis, run)
        assert (held.uid, held.attempt, held.worker, held.is_received) == (None, 1, ONE, False)
        assert message.delivery_info[DELIVERY] == ("start", 0, 0, False)
        message.ack()
        assert redis.exists("unacked", "unacked_index") == 0


def test_a_worker_that_is_killed_with_a_message_has_lost_nothing(
    app: BeatdeskApp, redis: Redis
) -> None:
    run = sent(app)
    with inbox(app, OTHER) as other:
        with inbox(app, ONE, queues=("bulk",)) as killed:
            other.take()
            redis.zadd(keys.LEASES_ZSET, {run: 1})
            come_back(redis, killed)
        message = other.take()
        assert (message.headers["id"], message.delivery_info["redelivered"]) == (run, True)
        assert message.delivery_info[DELIVERY][:3] == ("start", 0, 1), "no attempt had begun"


def test_a_delivery_that_began_and_did_not_end_is_an_attempt_of_its_own(
    app: BeatdeskApp, redis: Redis, events: LeasedStream, stream: Stream
) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        box.take()
        received(events, run, 1, ONE)
        expire(redis, run)
        come_back(redis, box)
    with inbox(app, OTHER) as box:
        message = box.take()
        assert message.delivery_info[DELIVERY][:3] == ("start", 1, 1)
        assert message.headers["beatdesk"]["deliveries"] == 1
        lost = stream.one(run, "run.lost")
        assert (lost.attempt, lost.seq, lost.worker) == (1, 17, ONE)
        assert (lease(redis, run).attempt, lease(redis, run).worker) == (2, OTHER)


def test_a_message_whose_run_has_ended_is_dropped_and_leaves_nothing(
    app: BeatdeskApp, redis: Redis, events: LeasedStream
) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        box.take()
        received(events, run, 1, ONE)
        events.append(run_event(RunSucceeded, run, 1, utc_now(), worker=ONE, result=None))
        come_back(redis, box)
        box.look()
        box.look()
        assert len(box.messages) == 1
    left = ("default", "unacked", "unacked_index", keys.ENDED_ZSET, keys.DELIVERIES_HASH)
    assert redis.exists(*left) == 0


def test_a_message_whose_attempt_another_message_has_followed_is_dropped(
    app: BeatdeskApp, redis: Redis, events: LeasedStream
) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        box.take()
        received(events, run, 1, ONE)
        events.append(run_event(RunRetried, run, 1, utc_now(), worker=ONE, error="e"))
        come_back(redis, box)
        app.send_task(JOB, (1,), task_id=run, retries=1)
        second = box.take()
        assert (second.headers["retries"], lease(redis, run).attempt) == (1, 2)
        assert redis.llen("default") == 0


def test_a_message_that_comes_back_while_its_worker_lives_waits_for_the_end_of_the_lease(
    app: BeatdeskApp, redis: Redis
) -> None:
    sent(app)
    with inbox(app, ONE) as box:
        first = box.take()
        come_back(redis, box)
        assert redis.llen("default") == 1
        box.look()
        box.look()
        assert (len(box.messages), redis.llen("default"), redis.hlen("unacked")) == (1, 0, 1)
        first.ack()
        assert redis.hlen("unacked") == 0, "the worker that has the run acknowledges it"


def test_an_acknowledgement_does_not_take_a_message_from_the_worker_that_has_its_run_now(
    app: BeatdeskApp, redis: Redis, events: LeasedStream
) -> None:
    run = sent(app)
    with inbox(app, ONE) as frozen, inbox(app, OTHER, queues=("bulk",)) as box:
        first = frozen.take()
        received(events, run, 1, ONE)
        expire(redis, run)
        come_back(redis, box)
        with inbox(app, OTHER) as other:
            second = other.take()
            first.ack()
            assert redis.hlen("unacked") == 1
            frozen.channel.qos.give_back(second.delivery_tag)
            assert redis.llen("default") == 0
            second.ack()
    assert redis.exists("unacked", "unacked_index") == 0


def test_what_a_closed_channel_had_goes_back_with_its_lease(app: BeatdeskApp, redis: Redis) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        box.take()
    assert (redis.llen("default"), redis.hlen("unacked")) == (1, 0)
    assert lease(redis, run).worker is None
    with inbox(app, OTHER) as box:
        assert box.take().delivery_info[DELIVERY][:3] == ("start", 0, 0)


def test_a_worker_that_stops_between_the_end_of_a_run_and_the_acknowledgement_leaves_nothing(
    app: BeatdeskApp, redis: Redis, events: LeasedStream
) -> None:
    run = sent(app)
    with inbox(app, ONE) as box:
        box.take()
        received(events, run, 1, ONE)
        events.append(run_event(RunSucceeded, run, 1, utc_now(), worker=ONE, result=None))
    left = ("default", "unacked", "unacked_index", keys.ENDED_ZSET, keys.DELIVERIES_HASH)
    assert redis.exists(*left) == 0


@pytest.mark.parametrize("is_ours_first", [True, False])
def test_workers_with_kombus_transport_and_ours_may_read_the_same_queues(
    app: BeatdeskApp, redis: Redis, is_ours_first: bool
) -> None:
    run = sent(app)
    with inbox(app, ONE, is_claiming=is_ours_first) as first:
        tag = first.take().delivery_tag
        expire(redis, run)
        with inbox(app, OTHER, queues=("bulk",), is_claiming=not is_ours_first) as other:
            other.channel.qos.restore_by_tag(tag)
    with inbox(app, OTHER, is_claiming=not is_ours_first) as other:
        message = other.take()
        assert (message.headers["id"], message.delivery_info["redelivered"]) == (run, True)
        message.ack()
    assert redis.exists("unacked", "unacked_index", "default") == 0


def test_messages_come_in_the_order_of_priorities_then_queues_then_time(
    app: BeatdeskApp,
) -> None:
    places = [("bulk", 0), ("default", 9), ("default", 0), ("default", 0), ("critical", 3)]
    runs = [sent(app, queue=queue, priority=priority) for queue, priority in places]
    with inbox(app, ONE, queues=("critical", "default", "bulk")) as box:
        order = [runs.index(box.take().headers["id"]) for _ in runs]
    assert order == [2, 3, 0, 4, 1]


def test_a_waiting_channel_takes_a_message_of_any_list_within_moments(app: BeatdeskApp) -> None:
    with inbox(app, ONE, queues=("critical", "default", "bulk")) as box:
        for _ in range(4):
            box.look()
        for queue, priority in (("bulk", 9), ("critical", 0), ("default", 6)):
            sent(app, queue=queue, priority=priority)
            began = monotonic()
            box.take().ack()
            assert monotonic() - began < 0.5
            for _ in range(4):
                box.look()


def test_a_waiting_channel_asks_once_a_second(app: BeatdeskApp, redis: Redis) -> None:
    with inbox(app, ONE) as box:
        for _ in range(4):
            box.look()
        before = _calls(redis)
        end = monotonic() + 2.5
        while monotonic() < end:
            box.look()
        assert _calls(redis) - before <= 4


def _calls(redis: Redis) -> int:
    stats: Any = redis.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


def test_a_message_whose_run_cannot_be_taken_is_delivered_as_one_that_is_no_run(
    app: BeatdeskApp, redis: Redis
) -> None:
    headers = {"beatdesk": {"schedule": SCHEDULE.name, "schedule_uid": SCHEDULE.uid}}
    run = sent(app, headers=headers)
    redis.set(keys.ALIVE_PREFIX + SCHEDULE.uid, "not what a lease is written into")
    with inbox(app, ONE) as box:
        message = box.take()
        assert message.headers["id"] == run
        assert DELIVERY not in message.delivery_info
        assert redis.hlen("unacked") == 1, "a worker that is killed now has lost nothing"
        assert lease(redis, run) is None
        message.ack()
        assert redis.exists("unacked") == 0


def test_a_message_that_cannot_be_noted_stays_in_its_list(app: BeatdeskApp, redis: Redis) -> None:
    run = sent(app)
    redis.set("unacked", "no hash")
    with inbox(app, ONE) as box, pytest.raises(ResponseError, match="WRONGTYPE"):
        box.take()
    (message,) = redis.lrange("default", 0, -1)
    assert json.loads(str(message))["headers"]["id"] == run


def test_a_note_that_is_no_message_does_not_keep_the_others_from_coming_back(
    app: BeatdeskApp, redis: Redis
) -> None:
    notes = ("", "text", "null", "[1, 2, 3]", "[" * 2000)
    for number, note in enumerate(notes):
        redis.hset("unacked", f"hostile-{number}", note)
        redis.zadd("unacked_index", {f"hostile-{number}": 1})
    run = sent(app)
    with inbox(app, ONE) as lost, inbox(app, OTHER) as box:
        lost.take()
        expire(redis, run)
        refused: list[str] = []
        box.channel.refuse_text = lambda text, queue, reason: refused.append(reason)
        come_back(redis, box)
        assert len(refused) == len(notes)
        assert redis.hkeys("unacked") == []
        assert redis.llen("default") == 1


@pytest.mark.parametrize("value", [b"9" * 5000, b"0x10"])
def test_a_text_that_only_the_server_can_read_is_refused_and_leaves_no_note(
    app: BeatdeskApp, redis: Redis, value: bytes
) -> None:
    text = put(app, redis, "own", value)
    run = sent(app)
    refused: list[tuple[bytes, str]] = []
    with inbox(app, ONE) as box:
        box.channel.refuse_text = lambda text, queue, reason: refused.append((text, queue))
        message = box.take()
        assert message.headers["id"] == run
        assert refused == [(text, "default")]
        assert redis.hkeys("unacked") == [message.delivery_tag]
        assert redis.zrange("unacked_index", 0, -1) == [message.delivery_tag]


def test_a_message_of_sixty_megabytes_never_reaches_the_worker(
    app: BeatdeskApp, redis: Redis
) -> None:
    text = put(app, redis, "own", b'"' + b"x" * 60_000_000 + b'"')
    run = sent(app)
    refused: list[tuple[bytes, str]] = []
    with inbox(app, ONE) as box:
        box.channel.refuse_text = lambda text, _, reason: refused.append((text, reason))
        before = getrusage(RUSAGE_SELF).ru_maxrss
        assert box.take().headers["id"] == run
        assert getrusage(RUSAGE_SELF).ru_maxrss - before < 10_000  # kB
    reason = f"it has {len(text)} bytes, and at most {unpacking.MOST_BYTES} are read"
    assert refused == [(text[:MOST_OF_A_LARGE_ONE], reason)]
    assert redis.llen("default") == 1, "what was taken went back, and nothing else is there"


@pytest.mark.parametrize(("name", "value"), [("own", b'"\xff"'), ("priority", b"1e400")])
def test_a_message_with_any_value_goes_back_and_keeps_no_other_from_it(
    app: BeatdeskApp, redis: Redis, name: str, value: bytes
) -> None:
    put(app, redis, name, value)
    sent(app)
    with inbox(app, ONE) as box:
        box.take()
        box.take()
        assert redis.hlen("unacked") == 2
    assert redis.hlen("unacked") == 0
    assert sum(redis.llen(queue) for queue in redis.scan_iter("default*", _type="list")) == 2


def put(app: BeatdeskApp, redis: Redis, name: str, value: bytes) -> bytes:
    """Put a message with this JSON in a header, or as its priority, into the queue; its text."""
    sent(app, headers={"own": "@"})
    whole = json.loads(str(redis.lpop("default")))
    if name == "priority":
        whole["properties"][name] = "@"
        whole["headers"]["own"] = ""
    text = json.dumps(whole).encode().replace(b'"@"', value)
    redis.lpush("default", text)
    return text
