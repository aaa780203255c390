"""A pass of Beat over what is due: what holds it up, what it remembers for the next one, and when
that comes.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime

import pytest
from kombu.exceptions import OperationalError
from redbeat.schedules import rrule
from redis import Redis

from scheduler.beat import Scheduler, dispatch_loop, heartbeat, loop
from scheduler.beat.dispatch_loop import DispatchLoop, PassResult
from scheduler.clock import utc_now
from scheduler.dispatch.waiting_list import WaitingList
from scheduler.events.schema import OVERLAP_ACTOR, TicksSkipped
from scheduler.publishing.calls import Call, Rendered
from scheduler.publishing.kombu_commands import Renderer
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import plain_uid, run_id, tick_text
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.schedules.operations import Operations
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import queued
from tests.support.ports import free_port
from tests.support.schedules.contents import events, messages, plain, score
from tests.support.schedules.late import HOUR, first_run, full_second, hourly
from tests.support.waiting import wait_for


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[PassResult]:
    """What each pass of a Beat came to, the newest last."""
    found: list[PassResult] = []
    run = DispatchLoop.run

    def watched(self: DispatchLoop) -> PassResult:
        found.append(run(self))
        return found[-1]

    monkeypatch.setattr(DispatchLoop, "run", watched)
    return found


def due_again(redis: Redis, saved: Schedule) -> None:
    """Let Beat's memory of a schedule be as it was before its tick."""
    redis.hset(keys.entry(saved.name), "meta", encode_meta(Meta(saved.when.anchor)))
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(saved.name): (saved.when.anchor + HOUR).timestamp()})


def test_a_pass_that_takes_long_is_interrupted_and_gone_on_with_at_once(
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    passes: list[PassResult],
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", 1)
    monkeypatch.setattr(dispatch_loop, "LONGEST_PASS", 0.0)
    saved = [hourly(store, f"due-{number}") for number in range(3)]
    for sent in (1, 2, 3):
        beat.tick()
        assert (len(queued(redis)), passes[-1].wait) == (sent, 0)
        assert passes[-1].lag >= 1800
    beat.tick()
    assert sorted(queued(redis)) == sorted(map(first_run, saved))
    assert passes[-1].wait > 0
    assert passes[-1].lag == 0


def test_what_cannot_be_moved_does_not_interrupt_a_pass_before_the_others_had_their_turn(
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    passes: list[PassResult],
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", 1)
    monkeypatch.setattr(dispatch_loop, "LONGEST_PASS", 0.0)
    redis.set("broken", "no list")
    stuck = [hourly(store, f"a-stuck-{number}", queue="broken") for number in range(2)]
    good = hourly(store, "b-good")
    beat.tick()
    assert queued(redis) == [first_run(good)]
    beat.tick()
    assert passes[-1].stayed == len(stuck)


def test_what_stays_due_shows_as_lag_and_is_looked_at_again_soon(
    store: ScheduleStore, beat: Scheduler, redis: Redis, passes: list[PassResult]
) -> None:
    beat.tick()
    assert (passes[-1].lag, passes[-1].stayed) == (0, 0)
    saved = hourly(store)
    beat.tick()
    assert (passes[-1].lag, passes[-1].stayed) == (0, 0), "it was late, and is late no more"
    ahead = (saved.when.anchor + 2 * HOUR).timestamp() - utc_now().timestamp()
    assert passes[-1].wait == pytest.approx(min(ahead, 10), abs=5)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): utc_now().timestamp() + 3})
    beat.tick()
    assert 0 < passes[-1].wait <= 3
    redis.set("broken", "no list")
    hourly(store, "stuck", queue="broken")
    beat.tick()
    assert passes[-1].stayed == 1
    assert 1790 < passes[-1].lag < 1900
    assert passes[-1].wait <= 0.1


def test_an_entry_that_is_stuck_is_tried_less_and_less_often(
    store: ScheduleStore, beat: Scheduler, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.set("broken", "no list")
    hourly(store, queue="broken")
    beat.tick()
    for _ in range(20):
        beat.tick()
    tries = [record for record in caplog.records if "was refused" in record.message]
    assert 1 <= len(tries) <= 4


def test_a_key_that_is_no_entry_is_set_aside_once_and_not_forgotten(
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(loop, "RETRY_EVERY", 0.0)
    saved = hourly(store)
    fields = redis.hgetall(keys.entry("due"))
    redis.delete(keys.entry("due"))
    redis.set(keys.entry("due"), "no hash")
    for _ in range(4):
        beat.tick()
    assert score(redis, "due") == -1
    assert sum("is set aside" in record.message for record in caplog.records) == 1
    assert "WRONGTYPE" in str(redis.hget(keys.ASIDE_HASH, "due"))
    redis.delete(keys.entry("due"))
    redis.hset(keys.entry("due"), mapping=fields)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): 1})
    beat.tick()
    assert queued(redis) == [first_run(saved)]


