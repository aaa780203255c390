"""Lists with filters that remember: they show what reading everything shows, whoever changes what, and read little."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redbeat import RedBeatSchedulerEntry
from redis import Redis

from scheduler.clock import utc_now
from scheduler.redbeat import quarantine
from scheduler.redbeat.codec import Meta, Raw, encode_meta
from scheduler.rules.model.spec import OnceWhen, Window
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.filters import State
from scheduler.schedules.list_cache import Memory
from scheduler.schedules.reads import FIRST_CHUNK
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Desk
from scheduler.storage import keys
from tests.integration.schedules.conftest import JOB, plain
from tests.integration.schedules.test_lists import reads
from tests.support.builders import NOON, a_spec, every
from tests.support.valkey import PASSWORD, ValkeyServer

LATER = NOON + timedelta(hours=5, seconds=3)
STATES: list[State] = ["enabled", "disabled", "paused", "finished", "problem"]
FILTERS: list[dict[str, Any]] = [
    *({"state": state} for state in STATES),
    {"tag": "odd"},
    {"tag": "odd", "state": "disabled"},
    {"tag": "odd", "state": "problem"},
    {"job": JOB},
    {"job": "reports.other", "search": "s"},
]


@pytest.fixture
def remembering(store: ScheduleStore, desk: Desk) -> ScheduleStore:
    """A store with a memory, and some schedules of each kind."""
    for number in range(12):
        spec = a_spec(f"s{number:02}", enabled=number % 3 > 0, tags=["odd"] if number % 2 else [])
        store.create(spec, actor="ada", now=NOON)
    store.create(a_spec("once", when=OnceWhen(at=NOON + timedelta(hours=1))), actor="ada", now=NOON)
    store.create(a_spec("few", when=every(60), window=Window(max_runs=3)), actor="ada", now=NOON)
    plain(desk, "foreign")
    plain(desk, "static")
    desk.redis.sadd(keys.STATICS_SET, "static")
    store.set_enabled("static", False, actor="ada", now=NOON)
    return ScheduleStore(desk.redis, desk.catalogue, Memory(desk.redis))


def shown(store: ScheduleStore, filters: dict[str, Any]) -> list[str]:
    return [line.name for line in store.page(**filters, now=LATER).items]


def all_shown(store: ScheduleStore) -> dict[str, list[str]]:
    return {str(filters): shown(store, filters) for filters in FILTERS}


def edit(desk: Desk) -> None:
    desk.schedules.edit("s01", a_spec("s01", enabled=False, tags=["even"]), revision=1, actor="ada", now=NOON)


def pause(desk: Desk) -> None:
    desk.operations.pause("s02", reason="r", actor="ada", now=NOON)


def delete(desk: Desk) -> None:
    desk.schedules.delete("s03", actor="ada", now=NOON)


def create(desk: Desk) -> None:
    desk.schedules.create(a_spec("new", enabled=False, tags=["odd"]), actor="ada", now=NOON)


def save_by_redbeat(desk: Desk) -> None:
    entry = RedBeatSchedulerEntry.from_key(keys.entry("foreign"), app=desk.celery)
    entry.enabled = False
    entry.save()


def make_by_redbeat(desk: Desk) -> None:
    plain(desk, "another", enabled=False)


def delete_by_redbeat(desk: Desk) -> None:
    RedBeatSchedulerEntry.from_key(keys.entry("foreign"), app=desk.celery).delete()


def damage_definition(desk: Desk) -> None:
    desk.redis.hset(keys.entry("s04"), keys.DEFINITION_FIELD, "{")


def damage_memory(desk: Desk) -> None:
    meta = '{"last_run_at": {"__type__": "datetime", "year": 2026, "month": 13}}'
    desk.redis.hset(keys.entry("s05"), keys.META_FIELD, meta)


def damage_and_mend(desk: Desk) -> None:
    text = desk.redis.hget(keys.entry("s04"), keys.DEFINITION_FIELD)
    damage_definition(desk)
    shown(desk.schedules, {"state": "problem"})
    desk.redis.hset(keys.entry("s04"), keys.DEFINITION_FIELD, str(text))


def take_the_key(desk: Desk) -> None:
    desk.redis.delete(keys.entry("s04"))
    desk.redis.set(keys.entry("s04"), "something else")


def fire(desk: Desk) -> None:
    for name in ("once", "few"):
        desk.redis.hset(keys.entry(name), keys.META_FIELD, encode_meta(Meta(NOON + timedelta(hours=1), 3)))
        desk.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): ASLEEP})


def set_aside(desk: Desk) -> None:
    raw: Any = desk.redis.hmget(keys.entry("s07"), keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
    desk.redis.hset(keys.ASIDE_HASH, "s07", quarantine.written("the queue takes nothing", Raw(*raw), NOON))
    desk.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("s07"): ASLEEP})


def drop_from_code(desk: Desk) -> None:
    desk.redis.srem(keys.STATICS_SET, "static")


def empty(desk: Desk) -> None:
    desk.redis.flushdb()
    plain(desk, "s01", enabled=False)


CHANGES: list[Callable[[Desk], None]] = [
    edit, pause, delete, create, save_by_redbeat, make_by_redbeat, delete_by_redbeat, damage_definition, damage_memory,
    damage_and_mend, take_the_key, fire, set_aside,
    drop_from_code, empty,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_remembered_shows_what_reading_everything_shows(
    remembering: ScheduleStore, desk: Desk, change: Callable[[Desk], None]
) -> None:
    before = all_shown(remembering)
    assert before == all_shown(desk.schedules)
    change(desk)
    after = all_shown(remembering)
    assert after == all_shown(desk.schedules)
    assert (after == before) is (change is damage_and_mend)


def test_the_filters_find_what_they_name(remembering: ScheduleStore, desk: Desk) -> None:
    shown(remembering, {"state": "problem"})
    for change in (pause, damage_definition, damage_memory, fire, set_aside):
        change(desk)
    found = {state: shown(remembering, {"state": state}) for state in STATES}
    assert found == {
        "enabled": ["few", "foreign", "once", "s01", "s02", "s07", "s08", "s10", "s11"],
        "disabled": ["s00", "s03", "s06", "s09", "static"],
        "paused": ["s02"],
        "finished": ["few", "once"],
        "problem": ["s04", "s05", "s07"],
    }
    assert shown(remembering, {"state": "problem", "tag": "odd"}) == ["s07"]


def test_what_has_not_changed_is_not_read_again(remembering: ScheduleStore, desk: Desk) -> None:
    desk.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(f"t{number:03}"): 0 for number in range(3 * FIRST_CHUNK)})
    shown(remembering, {"state": "paused"})
    before = reads(desk.redis)
    assert shown(remembering, {"state": "paused"}) == []
    assert reads(desk.redis) == before
    pause(desk)
    before = reads(desk.redis)
    assert shown(remembering, {"state": "paused"}) == ["s02"]
    assert reads(desk.redis) - before <= 4


def test_a_connection_that_is_cut_hides_nothing(remembering: ScheduleStore, desk: Desk, redis: Redis) -> None:
    assert shown(remembering, {"state": "problem"}) == []
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    damage_definition(desk)
    assert shown(remembering, {"state": "problem"}) == ["s04"]
    damage_memory(desk)
    assert shown(remembering, {"state": "problem"}) == ["s04", "s05"]


def test_a_server_that_was_started_again_is_watched_again(
    remembering: ScheduleStore, desk: Desk, valkey: ValkeyServer
) -> None:
    assert shown(remembering, {"state": "problem"}) == []
    valkey.restart()
    damage_definition(desk)
    assert shown(remembering, {"state": "problem"}) == ["s04"]
    damage_memory(desk)
    assert shown(remembering, {"state": "problem"}) == ["s04", "s05"]


def test_a_server_that_does_not_tell_is_read_whole_and_that_is_said_once(
    remembering: ScheduleStore, desk: Desk, valkey: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    desk.redis.execute_command("ACL", "SETUSER", "plain", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-client|tracking")
    try:
        address = valkey.url.replace("redis://:", "redis://plain:")
        with Redis.from_url(address, decode_responses=True) as client:
            store = ScheduleStore(client, desk.catalogue, Memory(client))
            with caplog.at_level(logging.WARNING):
                damage_definition(desk)
                assert shown(store, {"state": "problem"}) == ["s04"]
                damage_memory(desk)
                assert shown(store, {"state": "problem"}) == ["s04", "s05"]
        assert len([record for record in caplog.records if "does not tell what changes" in record.message]) == 1
    finally:
        desk.redis.execute_command("ACL", "DELUSER", "plain")


def test_many_that_came_and_went_are_forgotten(store: ScheduleStore, desk: Desk) -> None:
    memory = Memory(desk.redis)
    remembering = ScheduleStore(desk.redis, desk.catalogue, memory)
    for letter in "abc":
        desk.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(f"{letter}{number:04}"): 0 for number in range(900)})
        assert len(remembering.page(state="problem", now=utc_now(), limit=10).items) == 10
        desk.redis.delete(keys.SCHEDULE_ZSET)
    store.create(a_spec("one"), actor="ada", now=NOON)
    assert shown(remembering, {"state": "enabled"}) == ["one"]
    assert len(memory) == 1
