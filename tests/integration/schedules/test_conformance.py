"""RedBeat's classes and ours read each other's entries, and write them to the byte, on a real
server.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
from celery.schedules import crontab, schedule
from redbeat import RedBeatSchedulerEntry
from redbeat.decoder import RedBeatJSONEncoder
from redbeat.schedules import rrule
from redis import Redis

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta, Raw
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RedBeatWhen,
    RruleWhen,
    Spec,
    When,
)
from scheduler.rules.ticks import next_ticks
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, NOON, a_spec, cron, every
from tests.support.schedules.contents import score

HOUR = timedelta(hours=1)

OURS = [
    a_spec(when=cron("*/5 1-3 1,15 jan-mar mon")),
    a_spec(when=cron("0 6 * * *", "Europe/Berlin"), kwargs={"days": 3}),
    a_spec(when=every(90), args=[2], queue="slow", priority=4),
    a_spec(when=every(0.1 + 60), enabled=False, notes="größer", tags=["a"]),
]


@pytest.mark.parametrize("spec", OURS)
def test_what_we_write_redbeat_loads_and_writes_again_to_the_byte(
    store: ScheduleStore, services: Services, redis: Redis, spec: Spec
) -> None:
    schedule = store.create(spec, edit=Edit(actor="ada", now=NOON))
    key = keys.entry(schedule.name)
    before = redis.hgetall(key)

    entry = RedBeatSchedulerEntry.from_key(key, app=services.celery)
    assert (entry.name, entry.task, entry.enabled) == (
        schedule.name,
        schedule.job,
        schedule.enabled,
    )
    assert (entry.args, entry.kwargs) == (schedule.args, schedule.kwargs)
    assert entry.options == {
        k: v for k in ("queue", "priority") if (v := getattr(schedule, k)) is not None
    }
    entry.save()
    assert redis.hgetall(key) == before
    assert json.dumps({"last_run_at": entry.last_run_at}, cls=RedBeatJSONEncoder) == before["meta"]
    assert store.get(schedule.name) == schedule


EXACT: list[When] = [
    OnceWhen(at=NOON + 3 * HOUR),
    RruleWhen(rrule="FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=6,18;BYMINUTE=30", dtstart=NOON),
    RruleWhen(rrule="FREQ=MONTHLY;BYDAY=-1FR;COUNT=4", dtstart=NOON),
    RruleWhen(rrule="FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2,3;UNTIL=20310101", dtstart=NOON),
    RruleWhen(rrule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;WKST=SU", dtstart=NOON),
    RruleWhen(rrule="FREQ=HOURLY;INTERVAL=5", dtstart=NOON + timedelta(minutes=7)),
    cron("@daily"),
    cron("*/20 6 ? * 7"),
    cron("0 6 * * fri-7"),
    cron("0 6 L * *"),
    cron("0,30 6-8 15,L feb,mar *"),
    cron("5 6 * * 5L"),
    cron("5 6 1-10 * mon#2,tue,7L"),
    cron("H H H * *"),
    cron("0 6 1 * *", day_match="or"),
]


@pytest.mark.parametrize("when", EXACT, ids=str)
def test_a_beat_without_us_fires_at_the_same_moments_what_its_format_can_say(
    store: ScheduleStore, services: Services, when: When
) -> None:
    saved = store.create(a_spec(when=when), edit=Edit(actor="ada", now=NOON))
    assert store.get(saved.name) == saved
    plain = RedBeatSchedulerEntry.from_key(keys.entry(saved.name), app=services.celery)
    assert stock_ticks(plain, 6) == next_ticks(saved.when, NOON, 6)


NOT_SAID: list[When] = [
    cron("0 6 1,15 * mon", day_match="or"),
    cron("0 6 L * *", "Europe/Berlin"),
    RruleWhen(rrule="FREQ=DAILY", dtstart=NOON, timezone="Europe/Berlin"),
]


@pytest.mark.parametrize("when", NOT_SAID, ids=str)
def test_a_beat_without_us_loads_what_its_format_cannot_say_and_never_fires_it(
    store: ScheduleStore, services: Services, when: When
) -> None:
    saved = store.create(a_spec(when=when), edit=Edit(actor="ada", now=NOON))
    assert store.get(saved.name) == saved
    plain = RedBeatSchedulerEntry.from_key(keys.entry(saved.name), app=services.celery)
    assert plain.is_due() == (False, None)
    assert (plain.due_at, plain.score) == (None, -1)


def stock_ticks(plain: RedBeatSchedulerEntry, count: int) -> list[datetime]:
    """The moments at which RedBeat's or Celery's own class is due after noon, one after the
    other.
    """
    moment = NOON
    ticks: list[datetime] = []
    plain.schedule.nowfun = lambda: moment
    while len(ticks) < count and (wait := plain.schedule.remaining_estimate(moment)) is not None:
        moment += wait
        ticks.append(moment)
    return ticks


THEIRS: list[tuple[dict[str, Any], Any]] = [
    ({"schedule": crontab("*/5", "1-3")}, CrontabWhen(crontab="*/5 1-3 * * *")),
    (
        {"schedule": crontab(0, 6, "mon-fri"), "args": [1, "ü"]},
        CrontabWhen(crontab="0 6 * * mon-fri"),
    ),
    ({"schedule": crontab(minute=[0, 30])}, CrontabWhen(crontab="0,30 * * * *")),
    (
        {"schedule": schedule(timedelta(seconds=90)), "kwargs": {"since": NOON}},
        IntervalWhen(every=90),
    ),
    (
        {"schedule": schedule(5), "options": {"queue": "slow", "expires": 60}, "enabled": False},
        IntervalWhen(every=5),
    ),
]


@pytest.mark.parametrize(("parts", "when"), THEIRS)
def test_what_redbeat_writes_we_load_and_write_again_to_the_byte(
    store: ScheduleStore, services: Services, redis: Redis, parts: dict[str, Any], when: Any
) -> None:
    RedBeatSchedulerEntry("plain", JOB, app=services.celery, **parts).save()
    raw = Raw(*redis.hmget(keys.entry("plain"), "definition", "meta", "beatdesk"))
    entry = codec.decode("plain", raw)
    assert entry.schedule.when == when
    assert entry.schedule.origin == "redbeat"
    assert entry.schedule.enabled == parts.get("enabled", True)
    assert codec.encode_definition(entry.schedule, entry.definition) == raw.definition
    assert store.get("plain") == entry.schedule


def test_a_definition_of_ours_alone_is_the_one_redbeat_writes(
    services: Services, store: ScheduleStore, redis: Redis
) -> None:
    RedBeatSchedulerEntry(
        "plain", JOB, crontab("5", "1"), [1], {"a": None}, app=services.celery
    ).save()
    text = redis.hget(keys.entry("plain"), "definition")
    assert codec.encode_definition(store.get("plain")) == text


def test_what_redbeat_advances_we_read_and_write_to_the_byte(
    services: Services, redis: Redis
) -> None:
    entry = RedBeatSchedulerEntry("plain", JOB, schedule(60), app=services.celery)
    entry.save()
    entry.next(last_run_at=NOON)
    text = redis.hget(keys.entry("plain"), "meta")
    assert codec.decode_meta(text) == Meta(NOON, 1)
    in_their_zone = entry.next(
        last_run_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC).astimezone(
            services.celery.timezone
        )
    )
    text = redis.hget(keys.entry("plain"), "meta")
    assert codec.encode_meta(Meta(in_their_zone.last_run_at, in_their_zone.total_run_count)) == text


ZONED = timezone(timedelta(hours=1))
SAYABLE = [
    rrule("DAILY", dtstart=NOON),
    rrule(
        "WEEKLY", dtstart=NOON, byweekday=[0, 4], byhour=[6, 18], until=NOON + timedelta(days=90)
    ),
    rrule("MONTHLY", dtstart=NOON, bymonthday=[-1], count=5, wkst=6),
]


@pytest.mark.parametrize("rule", SAYABLE)
def test_an_rrule_of_redbeat_that_we_can_say_is_ours_and_ticks_the_same(
    store: ScheduleStore, services: Services, redis: Redis, rule: rrule
) -> None:
    RedBeatSchedulerEntry("rule", JOB, rule, app=services.celery).save()
    text = redis.hget(keys.entry("rule"), "definition")
    schedule = store.get("rule")
    assert isinstance(schedule.when, RruleWhen)
    assert next_ticks(schedule.when, NOON - HOUR, 5) == list(
        islice(rule.rrule.xafter(NOON - HOUR), 5)
    )
    assert codec.encode_definition(schedule, json.loads(text)) == text


@pytest.mark.parametrize(
    "rule", [rrule("SECONDLY", dtstart=NOON), rrule("DAILY", dtstart=NOON.astimezone(ZONED))]
)
def test_an_rrule_that_only_redbeat_computes_is_listed_in_words_and_kept_to_the_byte(
    store: ScheduleStore, services: Services, redis: Redis, rule: rrule
) -> None:
    RedBeatSchedulerEntry("rule", JOB, rule, app=services.celery).save()
    text = redis.hget(keys.entry("rule"), "definition")
    line = store.listed("rule")
    assert line.problem is None
    assert line.schedule is not None
    assert isinstance(line.schedule.when, RedBeatWhen)
    assert codec.encode_definition(line.schedule, json.loads(text)) == text
    store.set_enabled("rule", False, edit=Edit(actor="ada", now=NOON))
    assert RedBeatSchedulerEntry.from_key(keys.entry("rule"), app=services.celery).enabled is False
    assert score(redis, "rule") == -1


BROKEN = [
    "{",
    "[]",
    '{"name": "bad", "task": "t", "schedule": {"__type__": "crontab", "minute": "61"}}',
    '{"name": "bad", "task": "t", "schedule": {"__type__": "crontab", "second": "1"}}',
    '{"name": "bad", "task": "t", "schedule": {"__type__": "interval", "every": 5}}',
    '{"name": "bad", "task": "t", "schedule": {"__type__": "interval", "every": 5, "relative": false}, "x": 1}',
    '{"name": "bad", "task": "t", "kwargs": {"a": {"__type__": "interval"}}, "schedule": 5}',
    '{"name": "bad", "task": "t", "schedule": {"__type__": "rrule", "freq": "NEVER"}}',
    '{"name": "bad", "task": "t", "args": [{"__type__": "datetime", "year": 1}], "schedule": 5}',
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_redbeat_cannot_load_we_call_a_problem(
    store: ScheduleStore, services: Services, redis: Redis, text: str
) -> None:
    redis.hset(keys.entry("bad"), "definition", text)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0})
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises ends Beat
        RedBeatSchedulerEntry.from_key(keys.entry("bad"), app=services.celery)
    with pytest.raises(UnreadableEntry):
        store.get("bad")
    assert store.listed("bad").problem
