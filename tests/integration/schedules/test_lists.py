"""Lists of schedules: paged, filtered, and with what cannot be read in its place."""

from datetime import timedelta
from typing import Any

from redis import Redis

from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import OnceWhen, Schedule
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.operations import Operations
from scheduler.schedules.reads import FIRST_CHUNK
from scheduler.schedules.store import ScheduleStore
from scheduler.storage import keys
from tests.support.builders import JOB, NOON, a_spec, cron
from tests.support.schedules.contents import reads

HOUR = timedelta(hours=1)
LATER = NOON + timedelta(hours=5, seconds=3)


def many(store: ScheduleStore) -> list[Schedule]:
    return [
        store.create(
            a_spec(f"s{number:02}", enabled=number % 3 > 0, tags=["odd"] if number % 2 else []),
            edit=Edit(actor="ada", now=NOON),
        )
        for number in range(12)
    ]


def test_a_list_is_paged_by_name_and_every_entry_is_shown_once(
    store: ScheduleStore, redis: Redis
) -> None:
    schedules = many(store)
    redis.hset(keys.entry("s055"), "definition", "{")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("s055"): 0})
    seen, after = [], None
    while True:
        page = store.page(after=after, limit=5)
        assert page.total == 13
        seen += page.items
        after = page.next
        if after is None:
            break
    assert [line.name for line in seen] == sorted(
        [*(schedule.name for schedule in schedules), "s055"]
    )
    assert [line.schedule for line in seen if line.schedule] == schedules
    assert [line.name for line in seen if line.problem] == ["s055"]


def test_a_page_goes_on_after_a_name_that_is_gone(store: ScheduleStore) -> None:
    many(store)
    store.delete("s04", edit=Edit(actor="ada", now=NOON))
    assert [line.name for line in store.page(after="s04", limit=2).items] == ["s05", "s06"]


def test_lists_are_filtered(store: ScheduleStore, redis: Redis) -> None:
    many(store)
    redis.hset(keys.entry("bad"), "definition", "{")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0})

    def names(**filters: Any) -> list[str]:
        page = store.page(**filters)
        assert page.total == len(page.items)
        return [line.name for line in page.items]

    assert names(search="S1") == ["s10", "s11"]
    assert names(state="disabled") == ["s00", "s03", "s06", "s09"]
    assert names(state="enabled", tag="odd") == ["s01", "s05", "s07", "s11"]
    assert names(state="problem") == ["bad"]
    assert names(job="reports.nothing") == []
    assert len(names(job=JOB)) == 12
    filtered = store.page(state="disabled", limit=3)
    assert (filtered.next, filtered.total, filtered.is_counted) == ("s06", 3, False)
    last = store.page(state="disabled", after="s06", limit=3)
    assert ([line.name for line in last.items], last.next, last.is_counted) == (
        ["s09"],
        None,
        False,
    )
    assert store.page(state="disabled", limit=4).is_counted


def test_a_filtered_page_is_read_no_further_than_until_it_is_full(
    store: ScheduleStore, redis: Redis
) -> None:
    many(store)
    redis.zadd(
        keys.SCHEDULE_ZSET, {keys.entry(f"t{number:03}"): 0 for number in range(2 * FIRST_CHUNK)}
    )
    before = reads(redis)
    assert [line.name for line in store.page(state="disabled", limit=3).items] == [
        "s00",
        "s03",
        "s06",
    ]
    assert reads(redis) - before <= FIRST_CHUNK + 1


def test_what_has_a_tick_left_is_not_read_for_the_finished_ones(
    store: ScheduleStore, redis: Redis
) -> None:
    many(store)
    store.create(a_spec("once", when=OnceWhen(at=NOON + HOUR)), edit=Edit(actor="ada", now=NOON))
    redis.hset(keys.entry("once"), "meta", encode_meta(Meta(NOON + HOUR, 1)))
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("once"): ASLEEP})
    before = reads(redis)
    assert [line.name for line in store.page(state="finished", now=NOON).items] == ["once"]
    assert reads(redis) - before < 12


def test_what_is_due_soon_is_shown_soonest_first(store: ScheduleStore) -> None:
    for name, minute in (("late", "50"), ("soon", "10"), ("off", "20")):
        store.create(
            a_spec(name, when=cron(f"{minute} * * * *"), enabled=name != "off"),
            edit=Edit(actor="ada", now=NOON),
        )
    assert [line.name for line in store.due(NOON + timedelta(hours=1))] == ["soon", "late"]
    assert [line.name for line in store.due(NOON + timedelta(minutes=15))] == ["soon"]


def test_what_will_not_run_in_time_is_not_shown_as_due(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec("soon", when=cron("10 * * * *")), edit=Edit(actor="ada", now=NOON))
    store.create(a_spec("skips", when=cron("10 * * * *")), edit=Edit(actor="ada", now=NOON))
    Operations(store).skip("skips", edit=Edit(actor="ada", now=NOON))
    redis.zadd(
        keys.SCHEDULE_ZSET, {keys.entry("skips"): (NOON + timedelta(minutes=10)).timestamp()}
    )
    assert [line.name for line in store.due(NOON + timedelta(minutes=30))] == ["soon"]
