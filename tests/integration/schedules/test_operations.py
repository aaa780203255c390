"""What operators hold back, RedBeat's own scheduler does not send; each tick of it gets its
verdict.
"""

from datetime import UTC, datetime, timedelta

import pytest
from redbeat.schedulers import RedBeatScheduler
from redis import Redis

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.schema import RunSucceeded, TicksMissed, TicksSkipped, run_event
from scheduler.redbeat.codec import Meta, decode_meta, encode_meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Schedule, Spec
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_spec, every
from tests.support.schedules.contents import events, messages, score
from tests.support.schedules.store import leading_beat

MINUTE = timedelta(minutes=1)


def since_minutes(
    store: ScheduleStore, redis: Redis, minutes: int, **parts: object
) -> tuple[Schedule, datetime]:
    """A schedule of one tick a minute, whose last run was so many minutes ago; and when that
    was.
    """
    start = datetime.fromtimestamp(int(utc_now().timestamp()), UTC) - minutes * MINUTE
    spec: Spec = a_spec("due", when=every(60, start), **parts)
    saved = store.create(spec, edit=Edit(actor="ada@example.org", now=start))
    redis.hset(keys.entry("due"), "meta", encode_meta(Meta(start, 3)))
    return saved, start


def verdicts(redis: Redis) -> list[tuple[str, datetime, datetime, int]]:
    """The ranges that did not run, with their reasons."""
    found = [event for event in events(redis) if isinstance(event, TicksSkipped | TicksMissed)]
    return [(event.reason, event.tick_from, event.tick_to, event.ticks) for event in found]


def test_beat_sends_nothing_of_a_paused_schedule(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 5)
    services.operations.pause("due", reason="x", edit=Edit(actor="a", now=start))
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): start.timestamp()})
    beat.tick()
    assert messages(redis) == []
    assert score(redis, "due") == -1


def test_a_pause_that_ends_by_itself_skips_its_ticks_and_the_next_one_runs(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    saved, start = since_minutes(store, redis, 10)
    end = start + 9 * MINUTE + timedelta(seconds=30)
    services.operations.pause("due", reason="x", until=end, edit=Edit(actor="a", now=start))
    assert score(redis, "due") == end.timestamp()
    beat.tick()
    beat.tick()
    (message,) = messages(redis)
    assert message["headers"]["id"] == run_id(saved.uid, start + 10 * MINUTE)
    assert verdicts(redis) == [("paused", start + MINUTE, start + 9 * MINUTE, 9)]


def test_a_resumed_schedule_waits_for_its_next_tick(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 10)
    services.operations.pause(
        "due", reason="x", edit=Edit(actor="a", now=start + 3 * MINUTE + timedelta(seconds=30))
    )
    services.operations.resume(
        "due", edit=Edit(actor="a", now=start + 10 * MINUTE + timedelta(seconds=1))
    )
    beat.tick()
    beat.tick()
    assert messages(redis) == []
    assert score(redis, "due") == (start + 11 * MINUTE).timestamp()
    assert verdicts(redis) == [
        ("scheduler_down", start + MINUTE, start + 3 * MINUTE, 3),
        ("paused", start + 4 * MINUTE, start + 10 * MINUTE, 7),
    ]


def test_runs_of_ticks_in_the_pause_are_sent_once_the_oldest_first_and_each_after_the_one_before(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    saved, start = since_minutes(store, redis, 3)
    services.operations.pause("due", reason="x", edit=Edit(actor="a", now=start))
    resumed = services.operations.resume(
        "due", missed="all", edit=Edit(actor="ada the operator", now=start + 3 * MINUTE)
    )
    assert resumed.runs == [run_id(saved.uid, start + number * MINUTE) for number in (1, 2, 3)]
    for number in (1, 2, 3):
        for beat in leading_beat(services):  # each time a new one: what waits outlives it
            beat.tick()
            beat.tick()
        sent = messages(redis)
        assert [message["headers"]["id"] for message in sent] == resumed.runs[:number]
        services.events.append(
            run_event(RunSucceeded, resumed.runs[number - 1], 1, utc_now(), worker="w@h")
        )
    facts = sent[-1]["headers"]["beatdesk"]
    assert (facts["trigger"], facts["actor"], facts["revision"]) == (
        "schedule",
        "ada the operator",
        3,
    )
    assert (verdicts(redis), services.waiting.of(saved.uid)) == ([], [])
    assert decode_meta(redis.hget(keys.entry("due"), "meta")).total_run_count == 6


def test_a_skipped_tick_is_not_sent_and_says_who_wanted_it(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 1)
    _, tick = services.operations.skip(
        "due", tick=start + MINUTE, edit=Edit(actor="a", now=start + timedelta(seconds=5))
    )
    assert tick == start + MINUTE
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): tick.timestamp()})
    beat.tick()
    beat.tick()
    assert messages(redis) == []
    assert verdicts(redis) == [("operator", tick, tick, 1)]
    assert score(redis, "due") == (start + 2 * MINUTE).timestamp()


def test_what_plain_redbeat_code_or_beat_schedule_wrote_can_be_paused_too(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    from celery.schedules import crontab
    from redbeat import RedBeatSchedulerEntry

    RedBeatSchedulerEntry(
        "legacy", "reports.job_summary", crontab(minute="0"), app=services.celery
    ).save()
    paused = services.operations.pause("legacy", reason="x", edit=Edit(actor="a", now=utc_now()))
    assert (paused.revision, paused.origin, store.get("legacy").paused) == (
        1,
        "redbeat",
        paused.paused,
    )
    assert score(redis, "legacy") == -1
    services.operations.resume("legacy", edit=Edit(actor="a", now=utc_now() + MINUTE))
    assert store.get("legacy").paused is None
    with pytest.raises(Refused, match="not paused"):
        services.operations.resume("legacy", edit=Edit(actor="a", now=utc_now()))
