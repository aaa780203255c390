"""Static entries: code (`beat_schedule`) owns them, and operators pause them, switch them off, or
override them.

With RedBeat's own scheduler, which writes the definition anew at each start.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from redbeat.schedulers import RedBeatScheduler
from redis import Redis

from scheduler.clock import utc_now
from scheduler.errors import Refused, StaleRevision
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    STOCK,
    IntervalWhen,
    Override,
    Policies,
    Schedule,
)
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, NOON, every
from tests.support.schedules.contents import messages, plain, score
from tests.support.schedules.store import leading_beat

DAILY = {"task": JOB, "schedule": crontab("0", "6"), "kwargs": {"days": 1}}


@contextmanager
def a_beat(services: Services, **static: dict[str, Any]) -> Iterator[RedBeatScheduler]:
    """RedBeat's scheduler, started on this code."""
    services.celery.conf.beat_schedule = static
    yield from leading_beat(services)


def override(store: ScheduleStore, now: datetime = NOON, **parts: object) -> Schedule:
    """Put an override on the entry `static`."""
    old = store.get("static")
    spec = old.spec().model_copy(update=parts)
    return store.edit("static", spec, revision=old.revision, edit=Edit(actor="ada", now=now))


def an_hour_behind(redis: Redis) -> datetime:
    """Let the entry's last run be an hour ago; Beat's list of due times does not know."""
    last = utc_now().replace(microsecond=0) - timedelta(hours=1)
    redis.hset(keys.entry("static"), "meta", encode_meta(Meta(last, 1)))
    return last