@pytest.mark.parametrize("prefix", [keys.ALIVE_PREFIX, keys.WAITING_PREFIX])
def test_a_schedule_whose_runs_cannot_be_counted_is_set_aside_and_costs_only_itself(
    store: ScheduleStore, beat: Scheduler, redis: Redis, prefix: str
) -> None:
    bad, good = hourly(store, "a-bad"), hourly(store, "b-good")
    redis.delete(prefix + bad.uid)
    redis.set(prefix + bad.uid, "of another type")
    beat.tick()
    assert queued(redis) == [first_run(good)]
    assert score(redis, "a-bad") == -1


@pytest.mark.parametrize(
    "written",
    [lambda uid: uid, lambda uid: uid.upper()],
    ids=["as it is", "in capitals, as RFC 4122 allows"],
)
@pytest.mark.parametrize(
    "ordered", [False, True], ids=["as we write it", "as somebody else writes JSON"]
)
def test_whoever_wrote_our_field_the_runs_of_the_schedule_are_counted(  # noqa: PLR0917 - fixtures
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    services: Services,
    written: Callable[[str], str],
    ordered: bool,
) -> None:
    saved = hourly(store)
    before = services.control.start(saved, actor="ada", now=full_second())
    extra = json.loads(redis.hget(keys.entry("due"), "beatdesk"))
    extra["uid"] = written(saved.uid)
    separators = None if ordered else (",", ":")
    redis.hset(
        keys.entry("due"), "beatdesk", json.dumps(extra, sort_keys=ordered, separators=separators)
    )
    beat.tick()
    assert queued(redis) == [before]
    assert [event.reason for event in events(redis) if isinstance(event, TicksSkipped)] == [
        "overlap"
    ]


def test_what_waits_of_an_entry_of_plain_redbeat_code_is_found(
    services: Services, beat: Scheduler, redis: Redis
) -> None:
    """It has no field of ours, so that its id follows from its name, in the script as in Python."""
    beat.tick()
    for number in range(6):
        name = f"plain-{number}"
        plain(services, name)
        schedule = services.schedules.get(name)
        assert schedule.uid == plain_uid(name)
        tick = full_second() - number * HOUR
        WaitingList(redis).add(schedule, [WaitingTick(tick, "backfill", "ada")], full_second())
        beat.tick()
        assert queued(redis)[-1] == run_id(schedule.uid, tick)


def test_what_redis_says_now_counts_and_not_what_beat_read_or_sent_before(
    store: ScheduleStore, beat: Scheduler, redis: Redis, services: Services
) -> None:
    saved = hourly(store, queue="default")
    key, run = keys.entry("due"), first_run(saved)
    beat.tick()
    services.events.forget(run)
    due_again(redis, saved)
    beat.tick()
    assert queued(redis) == [run, run], "its memory was set back, and so is sent again"
    services.events.forget(run)
    definition = json.loads(redis.hget(key, "definition"))
    redis.hset(key, "definition", json.dumps(definition | {"kwargs": {"days": 9}}))
    due_again(redis, saved)
    beat.tick()
    assert [json.loads(_body(message))[1] for message in messages(redis, "default")] == [
        {},
        {},
        {"days": 9},
    ]
    services.events.forget(run)
    Operations(store).pause("due", reason="r", edit=Edit(actor="ada", now=full_second()))
    due_again(redis, saved)
    beat.tick()
    assert (len(queued(redis)), score(redis, "due")) == (3, -1)


