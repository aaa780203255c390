"""What the relay remembers of runs that may have a second message, pass by pass; the broker is
another Redis.
"""

import json
from collections.abc import Iterator

import pytest
from redis import Redis

from scheduler.celery_app.queues import DEFAULT
from scheduler.clock import utc_now
from scheduler.events.schema import RunFailed
from scheduler.job import job
from scheduler.publishing.outbox import OutboxRenderer, backlog
from scheduler.publishing.relay import Relay
from scheduler.runs.deduplication import DOUBTFUL_SECONDS
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.road import Road, a_road, call_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for


@pytest.fixture
def road(settings: Settings, redis: Redis, second_valkey: ValkeyServer) -> Iterator[Road]:
    settings = settings.model_copy(
        update={"jobs": ("tests.support.jobs",), "broker_url": second_valkey.url}
    )
    with a_road(settings, redis, second_valkey) as road:
        yield road


@pytest.fixture
def relay(road: Road) -> Iterator[Relay]:
    """A relay that does not run yet."""
    relay = road.relay()
    yield relay
    relay.stop()


def published(road: Road, relay: Relay) -> None:
    """Let it run, if it does not yet, until nothing is left."""
    if not relay.lives:
        relay.start()
    wait_for(road.is_empty, 20, "the outbox is empty")


def doubtful(road: Road) -> set[str]:
    """The runs that may have a second message."""
    return set(road.redis.zrange(keys.OUTBOX_DOUBTS_ZSET, 0, -1))


def sent(road: Road) -> list[dict[str, str]]:
    """What each message in the broker says of its run, oldest first."""
    assert isinstance(road.broker, ValkeyServer)
    with road.broker.client() as client:
        texts = reversed(client.lrange(DEFAULT, 0, -1))
        headers = [json.loads(text)["headers"] for text in texts]
    return [{"run": one["id"], "mark": one["beatdesk"]["outbox"]} for one in headers]


def test_who_takes_over_doubts_all_that_lies_there_and_nothing_that_comes_later(
    road: Road, relay: Relay
) -> None:
    found = road.put(3)
    published(road, relay)
    assert doubtful(road) == set(found)
    later = road.put(2)
    published(road, relay)
    assert doubtful(road) == set(found)
    assert [one["run"] for one in sent(road)] == found + later


def test_what_lies_there_is_doubted_in_the_order_of_numbers_not_of_texts(
    road: Road, relay: Relay
) -> None:
    for run, place in (("nine", "9-0"), ("ten", "10-0")):
        ((command, stream, _, *rest),) = (
            OutboxRenderer(road.app).render(call_of(run), utc_now()).commands
        )
        road.redis.execute_command(command, stream, place, *rest)
    published(road, relay)
    assert doubtful(road) == {"nine", "ten"}


def test_what_was_tried_while_the_broker_was_away_is_doubted_when_it_is_tried_again(
    road: Road, relay: Relay
) -> None:
    published(road, relay)
    first = road.put(1)
    published(road, relay)
    assert doubtful(road) == set()
    road.broker.stop()
    tried = road.put(2)
    wait_for(lambda: relay.problem, 20, "the broker is seen to be away")
    road.broker.start()
    published(road, relay)
    assert doubtful(road) == set(tried)
    later = road.put(1)
    published(road, relay)
    assert {one["run"] for one in sent(road)} >= {*tried, *later}
    assert doubtful(road).isdisjoint([*first, *later])


def test_beside_a_call_that_is_refused_all_of_its_batch_are_doubted_and_sent(
    road: Road, relay: Relay
) -> None:
    published(road, relay)
    with road.redis.pipeline(transaction=True) as pipe:  # so that they are of one batch
        for number in range(5):
            options = {"serializer": "no-such-serializer"} if number == 2 else {}
            for command in (
                OutboxRenderer(road.app)
                .render(call_of(f"run-{number}", **options), utc_now())
                .commands
            ):
                pipe.execute_command(*command)
        pipe.execute()
    published(road, relay)
    others = {"run-0", "run-1", "run-3", "run-4"}
    assert {one["run"] for one in sent(road)} == others
    assert doubtful(road) == {*others, "run-2"}
    assert [event.run for event in road.events() if isinstance(event, RunFailed)] == ["run-2"]