def test_a_paused_static_entry_stays_paused_when_beat_starts_again(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    with a_beat(services, static={"task": JOB, "schedule": 1.0}):
        services.operations.pause("static", reason="x", edit=Edit(actor="ada", now=utc_now()))
    an_hour_behind(redis)
    with a_beat(services, static={"task": JOB, "schedule": 1.0}) as beat:
        beat.tick()
    assert messages(redis) == []
    assert score(redis, "static") == -1
    paused = store.get("static").paused
    assert paused is not None
    assert paused.reason == "x"


def test_an_override_says_which_fields_are_the_operators(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    with a_beat(services, static=DAILY):
        definition = redis.hget(keys.entry("static"), "definition")
        saved = override(
            store,
            kwargs={"days": 7},
            queue="slow",
            policies=STOCK.model_copy(update={"retries": 2}),
        )
    assert saved.override is not None
    assert saved.override.fields == ["kwargs", "queue", "policies"]
    assert redis.hget(keys.entry("static"), "definition") == definition
    read = store.get("static")
    assert (read.kwargs, read.queue, read.policies.retries, read.revision) == (
        {"days": 7},
        "slow",
        2,
        1,
    )
    assert read.override == Override(
        fields=["kwargs", "queue", "policies"], code=json.loads(str(definition))
    )


def test_notes_of_a_static_entry_are_no_override(store: ScheduleStore, services: Services) -> None:
    with a_beat(services, static={"task": JOB, "schedule": 60.0}):
        saved = override(store, notes="call Ada", owner="ada", tags=["x"])
    assert (saved.override, saved.notes) == (None, "call Ada")


def test_beat_sends_what_the_override_says_also_after_a_restart(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    with a_beat(services, static=DAILY):
        start = utc_now().replace(microsecond=0) - timedelta(hours=2)
        override(store, start, when=every(60, start), kwargs={"days": 7}, queue="slow", priority=3)
    last = an_hour_behind(redis)
    with a_beat(services, static=DAILY) as beat:
        beat.tick()
    assert messages(redis) == []
    (message,) = messages(redis, "slow\x06\x163") or messages(redis, "slow")
    assert message["headers"]["kwargsrepr"] == "{'days': 7}"
    assert score(redis, "static") == pytest.approx(utc_now().timestamp(), abs=61)
    ran_at = store.listed("static").last_run_at
    assert ran_at is not None
    assert ran_at > last


def test_what_the_override_does_not_say_follows_the_code(
    store: ScheduleStore, services: Services
) -> None:
    with a_beat(services, static=DAILY):
        override(store, kwargs={"days": 7})
        assert store.listed("static").code_has_changed is False
    changed = {**DAILY, "schedule": crontab("30", "7"), "kwargs": {"days": 2}}
    with a_beat(services, static=changed):
        listed = store.listed("static")
    assert listed.schedule is not None
    assert listed.schedule.when.model_dump()["crontab"] == "30 7 * * *"
    assert listed.schedule.kwargs == {"days": 7}
    assert listed.code is not None
    assert listed.code.kwargs == {"days": 2}
    assert listed.code_has_changed is True


def test_a_pause_does_not_hide_that_the_code_has_changed(
    store: ScheduleStore, services: Services
) -> None:
    with a_beat(services, static=DAILY):
        override(store, kwargs={"days": 7})
    with a_beat(services, static={**DAILY, "kwargs": {"days": 2}}):
        services.operations.pause("static", reason="x", edit=Edit(actor="ada", now=utc_now()))
        assert store.listed("static").code_has_changed is True
        seen = store.listed("static").schedule
        assert seen is not None
        assert seen.override is not None
        override(store, kwargs={"days": 8})
        assert store.listed("static").code_has_changed is False


def test_reset_takes_the_override_off_and_keeps_pause_and_notes(
    store: ScheduleStore, services: Services
) -> None:
    with a_beat(services, static=DAILY):
        override(store, kwargs={"days": 7}, policies=Policies(), notes="call Ada", when=every(60))
        services.operations.pause("static", reason="x", edit=Edit(actor="ada", now=utc_now()))
        reset = store.reset("static", edit=Edit(actor="ada", now=utc_now(), comment="no more"))
        read = store.get("static")
    assert read == reset
    assert (read.revision, read.override, read.kwargs, read.policies) == (
        3,
        None,
        {"days": 1},
        STOCK,
    )
    assert read.when.model_dump()["crontab"] == "0 6 * * *"
    assert (read.notes, read.paused is not None) == ("call Ada", True)


def test_what_has_no_override_is_not_reset(store: ScheduleStore, services: Services) -> None:
    plain(services)
    with a_beat(services, static=DAILY):
        with pytest.raises(Refused, match="no override"):
            store.reset("static", edit=Edit(actor="ada", now=NOON))
        with pytest.raises(Refused, match="not defined in code"):
            store.reset("plain", edit=Edit(actor="ada", now=NOON))
        override(store, kwargs={"days": 7})
        with pytest.raises(StaleRevision):
            store.reset("static", revision=0, edit=Edit(actor="ada", now=NOON))


def test_an_override_cannot_switch_on_what_code_switches_off(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    plain(services, "static", enabled=False)
    redis.sadd(keys.STATICS_SET, "static")
    with pytest.raises(Refused, match="switched off in code"):
        override(store, enabled=True)
    with pytest.raises(Refused, match="switched off in code"):
        store.set_enabled("static", True, edit=Edit(actor="ada", now=NOON))
    assert store.get("static").enabled is False


def test_an_interval_from_code_with_its_own_anchor_is_no_override(
    store: ScheduleStore, services: Services
) -> None:
    with a_beat(services, static={"task": JOB, "schedule": 60.0}):
        first = override(store, notes="one")
        second = override(store, notes="two")
        other = override(store, when=IntervalWhen(every=90))
        back = override(store, when=IntervalWhen(every=60))
    assert (first.override, second.override, back.override) == (None, None, None)
    assert other.override is not None
    assert other.override.fields == ["when"]


def test_what_code_drops_fires_no_more(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    with a_beat(services, static={"task": JOB, "schedule": 1.0}):
        override(store, kwargs={"days": 7})
    with a_beat(services) as beat:
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("static"): 0}, xx=True)
        beat.tick()
    assert messages(redis) == []
    assert store.names() == []
