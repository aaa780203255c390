"""A backfill's ticks wait for their turn in Redis, and RedBeat's own scheduler sends them. No
worker runs.
"""

from datetime import timedelta

import pytest
from redbeat.schedulers import RedBeatScheduler
from redis import Redis

from scheduler.clock import utc_now
from scheduler.dispatch import backfill
from scheduler.dispatch.backfill import Overlap, Started
from scheduler.errors import Refused
from scheduler.events.schema import RunSucceeded, run_event
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_spec, at, cron
from tests.support.schedules.contents import messages, score
from tests.support.schedules.store import leading_beat

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST = at("2026-01-05T00:00Z")


@pytest.fixture
def daily(store: ScheduleStore, redis: Redis) -> Schedule:
    """A schedule that was due on three days, and has dealt with every tick until now."""
    saved = store.create(
        a_spec("yearly", when=cron("0 0 5-7 1 *")),
        edit=Edit(actor="ada", now=at("2026-01-01T00:00Z")),
    )
    redis.hset(keys.entry("yearly"), "meta", encode_meta(Meta(utc_now())))
    return saved


def fills(services: Services, schedule: Schedule, overlap: Overlap = "queue_all") -> Started:
    """Backfill three ticks. The history knows nothing: no recorder runs."""
    found = backfill.plan(schedule, FIRST, FIRST + 3 * DAY, limit=9, now=utc_now())
    return backfill.start(
        found,
        services.control,
        services.waiting,
        services.leases.known,
        overlap=overlap,
        actor="ada",
        now=utc_now(),
    )


def sent(redis: Redis) -> list[str]:
    return [message["headers"]["id"] for message in messages(redis)]


def ends(services: Services, run: str) -> None:
    services.events.append(run_event(RunSucceeded, run, 1, utc_now(), worker="w@h"))


def test_each_tick_starts_when_the_run_before_it_has_ended_also_under_another_beat(
    services: Services, daily: Schedule, redis: Redis
) -> None:
    started = fills(services, daily)
    assert (started.runs, started.known) == (
        [run_id(daily.uid, FIRST + n * DAY) for n in range(3)],
        0,
    )
    assert sent(redis) == []
    for number in (1, 2, 3):
        for beat in leading_beat(services):
            beat.tick()
            beat.tick()
        assert sent(redis) == started.runs[:number]
        ends(services, started.runs[number - 1])
    facts = messages(redis)[-1]["headers"]["beatdesk"]
    assert (facts["trigger"], facts["actor"]) == ("backfill", "ada")
    assert services.waiting.of(daily.uid) == []


def test_a_tick_that_waits_or_has_a_run_gets_no_second_one(
    services: Services, daily: Schedule, beat: RedBeatScheduler
) -> None:
    fills(services, daily)
    beat.tick()
    again = fills(services, daily)
    assert (again.runs, again.known) == ([], 3)
    assert len(services.waiting.of(daily.uid)) == 2
    assert fills(services, daily, "allow").known == 1
    assert len(sent(services.redis)) == 3


def test_all_at_once_puts_every_run_in_the_queue_and_each_counts_as_alive(
    services: Services, daily: Schedule
) -> None:
    started = fills(services, daily, "allow")
    assert sent(services.redis) == started.runs
    assert sorted(services.leases.runs_of(daily.uid)) == sorted(started.runs)


def test_a_backfill_waits_for_the_end_of_a_pause_and_is_looked_at_when_it_ends(
    services: Services, daily: Schedule, beat: RedBeatScheduler, redis: Redis
) -> None:
    services.operations.pause("yearly", reason="r", edit=Edit(actor="ada", now=utc_now()))
    fills(services, daily)
    beat.tick()
    assert (sent(redis), score(redis, "yearly")) == ([], -1)
    services.operations.resume("yearly", edit=Edit(actor="ada", now=utc_now()))
    beat.tick()
    assert sent(redis) == [run_id(daily.uid, FIRST)]


def test_a_schedule_that_is_off_lets_nothing_wait(
    services: Services, store: ScheduleStore, daily: Schedule
) -> None:
    off = store.set_enabled("yearly", False, edit=Edit(actor="ada", now=utc_now()))
    with pytest.raises(Refused, match="switch it on"):
        fills(services, off)
    assert services.waiting.of(daily.uid) == []


def test_nothing_waits_for_a_schedule_that_is_gone(
    services: Services, store: ScheduleStore, daily: Schedule
) -> None:
    store.delete("yearly", edit=Edit(actor="ada", now=utc_now()))
    assert services.waiting.add(daily, [WaitingTick(FIRST, "backfill", "ada")], utc_now()) == []


@pytest.mark.parametrize("overlap", backfill.OVERLAPS)
def test_ticks_that_beat_has_not_dealt_with_are_left_to_it_and_none_runs_twice_when_it_returns(
    overlap: Overlap, services: Services, store: ScheduleStore, redis: Redis
) -> None:
    now = utc_now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    spec = a_spec(
        "hourly", when=cron("0 * * * *"), policies=Policies(catch_up="all", catch_up_window=86_400)
    )
    schedule = store.create(spec, edit=Edit(actor="ada", now=hour - 6 * HOUR))
    redis.hset(keys.entry("hourly"), "meta", encode_meta(Meta(hour - 2 * HOUR)))
    found = backfill.plan(
        schedule, hour - 4 * HOUR, now, limit=9, now=now, beat=store.dealt_with("hourly")
    )
    assert (found.ticks, found.count, found.left) == (
        [hour - 4 * HOUR, hour - 3 * HOUR, hour - 2 * HOUR],
        3,
        2,
    )
    backfill.start(
        found,
        services.control,
        services.waiting,
        services.leases.known,
        overlap=overlap,
        actor="ada",
        now=utc_now(),
    )
    expected = {run_id(schedule.uid, hour - n * HOUR) for n in range(5)}
    for beat in leading_beat(services):
        for _ in range(10):
            beat.tick()
            for run in services.leases.runs_of(schedule.uid):
                ends(services, run)
    assert sorted(sent(redis)) == sorted(expected)


def test_a_schedule_that_is_off_leaves_nothing_to_beat(
    store: ScheduleStore, daily: Schedule
) -> None:
    assert store.dealt_with("yearly") is not None
    store.set_enabled("yearly", False, edit=Edit(actor="ada", now=utc_now()))
    assert store.dealt_with("yearly") is None
