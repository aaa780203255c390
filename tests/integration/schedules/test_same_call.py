"""Schedules that make the same call are found among all of them, and what changes is seen."""

from datetime import timedelta

from scheduler.rules.model.edit import Edit
from scheduler.schedules.same_call import FRESH, MOST, SameCall
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec
from tests.support.schedules.contents import plain

LATER = NOON + FRESH + timedelta(seconds=1)


def names(alike: SameCall, spec_name: str = "asked", now=NOON, **parts: object) -> list[str]:
    return [other.name for other in alike.others(a_spec(spec_name, **parts), now)]


def test_schedules_of_the_same_call_are_found_whatever_there_is_beside_them(
    store: ScheduleStore, services: Services
) -> None:
    for number in range(520):
        plain(services, f"other-{number:03}", kwargs={"days": number + 10})
    for name, days in (("a", 1), ("b", 2), ("zz", 1)):
        store.create(a_spec(name, kwargs={"days": days}), edit=Edit(actor="ada", now=NOON))
    assert names(services.same_call, kwargs={"days": 1}) == ["a", "zz"]
    assert names(services.same_call, "a", kwargs={"days": 1}) == ["zz"]
    assert names(services.same_call, kwargs={"days": 529}) == ["other-519"]
    assert names(services.same_call, job="reports.other") == []


def test_edits_and_deletions_are_seen_a_few_seconds_later(
    store: ScheduleStore, services: Services
) -> None:
    store.create(a_spec("a", kwargs={"days": 1}), edit=Edit(actor="ada", now=NOON))
    store.create(a_spec("b", kwargs={"days": 1}), edit=Edit(actor="ada", now=NOON))
    assert names(services.same_call, kwargs={"days": 1}) == ["a", "b"]
    store.delete("a", edit=Edit(actor="ada", now=NOON))
    store.edit("b", a_spec("b", kwargs={"days": 2}), revision=1, edit=Edit(actor="ada", now=NOON))
    store.create(a_spec("c", kwargs={"days": 1}), edit=Edit(actor="ada", now=NOON))
    assert names(services.same_call, kwargs={"days": 1}, now=LATER) == ["c"]
    assert names(services.same_call, kwargs={"days": 2}, now=LATER) == ["b"]


def test_an_override_counts_as_what_it_says(store: ScheduleStore, services: Services) -> None:
    plain(services, "static", kwargs={"days": 1})
    services.redis.sadd(keys.STATICS_SET, "static")
    spec = store.get("static").spec().model_copy(update={"kwargs": {"days": 7}})
    store.edit("static", spec, revision=0, edit=Edit(actor="ada", now=NOON))
    assert names(services.same_call, kwargs={"days": 7}) == ["static"]
    assert names(services.same_call, kwargs={"days": 1}) == []


def test_what_cannot_be_read_hides_nobody_and_many_are_cut(
    store: ScheduleStore, services: Services
) -> None:
    for number in range(MOST + 5):
        plain(services, f"s-{number:03}")
    services.redis.hset(keys.entry("bad"), "definition", "[1")
    services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0})
    assert len(names(services.same_call)) == MOST
