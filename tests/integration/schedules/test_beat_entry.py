"""Stock RedBeat's scheduler firing our entries: the real scheduler object, on a real server and
broker.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.beat import Scheduler
from celery.schedules import crontab, schedule
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatScheduler
from redbeat.schedules import rrule
from redis import Redis

from scheduler.beat.stock.entry import BeatEntry, EntryMovedOn, install
from scheduler.clock import utc_now
from scheduler.events.schema import TicksMissed
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import plain_uid, run_id, tick_text
from scheduler.rules.model.spec import Policies
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec, cron, every
from tests.support.schedules.contents import events, memory, messages, score
from tests.support.schedules.late import HOUR, due_since, full_second
from tests.support.schedules.store import leading_beat


def missed(redis: Redis) -> list[TicksMissed]:
    return [event for event in events(redis) if isinstance(event, TicksMissed)]


def load(beat: RedBeatScheduler, name: str) -> BeatEntry:
    return BeatEntry.from_key(keys.entry(name), app=beat.app)


def test_a_due_schedule_is_sent_once_and_says_which_tick_it_is(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    saved = due_since(store, every(3600, start), start, args=[3], queue="slow", priority=3)
    beat.tick()
    beat.tick()
    (message,) = messages(redis, "slow\x06\x163") or messages(redis, "slow")
    headers, tick = message["headers"], start + HOUR
    assert headers["task"] == JOB
    assert headers["id"] == run_id(saved.uid, tick)
    assert headers["tick"] == tick_text(tick)
    assert headers["beatdesk"] == {
        "schedule": "due",
        "schedule_uid": saved.uid,
        "revision": 1,
        "trigger": "schedule",
    }
    assert memory(redis, "due") == Meta(tick, 1)
    assert score(redis, "due") == (tick + HOUR).timestamp()
    assert missed(redis) == []


def test_the_zone_of_the_schedule_decides_when_it_is_due(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    """Half past every hour in Kathmandu is a quarter to it in UTC."""
    start = full_second().replace(minute=30, second=0) - 3 * HOUR
    due_since(store, cron("30 * * * *", "Asia/Kathmandu"), start)
    beat.tick()
    (message,) = messages(redis)
    assert datetime.fromisoformat(message["headers"]["tick"]).minute == 45


def test_nothing_is_sent_before_its_tick_and_beat_sleeps_until_then(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    now = full_second()
    due_since(store, every(3600, now), now)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): 0})
    assert beat.tick() <= 1
    assert messages(redis) == []
    assert score(redis, "due") == (now + HOUR).timestamp()
    due, wait = load(beat, "due").is_due()
    assert not due
    assert wait == pytest.approx(3600, abs=30)


def test_after_a_long_absence_the_newest_tick_runs_and_the_others_are_told_as_one_range(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(hours=10, minutes=5)
    saved = due_since(store, every(3600, start), start)
    beat.tick()
    (message,) = messages(redis)
    assert message["headers"]["tick"] == tick_text(start + 10 * HOUR)
    (told,) = missed(redis)
    assert (told.schedule, told.schedule_uid, told.revision, told.job) == ("due", saved.uid, 1, JOB)
    assert (told.tick_from, told.tick_to, told.ticks) == (start + HOUR, start + 9 * HOUR, 9)
    assert told.reason == "deadline"  # the window of an hour has passed for all of them


def test_an_interval_does_not_drift_however_late_it_is_sent(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(seconds=100)
    due_since(store, every(30, start), start)
    beat.tick()
    assert memory(redis, "due").last_run_at == start + timedelta(seconds=90)
    assert score(redis, "due") == (start + timedelta(seconds=120)).timestamp()


def test_an_edit_changes_what_is_fired_next_without_a_restart(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    beat.tick()
    later = a_spec(
        "due", when=every(2, start), kwargs={"days": 9}, policies=Policies(overlap="allow")
    )
    store.edit(
        "due", later, revision=1, edit=Edit(actor="ada", now=utc_now() - timedelta(seconds=10))
    )
    beat.tick()
    message = messages(redis)[-1]
    assert message["headers"]["beatdesk"]["revision"] == 2
    assert "9" in message["headers"]["kwargsrepr"]


def test_an_edit_made_while_beat_holds_the_entry_is_not_undone(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    held = load(beat, "due")
    store.edit(
        "due",
        a_spec("due", when=every(86400)),
        revision=1,
        edit=Edit(actor="ada", now=full_second()),
    )
    stored, due_at = redis.hgetall(keys.entry("due")), score(redis, "due")
    with pytest.raises(EntryMovedOn):
        next(held)
    beat.maybe_due(held)
    assert messages(redis) == []
    assert redis.hgetall(keys.entry("due")) == stored
    assert score(redis, "due") == due_at


def test_a_schedule_deleted_while_beat_holds_the_entry_stays_deleted_and_is_not_sent(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    held = load(beat, "due")
    store.delete("due", edit=Edit(actor="ada", now=full_second()))
    beat.maybe_due(held)
    assert messages(redis) == []
    assert redis.exists(keys.entry("due")) == 0
    assert "due" not in store.names()


def test_of_two_beats_that_hold_one_entry_one_sends_it(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(hours=10, minutes=5)
    due_since(store, every(3600, start), start)
    first, second = load(beat, "due"), load(beat, "due")
    beat.maybe_due(first)
    beat.maybe_due(second)
    assert len(messages(redis)) == 1
    assert len(missed(redis)) == 1


BROKEN = [
    "{",
    "",
    '{"name": "bad", "task": "t", "schedule": {"__type__": "crontab", "minute": "61"}}',
    '{"name": "bad", "task": "t", "schedule": {"__type__": "interval", "every": 5}}',
    '{"name": "bad", "task": "t", "kwargs": {"a": {"__type__": "interval"}}, "schedule": 5}',
    '{"name": "bad", "task": "t", "schedule": null}',
    '{"name": "bad", "task": "t", "schedule": 5, "surprise": 1}',
    '{"name": "due", "task": "t", "schedule": 5}',
]


@pytest.mark.parametrize("text", BROKEN)
def test_an_entry_that_cannot_be_loaded_costs_only_itself(
    store: ScheduleStore,
    beat: RedBeatScheduler,
    redis: Redis,
    caplog: pytest.LogCaptureFixture,
    text: str,
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    redis.hset(keys.entry("bad"), "definition", text)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 1})
    beat.tick()
    beat.tick()
    assert len(messages(redis)) == 1
    assert score(redis, "bad") == -1
    assert store.listed("bad").problem
    assert redis.hget(keys.entry("bad"), "definition") == text
    assert sum("'bad'" in record.message for record in caplog.records) == 1


def test_a_key_that_is_no_entry_costs_only_itself(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    redis.set(keys.entry("text"), "no hash")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("text"): 1})
    beat.tick()
    assert len(messages(redis)) == 1
    assert score(redis, "text") == -1


def test_an_entry_of_bytes_that_are_no_text_costs_only_itself(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start)
    redis.hset(keys.entry("bytes"), "definition", b'{"name": "\xff\xfe"}')  # type: ignore[arg-type]
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bytes"): 1})
    redis.hset(b"redbeat:n\xffme", "definition", "{}")
    redis.zadd(keys.SCHEDULE_ZSET, {b"redbeat:n\xffme": 1})
    beat.tick()
    beat.tick()
    assert len(messages(redis)) == 1
    assert score(redis, "bytes") == -1
    assert redis.zscore(keys.SCHEDULE_ZSET, b"redbeat:n\xffme") == -1


def test_a_mended_entry_runs_again(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    redis.hset(keys.entry("bad"), "definition", "{")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 1})
    beat.tick()
    RedBeatSchedulerEntry("bad", JOB, schedule(60), app=services.celery).save()
    redis.hdel(keys.entry("bad"), "meta")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 1})
    beat.tick()
    assert len(messages(redis)) == 1


def test_an_entry_that_vanished_leaves_redbeats_set(beat: RedBeatScheduler, redis: Redis) -> None:
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("ghost"): 1})
    beat.tick()
    assert score(redis, "ghost") is None


def test_an_entry_of_plain_redbeat_code_is_fired_and_named(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    last = full_second() - timedelta(seconds=150)
    entry = RedBeatSchedulerEntry(
        "plain",
        JOB,
        schedule(60),
        kwargs={"days": 2},
        options={"headers": {"mine": 1}},
        app=services.celery,
    )
    entry.save()
    entry.reschedule(last)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("plain"): 0})
    beat.tick()
    (message,) = messages(redis)
    headers, tick = message["headers"], last + timedelta(seconds=120)
    assert headers["id"] == run_id(plain_uid("plain"), tick)
    assert (headers["beatdesk"]["schedule"], headers["beatdesk"]["revision"]) == ("plain", 0)
    assert (headers["mine"], headers["celery_beat_task"]) == (1, True)
    assert memory(redis, "plain").last_run_at == tick


def test_an_entry_that_never_ran_runs_at_once_as_in_stock(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    for name, when in (("cron", crontab("0", "0", "*", "1", "1")), ("interval", schedule(3600))):
        RedBeatSchedulerEntry(name, JOB, when, app=services.celery).save()
        redis.hset(keys.entry(name), "meta", '{"last_run_at": null}')
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): 0})
    beat.tick()
    beat.tick()
    assert len(messages(redis)) == 2
    assert score(redis, "interval") == pytest.approx(utc_now().timestamp() + 3600, abs=30)


@pytest.mark.parametrize(
    "when", [rrule("SECONDLY", dtstart=full_second() - HOUR), schedule(60, relative=True)]
)
def test_what_only_redbeat_computes_is_fired_by_redbeat(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis, when: Any
) -> None:
    entry = RedBeatSchedulerEntry("rule", JOB, when, app=services.celery)
    entry.save()
    entry.reschedule(full_second() - timedelta(minutes=5))
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("rule"): 0})
    began = utc_now().timestamp()
    beat.tick()
    sent = [message["headers"] for message in messages(redis)]
    assert {headers["beatdesk"]["schedule"] for headers in sent} == {"rule"}
    assert len({headers["id"] for headers in sent}) == len(sent)
    seconds = (
        int(utc_now().timestamp() - began) + 1
    )  # a rule of each second may come due once more meanwhile
    assert len(sent) <= (1 + seconds if isinstance(when, rrule) else 1)
    at = score(redis, "rule")
    assert at is not None
    assert at > began - 2


def test_an_rrule_that_has_ended_sleeps(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    ended = rrule("DAILY", dtstart=full_second() - 48 * HOUR, until=full_second() - 24 * HOUR)
    RedBeatSchedulerEntry("rule", JOB, ended, app=services.celery).save()
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("rule"): 0})
    beat.tick()
    assert messages(redis) == []
    assert score(redis, "rule") == -1


def test_what_is_switched_off_is_not_sent_and_not_looked_at_again(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start, name="ours", enabled=False)
    for name, when in (
        ("plain", schedule(1)),
        ("rule", rrule("SECONDLY", dtstart=full_second() - HOUR)),
    ):
        RedBeatSchedulerEntry(name, JOB, when, enabled=False, app=services.celery).save()
    names = ("ours", "plain", "rule")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): 0 for name in names})
    beat.tick()
    assert messages(redis) == []
    assert [score(redis, name) for name in names] == [-1, -1, -1]


def test_what_code_defines_stays_held_when_beat_starts_again(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    services.celery.conf.beat_schedule = {"static": {"task": JOB, "schedule": 1.0}}
    for _ in one(leading_beat(services)):
        store.set_enabled("static", False, edit=Edit(actor="ada", now=full_second()))
    for beat in one(leading_beat(services)):
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("static"): 0})
        beat.tick()
    assert messages(redis) == []
    assert store.get("static").enabled is False
    assert score(redis, "static") == -1


def one(beats: Iterator[RedBeatScheduler]) -> Iterator[RedBeatScheduler]:
    yield from beats


def test_the_copy_that_is_sent_is_a_whole_entry(
    store: ScheduleStore, beat: RedBeatScheduler
) -> None:
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start, kwargs={"days": 2})
    sent = next(load(beat, "due"))
    assert (sent.name, sent.task, sent.kwargs, sent.total_run_count) == ("due", JOB, {"days": 2}, 1)
    assert sent.last_run_at == start + HOUR
    assert sent.due_at == start + 2 * HOUR


def test_another_scheduler_is_left_alone_and_the_operator_is_told(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    other = Scheduler(services.celery, lazy=True)
    install(other)
    assert other.Entry is Scheduler.Entry
    assert "-S scheduler.beat.Scheduler" in caplog.text