def test_an_entry_that_code_owns_is_held_by_its_operator_for_as_long_as_code_owns_it(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    saved = hourly(store, policies=Policies(overlap="allow"))
    beat.tick()
    redis.sadd(keys.STATICS_SET, "due")
    store.set_enabled("due", False, edit=Edit(actor="ada", now=full_second()))
    due_again(redis, saved)
    beat.tick()
    assert (len(queued(redis)), score(redis, "due")) == (1, -1)
    definition = json.loads(redis.hget(keys.entry("due"), "definition"))
    assert definition["enabled"], "code says that it runs"
    redis.srem(keys.STATICS_SET, "due")
    due_again(redis, saved)
    beat.tick()
    assert len(queued(redis)) == 2


def test_an_entry_that_only_redbeat_computes_keeps_to_its_pause_and_its_switch(
    services: Services, beat: Scheduler, redis: Redis, store: ScheduleStore
) -> None:
    """However plain RedBeat code sets its due time."""
    plain(services, schedule=rrule("SECONDLY", dtstart=full_second() - HOUR))
    due = {keys.entry("plain"): 1}
    Operations(store).pause("plain", reason="r", edit=Edit(actor="ada", now=full_second()))
    redis.zadd(keys.SCHEDULE_ZSET, due)
    beat.tick()
    assert (queued(redis), score(redis, "plain")) == ([], -1)
    Operations(store).resume("plain", missed="skip", edit=Edit(actor="ada", now=full_second()))
    store.set_enabled("plain", False, edit=Edit(actor="ada", now=full_second()))
    redis.zadd(keys.SCHEDULE_ZSET, due)
    beat.tick()
    assert (queued(redis), score(redis, "plain")) == ([], -1)
    store.set_enabled("plain", True, edit=Edit(actor="ada", now=full_second()))

    def fired() -> list[str]:
        beat.tick()
        return queued(redis)

    wait_for(fired, 10, "it fires again")


def test_a_broker_that_is_away_is_no_fault_of_the_entry_that_is_due(
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beat.tick()
    saved = hourly(store)
    with monkeypatch.context() as patch:
        patch.setattr(
            services.celery.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0"
        )
        assert beat.tick() > 0, "it is waited for"
        assert (queued(redis), redis.hlen(keys.ASIDE_HASH)) == ([], 0)
        assert score(redis, "due") == (saved.when.anchor + HOUR).timestamp()
    beat.tick()
    assert queued(redis) == [first_run(saved)]


def test_a_leader_whose_server_is_out_of_memory_backs_off_and_sends_at_once_when_there_is_some(
    store: ScheduleStore, beat: Scheduler, redis: Redis
) -> None:
    """It is nobody's own fault, so that no entry is left alone for it. Its queue is declared
    before.
    """
    before = hourly(store, "before")
    beat.tick()
    saved = [before, *(hourly(store, f"due-{number}") for number in range(3))]
    redis.config_set("maxmemory", 1)
    try:
        assert beat.tick() > 0
        assert len(messages(redis)) == len(queued(redis)) == 1
    finally:
        redis.config_set("maxmemory", 0)
    beat.tick()
    assert sorted(queued(redis)) == sorted(map(first_run, saved))


def _body(message: dict[str, str]) -> bytes:
    return base64.b64decode(message["body"])


def test_a_backfill_says_who_wanted_it_and_the_ticks_before_and_after_it_do_not(
    store: ScheduleStore, beat: Scheduler, redis: Redis, services: Services
) -> None:
    saved = hourly(store, queue="default", policies=Policies(overlap="queue_all"))
    beat.tick()
    services.events.forget(first_run(saved))
    old = saved.when.anchor - 5 * HOUR
    WaitingList(redis).add(saved, [WaitingTick(old, "backfill", "ada")], full_second())
    beat.tick()
    services.events.forget(run_id(saved.uid, old))
    due_again(redis, saved)
    beat.tick()
    said = [message["headers"] for message in messages(redis, "default")]
    assert [(one["beatdesk"]["trigger"], one["beatdesk"].get("actor")) for one in said] == [
        ("schedule", None),
        ("backfill", "ada"),
        ("schedule", None),
    ]
    own = tick_text(saved.when.anchor + HOUR)
    assert [one["tick"] for one in said] == [own, tick_text(old), own]


def test_with_cancel_previous_the_run_before_is_asked_to_end_by_our_beat_too(
    store: ScheduleStore, beat: Scheduler, redis: Redis, services: Services
) -> None:
    saved = hourly(store, policies=Policies(overlap="cancel_previous"))
    before = services.control.start(saved, actor="ada", now=full_second())
    beat.tick()
    wait_for(
        lambda: services.cancellations.actor(before) == OVERLAP_ACTOR, 10, "the run is asked to end"
    )
    assert [held.tick for held in WaitingList(redis).of(saved.uid)] == [saved.when.anchor + HOUR]
    services.events.forget(before)
    beat.tick()
    assert queued(redis) == [before, first_run(saved)]


def test_beat_forgets_decoded_entries_only_where_there_are_too_many(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few it keeps, each is sent, and again."""
    monkeypatch.setattr("scheduler.beat.fast.decoded_entries.CACHE_SIZE", 2)
    saved = [
        hourly(store, f"due-{number}", policies=Policies(overlap="allow")) for number in range(5)
    ]
    beat.tick()
    for one in saved:
        due_again(redis, one)
    beat.tick()
    runs = sorted(map(first_run, saved))
    assert (sorted(queued(redis)[:5]), sorted(queued(redis)[5:])) == (runs, runs)


def test_a_broker_that_goes_away_between_two_chunks_leaves_the_first_one_counted(
    store: ScheduleStore,
    beat: Scheduler,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", 1)
    first, second = hourly(store, "a-first"), hourly(store, "b-second", queue="slow")
    render = Renderer.render

    def rendered(self: Renderer, call: Call, now: datetime) -> Rendered:
        if call.options.get("queue") == "slow":
            raise OperationalError("away")
        return render(self, call, now)

    with monkeypatch.context() as patch:
        patch.setattr(Renderer, "render", rendered)
        assert beat.tick() > 0, "it waits"
    assert queued(redis) == [first_run(first)]
    (pulse,) = heartbeat.read(redis, utc_now())
    assert pulse.sent == 1
    beat.tick()
    assert queued(redis) == [first_run(first), first_run(second)]
