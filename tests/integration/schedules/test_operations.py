"""What operators hold back, RedBeat's own scheduler does not send; each tick of it gets its verdict."""

from datetime import UTC, datetime, timedelta

import pytest
from redbeat.schedulers import RedBeatScheduler
from redis import Redis

from scheduler import keys
from scheduler.clock import utc_now
from scheduler.errors import Refused, Unavailable
from scheduler.events.schema import TicksMissed, TicksSkipped
from scheduler.rules.identity import run_id
from scheduler.rules.spec import Schedule, Spec
from scheduler.schedules.codec import Meta, encode_meta
from scheduler.schedules.operations import Operations
from scheduler.schedules.store import ScheduleStore
from scheduler.wiring import Desk
from tests.integration.schedules.conftest import events, messages, score
from tests.support.builders import a_spec, every

MINUTE = timedelta(minutes=1)


def since_minutes(store: ScheduleStore, redis: Redis, minutes: int, **parts: object) -> tuple[Schedule, datetime]:
    """A schedule of one tick a minute, whose last run was so many minutes ago; and when that was."""
    start = datetime.fromtimestamp(int(utc_now().timestamp()), UTC) - minutes * MINUTE
    spec: Spec = a_spec("due", when=every(60, start), **parts)
    saved = store.create(spec, actor="ada@example.org", now=start)
    redis.hset(keys.entry("due"), "meta", encode_meta(Meta(start, 3)))
    return saved, start


def verdicts(redis: Redis) -> list[tuple[str, datetime, datetime, int]]:
    """The ranges that did not run, with their reasons."""
    found = [event for event in events(redis) if isinstance(event, TicksSkipped | TicksMissed)]
    return [(event.reason, event.tick_from, event.tick_to, event.ticks) for event in found]


def test_beat_sends_nothing_of_a_paused_schedule(
    store: ScheduleStore, desk: Desk, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 5)
    desk.operations.pause("due", reason="x", actor="a", now=start)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): start.timestamp()})
    beat.tick()
    assert messages(redis) == []
    assert score(redis, "due") == -1


def test_a_pause_that_ends_by_itself_skips_its_ticks_and_the_next_one_runs(
    store: ScheduleStore, desk: Desk, beat: RedBeatScheduler, redis: Redis
) -> None:
    saved, start = since_minutes(store, redis, 10)
    end = start + 9 * MINUTE + timedelta(seconds=30)
    desk.operations.pause("due", reason="x", until=end, actor="a", now=start)
    assert score(redis, "due") == end.timestamp()
    beat.tick()
    beat.tick()
    (message,) = messages(redis)
    assert message["headers"]["id"] == run_id(saved.uid, start + 10 * MINUTE)
    assert verdicts(redis) == [("paused", start + MINUTE, start + 9 * MINUTE, 9)]


def test_a_resumed_schedule_waits_for_its_next_tick(
    store: ScheduleStore, desk: Desk, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 10)
    desk.operations.pause("due", reason="x", actor="a", now=start + 3 * MINUTE + timedelta(seconds=30))
    desk.operations.resume("due", actor="a", now=start + 10 * MINUTE + timedelta(seconds=1))
    beat.tick()
    beat.tick()
    assert messages(redis) == []
    assert score(redis, "due") == (start + 11 * MINUTE).timestamp()
    assert verdicts(redis) == [
        ("scheduler_down", start + MINUTE, start + 3 * MINUTE, 3),
        ("paused", start + 4 * MINUTE, start + 10 * MINUTE, 7),
    ]


def test_runs_of_ticks_in_the_pause_are_sent_once(
    store: ScheduleStore, desk: Desk, beat: RedBeatScheduler, redis: Redis
) -> None:
    saved, start = since_minutes(store, redis, 3)
    desk.operations.pause("due", reason="x", actor="a", now=start)
    resumed = desk.operations.resume("due", missed="all", actor="a", now=start + 3 * MINUTE)
    assert resumed.runs == [run_id(saved.uid, start + number * MINUTE) for number in (1, 2, 3)]
    beat.tick()
    beat.tick()
    assert [message["headers"]["id"] for message in messages(redis)] == resumed.runs
    assert verdicts(redis) == []


def test_a_skipped_tick_is_not_sent_and_says_who_wanted_it(
    store: ScheduleStore, desk: Desk, beat: RedBeatScheduler, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 1)
    _, tick = desk.operations.skip("due", tick=start + MINUTE, actor="a", now=start + timedelta(seconds=5))
    assert tick == start + MINUTE
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): tick.timestamp()})
    beat.tick()
    beat.tick()
    assert messages(redis) == []
    assert verdicts(redis) == [("operator", tick, tick, 1)]
    assert score(redis, "due") == (start + 2 * MINUTE).timestamp()


class Away:
    """A broker that goes away after the first run."""

    def __init__(self) -> None:
        self.sent = 0

    def start(self, *_: object, **__: object) -> str:
        self.sent += 1
        if self.sent > 1:
            raise Unavailable("the broker does not answer")
        return "run"


def test_where_the_broker_goes_away_what_was_not_started_is_missed(
    store: ScheduleStore, desk: Desk, redis: Redis
) -> None:
    _, start = since_minutes(store, redis, 3)
    operations = Operations(store, Away(), desk.events)
    operations.pause("due", reason="x", actor="a", now=start)
    with pytest.raises(Unavailable, match="2 of its runs could not be started"):
        operations.resume("due", missed="all", actor="a", now=start + 3 * MINUTE)
    assert verdicts(redis) == [("broker", start + 2 * MINUTE, start + 3 * MINUTE, 2)]
    assert store.get("due").paused is None


def test_what_plain_redbeat_code_or_beat_schedule_wrote_can_be_paused_too(
    store: ScheduleStore, desk: Desk, redis: Redis
) -> None:
    from celery.schedules import crontab
    from redbeat import RedBeatSchedulerEntry

    RedBeatSchedulerEntry("legacy", "reports.job_summary", crontab(minute="0"), app=desk.celery).save()
    paused = desk.operations.pause("legacy", reason="x", actor="a", now=utc_now())
    assert (paused.revision, paused.origin, store.get("legacy").paused) == (1, "redbeat", paused.paused)
    assert score(redis, "legacy") == -1
    desk.operations.resume("legacy", actor="a", now=utc_now() + MINUTE)
    assert store.get("legacy").paused is None
    with pytest.raises(Refused, match="not paused"):
        desk.operations.resume("legacy", actor="a", now=utc_now())
