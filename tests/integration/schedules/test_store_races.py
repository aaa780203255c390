"""Changes that meet: other operators, Beat and plain RedBeat code at the same moment, answers that
got lost.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from scheduler.errors import (
    NameTaken,
    NotFound,
    StaleRevision,
    Unavailable,
)
from scheduler.events.schema import ScheduleDeleted, ScheduleSaved
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.edit import Edit
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec, cron
from tests.support.meddling import Once, runs_scripts_twice
from tests.support.schedules.contents import events, plain, score

LATER = NOON + timedelta(hours=5, seconds=3)


@pytest.mark.parametrize("key", [keys.EVENTS_STREAM, keys.SCHEDULE_ZSET])
def test_a_change_that_fails_half_way_is_not_made_at_all(
    store: ScheduleStore, services: Services, redis: Redis, key: str
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    before = redis.hgetall(keys.entry("nightly-report"))
    told = redis.xlen(keys.EVENTS_STREAM)

    def spoil() -> None:
        redis.rename(key, "kept")
        redis.set(key, "something else")

    spoiled = ScheduleStore(redis, services.catalogue, before_commit=Once(spoil))
    with pytest.raises(Unavailable):
        spoiled.edit(
            "nightly-report", a_spec(notes="new"), revision=1, edit=Edit(actor="ada", now=NOON)
        )
    redis.rename("kept", key)
    assert redis.hgetall(keys.entry("nightly-report")) == before
    assert redis.xlen(keys.EVENTS_STREAM) == told


def test_of_edits_made_at_one_time_one_wins_and_the_others_are_told(
    store: ScheduleStore, redis: Redis
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    together = threading.Barrier(8)

    def edit(number: int) -> str:
        together.wait()
        try:
            store.edit(
                "nightly-report",
                a_spec(notes=str(number)),
                revision=1,
                edit=Edit(actor=str(number), now=LATER),
            )
        except StaleRevision:
            return "stale"
        return "saved"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(edit, range(8)))
    assert sorted(answers) == ["saved"] + ["stale"] * 7
    edits = [
        event
        for event in events(redis)
        if isinstance(event, ScheduleSaved) and event.action == "edited"
    ]
    assert [edit.schedule for edit in edits] == [store.get("nightly-report")]


def test_of_schedules_made_at_one_time_under_one_name_one_is_made(
    store: ScheduleStore, redis: Redis
) -> None:
    together = threading.Barrier(8)

    def create(number: int) -> str:
        together.wait()
        try:
            return store.create(a_spec(), edit=Edit(actor=str(number), now=NOON)).uid
        except NameTaken:
            return "taken"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert answers.count("taken") == 7
    assert store.get("nightly-report").uid in answers
    assert len(events(redis)) == 1


def test_beat_moving_on_during_an_edit_is_kept_and_the_edit_too(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    store.create(a_spec(when=cron("0 * * * *")), edit=Edit(actor="ada", now=NOON))
    key = keys.entry("nightly-report")
    moved_on = codec.encode_meta(Meta(NOON + timedelta(hours=1), 1))
    overtaken = ScheduleStore(
        redis, services.catalogue, before_commit=Once(lambda: redis.hset(key, "meta", moved_on))
    )
    overtaken.edit(
        "nightly-report",
        a_spec(when=cron("0 * * * *"), notes="new"),
        revision=1,
        edit=Edit(actor="ada", now=NOON),
    )
    assert redis.hget(key, "meta") == moved_on
    assert score(redis, "nightly-report") == (NOON + timedelta(hours=2)).timestamp()
    assert store.get("nightly-report").notes == "new"
    assert len(events(redis)) == 2


def test_an_edit_of_a_schedule_that_is_deleted_meanwhile_does_not_bring_it_back(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    deleted = Once(lambda: store.delete("nightly-report", edit=Edit(actor="bob", now=NOON)))
    overtaken = ScheduleStore(redis, services.catalogue, before_commit=deleted)
    with pytest.raises(NotFound):
        overtaken.edit(
            "nightly-report", a_spec(notes="new"), revision=1, edit=Edit(actor="ada", now=NOON)
        )
    assert redis.exists(keys.entry("nightly-report")) == 0
    assert store.names() == []
    assert [type(event) for event in events(redis)] == [ScheduleSaved, ScheduleDeleted]


def test_a_definition_rewritten_by_plain_code_during_an_edit_is_not_overwritten_unseen(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    store.create(a_spec("plain"), edit=Edit(actor="ada", now=NOON))
    overtaken = ScheduleStore(
        redis, services.catalogue, before_commit=Once(lambda: plain(services))
    )
    with pytest.raises(StaleRevision) as stale:
        overtaken.edit(
            "plain", a_spec("plain", notes="new"), revision=1, edit=Edit(actor="ada", now=NOON)
        )
    assert stale.value.current == 2
    assert store.get("plain").when == cron("0 6 * * *")
    assert store.listed("plain").diverged


def test_an_answer_that_got_lost_is_not_a_second_change(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    """The client sends the script again when the connection breaks before the answer came."""
    with runs_scripts_twice(services.settings.redis_url) as client:
        unlucky = ScheduleStore(client, services.catalogue)
        first = unlucky.create(a_spec(), edit=Edit(actor="ada", now=NOON))
        unlucky.edit(first.name, a_spec(notes="new"), revision=1, edit=Edit(actor="ada", now=LATER))
    assert [event.revision for event in events(redis) if isinstance(event, ScheduleSaved)] == [1, 2]