def test_each_message_has_a_mark_of_its_own_also_where_two_are_of_one_run(
    road: Road, relay: Relay
) -> None:
    for run in ("twice", "twice", "once"):
        for command in OutboxRenderer(road.app).render(call_of(run), utc_now()).commands:
            road.redis.execute_command(*command)
    published(road, relay)
    assert [one["run"] for one in sent(road)] == ["twice", "twice", "once"]
    assert len({one["mark"] for one in sent(road)}) == 3


def test_a_claim_that_is_known_is_remembered_for_long_once_it_is_in_doubt_and_none_is_made_up(
    road: Road, relay: Relay
) -> None:
    claimed, free = road.put(2)
    road.redis.hset(keys.OUTBOX_CLAIMS_HASH, claimed, "a1")
    road.redis.zadd(keys.OUTBOX_CLAIMS_ZSET, {claimed: utc_now().timestamp() + 10})
    published(road, relay)
    until = road.redis.zscore(keys.OUTBOX_CLAIMS_ZSET, claimed)
    assert until is not None
    assert DOUBTFUL_SECONDS - 60 < until - utc_now().timestamp() <= DOUBTFUL_SECONDS + 1
    assert road.redis.zscore(keys.OUTBOX_CLAIMS_ZSET, free) is None


def test_nothing_is_forgotten_as_long_as_something_doubtful_was_left(
    road: Road, relay: Relay
) -> None:
    """A run whose claim is over may be what lies in the outbox still."""
    road.redis.hset(keys.OUTBOX_CLAIMS_HASH, "old", "a")
    road.redis.zadd(keys.OUTBOX_CLAIMS_ZSET, {"old": 1})
    lately = utc_now().timestamp() - DOUBTFUL_SECONDS / 2
    road.redis.zadd(
        keys.OUTBOX_DOUBTS_ZSET,
        {"long": utc_now().timestamp() - DOUBTFUL_SECONDS - 60, "lately": lately},
    )
    (found,) = road.put(1)
    published(road, relay)
    assert road.redis.hkeys(keys.OUTBOX_CLAIMS_HASH) == ["old"]
    assert doubtful(road) == {"long", "lately", found}
    road.put(1)
    published(road, relay)
    assert road.redis.exists(keys.OUTBOX_CLAIMS_HASH, keys.OUTBOX_CLAIMS_ZSET) == 0
    assert doubtful(road) == {"lately", found}


def test_a_relay_that_is_at_work_publishes_nothing_more_once_the_lock_is_anothers(
    road: Road, relay: Relay
) -> None:
    published(road, relay)
    road.redis.set(keys.BEAT_LOCK, "2:another:9:z")
    road.put(1)
    wait_for(lambda: not relay.lives, 10, "it ends by itself")
    assert (road.in_broker(), road.is_empty()) == (0, False)


def test_the_backlog_is_as_old_as_what_has_waited_longest(road: Road) -> None:
    now = utc_now().timestamp()
    assert backlog(road.redis) == (0, 0.0)
    for ago in (100, 40):
        road.redis.xadd(keys.OUTBOX_STREAM, {"call": "{}"}, id=f"{int((now - ago) * 1000)}-0")
    count, seconds = backlog(road.redis)
    assert (count, seconds) == (2, pytest.approx(100, abs=10))
    road.redis.xtrim(keys.OUTBOX_STREAM, maxlen=0, approximate=False)
    road.redis.xadd(keys.OUTBOX_STREAM, {"call": "{}"}, id=f"{int((now + 50) * 1000)}-0")
    assert backlog(road.redis) == (1, 0.0), "the server's clock was set back"


def heavy(number: int) -> None:
    """A job."""


def test_a_run_is_told_for_the_queue_that_its_job_names_unless_its_schedule_names_another(
    road: Road,
) -> None:
    job("heavy.one", queue="heavy")(heavy)
    road.app.finalize()
    render = OutboxRenderer(road.app).render
    (own,) = render(call_of("r", "heavy.one"), utc_now()).messages
    (named,) = render(call_of("r", "heavy.one", queue="light"), utc_now()).messages
    assert (own.queue, named.queue) == ("heavy", "light")
