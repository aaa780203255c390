"""Schedules that make the same call are found among all of them, and what changes is seen."""

from datetime import timedelta

from scheduler.schedules.same_call import FRESH, MOST, Alike
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Desk
from scheduler.storage import keys
from tests.integration.schedules.conftest import plain
from tests.support.builders import NOON, a_spec

LATER = NOON + FRESH + timedelta(seconds=1)


def names(alike: Alike, spec_name: str = "asked", now=NOON, **parts: object) -> list[str]:
    return [other.name for other in alike.others(a_spec(spec_name, **parts), now)]


def test_schedules_of_the_same_call_are_found_whatever_there_is_beside_them(store: ScheduleStore, desk: Desk) -> None:
    for number in range(520):
        plain(desk, f"other-{number:03}", kwargs={"days": number + 10})
    for name, days in (("a", 1), ("b", 2), ("zz", 1)):
        store.create(a_spec(name, kwargs={"days": days}), actor="ada", now=NOON)
    assert names(desk.alike, kwargs={"days": 1}) == ["a", "zz"]
    assert names(desk.alike, "a", kwargs={"days": 1}) == ["zz"]
    assert names(desk.alike, kwargs={"days": 529}) == ["other-519"]
    assert names(desk.alike, job="reports.other") == []


def test_edits_and_deletions_are_seen_a_few_seconds_later(store: ScheduleStore, desk: Desk) -> None:
    store.create(a_spec("a", kwargs={"days": 1}), actor="ada", now=NOON)
    store.create(a_spec("b", kwargs={"days": 1}), actor="ada", now=NOON)
    assert names(desk.alike, kwargs={"days": 1}) == ["a", "b"]
    store.delete("a", actor="ada", now=NOON)
    store.edit("b", a_spec("b", kwargs={"days": 2}), revision=1, actor="ada", now=NOON)
    store.create(a_spec("c", kwargs={"days": 1}), actor="ada", now=NOON)
    assert names(desk.alike, kwargs={"days": 1}, now=LATER) == ["c"]
    assert names(desk.alike, kwargs={"days": 2}, now=LATER) == ["b"]


def test_an_override_counts_as_what_it_says(store: ScheduleStore, desk: Desk) -> None:
    plain(desk, "static", kwargs={"days": 1})
    desk.redis.sadd(keys.STATICS_SET, "static")
    spec = store.get("static").spec().model_copy(update={"kwargs": {"days": 7}})
    store.edit("static", spec, revision=0, actor="ada", now=NOON)
    assert names(desk.alike, kwargs={"days": 7}) == ["static"]
    assert names(desk.alike, kwargs={"days": 1}) == []


def test_what_cannot_be_read_hides_nobody_and_many_are_cut(store: ScheduleStore, desk: Desk) -> None:
    for number in range(MOST + 5):
        plain(desk, f"s-{number:03}")
    desk.redis.hset(keys.entry("bad"), "definition", "[1")
    desk.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0})
    assert len(names(desk.alike)) == MOST
