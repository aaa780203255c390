"""Entries that are not ours: written by plain RedBeat code, owned by code, or by nobody who knew
how.
"""

from datetime import timedelta

import pytest
from redbeat import RedBeatSchedulerEntry
from redis import Redis

from scheduler.errors import (
    NotFound,
    Refused,
    UnreadableEntry,
)
from scheduler.events.schema import ScheduleDeleted
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import plain_uid
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec
from tests.support.schedules.contents import events, plain

LATER = NOON + timedelta(hours=5, seconds=3)


def test_an_entry_of_plain_redbeat_code_is_edited_as_it_is(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    plain(services, task="app.unknown_here", kwargs={"since": NOON}, options={"expires": 60})
    read = store.get("plain")
    assert (read.origin, read.revision) == ("redbeat", 0)
    edited = store.edit(
        "plain",
        read.spec().model_copy(update={"notes": "ours now"}),
        revision=0,
        edit=Edit(actor="ada", now=NOON),
    )
    assert (edited.origin, edited.revision, edited.uid) == ("redbeat", 1, plain_uid("plain"))
    loaded = RedBeatSchedulerEntry.from_key(keys.entry("plain"), app=services.celery)
    assert loaded.kwargs == {"since": NOON}
    assert loaded.options == {"expires": 60}


def test_an_entry_of_plain_redbeat_code_may_have_any_name(
    store: ScheduleStore, services: Services
) -> None:
    plain(services, "app: any name")
    read = store.get("app: any name")
    assert (
        store.edit(
            "app: any name", read.spec(), revision=0, edit=Edit(actor="ada", now=NOON)
        ).revision
        == 1
    )
    store.delete("app: any name", edit=Edit(actor="ada", now=NOON))
    assert store.names() == []


def test_what_code_defines_is_held_here_and_changed_there(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    plain(services, "static")
    redis.sadd(keys.STATICS_SET, "static")
    definition = redis.hget(keys.entry("static"), "definition")
    assert store.get("static").origin == "code"
    with pytest.raises(Refused, match="beat_schedule"):
        store.delete("static", edit=Edit(actor="ada", now=NOON))
    assert store.set_enabled("static", False, edit=Edit(actor="ada", now=NOON)).enabled is False
    assert redis.hget(keys.entry("static"), "definition") == definition
    assert store.get("static").enabled is False
    assert store.set_enabled("static", True, edit=Edit(actor="ada", now=NOON)).enabled is True


def test_an_unreadable_entry_can_be_deleted(store: ScheduleStore, redis: Redis) -> None:
    redis.hset(keys.entry("bad"), "definition", "{")
    redis.set(keys.entry("text"), "no hash")
    redis.zadd(
        keys.SCHEDULE_ZSET, {keys.entry("bad"): 0, keys.entry("text"): 0, keys.entry("ghost"): 0}
    )
    for name in ("bad", "text", "ghost"):
        with pytest.raises(UnreadableEntry):
            store.get(name)
        assert store.listed(name).problem
        store.delete(name, edit=Edit(actor="ada", now=NOON))
        with pytest.raises(NotFound):
            store.listed(name)
    assert store.names() == []
    assert [type(event) for event in events(redis)] == [ScheduleDeleted] * 3


@pytest.mark.parametrize(
    "written",
    [b'{"name": "\xff\xfe"}', b"\xff", b'{"name": "bad", "task": "\\ud800", "schedule": 5}'],
)
def test_an_entry_that_is_no_text_is_a_problem_like_any_other(
    store: ScheduleStore, redis: Redis, written: bytes
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    redis.hset(keys.entry("bad"), "definition", written)  # type: ignore[arg-type]
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0, b"redbeat:\xff": 0})
    assert [(line.name, bool(line.problem)) for line in store.page().items] == [
        ("bad", True),
        ("nightly-report", False),
    ]
    store.delete("bad", edit=Edit(actor="ada", now=NOON))
    assert store.names() == ["nightly-report"]
    assert isinstance(events(redis)[-1], ScheduleDeleted)


@pytest.mark.parametrize("name", [":lock", ":schedule", ":statics", "", "nobody"])
def test_redbeats_own_keys_are_no_schedules(store: ScheduleStore, redis: Redis, name: str) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    redis.set(keys.BEAT_LOCK, "held")
    for touch in (
        lambda: store.get(name),
        lambda: store.listed(name),
        lambda: store.delete(name, edit=Edit(actor="ada", now=NOON)),
        lambda: store.set_enabled(name, False, edit=Edit(actor="ada", now=NOON)),
    ):
        with pytest.raises(NotFound):
            touch()
    assert redis.get(keys.BEAT_LOCK) == "held"
    assert store.names() == ["nightly-report"]
