"""Changes of schedules: each is whole, on what was read, and told exactly once."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from scheduler.errors import (
    BadArguments,
    BadExpression,
    BadName,
    BeatdeskError,
    NameTaken,
    NotFound,
    Refused,
    StaleRevision,
    Unavailable,
    UnknownJob,
)
from scheduler.events.schema import (
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleSaved,
    TicksMissed,
    TicksSkipped,
)
from scheduler.rules.check import CheckedSpec
from scheduler.rules.model.edit import Edit
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec, cron, every
from tests.support.schedules.contents import events, plain, score
from tests.support.valkey import ValkeyServer

LATER = NOON + timedelta(hours=5, seconds=3)


def everything(redis: Redis) -> dict[str, Any]:
    """All that a change may touch."""
    return {
        "entries": {key: redis.hgetall(key) for key in redis.keys("redbeat:[a-zA-Z]*")},
        "scores": redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True),
        "events": redis.xrange(keys.EVENTS_STREAM),
    }


def test_a_new_schedule_is_stored_scored_and_told(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(
        a_spec(when=cron("0 6 * * *", "Europe/Berlin")),
        edit=Edit(actor="ada", now=NOON, comment="why"),
    )
    assert store.get("nightly-report") == schedule
    assert (schedule.revision, schedule.origin, schedule.updated_by, schedule.updated_at) == (
        1,
        "operator",
        "ada",
        NOON,
    )
    assert score(redis, "nightly-report") == (NOON + timedelta(hours=17)).timestamp()
    (event,) = events(redis)
    assert isinstance(event, ScheduleSaved)
    assert (event.action, event.actor, event.comment, event.schedule) == (
        "created",
        "ada",
        "why",
        schedule,
    )


def test_a_new_schedule_fires_at_its_first_tick_and_not_at_once(
    store: ScheduleStore, redis: Redis
) -> None:
    schedule = store.create(
        a_spec(when=every(600)), edit=Edit(actor="ada", now=NOON + timedelta(milliseconds=300))
    )
    assert schedule.when == every(600, NOON)
    assert store.listed(schedule.name).next == NOON + timedelta(seconds=600)
    assert store.listed(schedule.name).last_run_at is None


def test_an_edit_makes_a_revision_of_the_same_schedule(store: ScheduleStore, redis: Redis) -> None:
    first = store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    second = store.edit(
        first.name, a_spec(kwargs={"days": 2}), revision=1, edit=Edit(actor="bob", now=LATER)
    )
    assert (second.uid, second.revision, second.updated_by) == (first.uid, 2, "bob")
    assert store.get(first.name) == second
    assert [(e.action, e.revision) for e in events(redis) if isinstance(e, ScheduleSaved)] == [
        ("created", 1),
        ("edited", 2),
    ]


def test_a_new_time_takes_effect_from_now_on(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(when=cron("0 * * * *")), edit=Edit(actor="ada", now=NOON))
    store.edit(
        "nightly-report",
        a_spec(when=cron("*/2 * * * *")),
        revision=1,
        edit=Edit(actor="ada", now=LATER),
    )
    assert score(redis, "nightly-report") == (NOON + timedelta(hours=5, minutes=2)).timestamp()


def test_an_edit_of_a_stale_revision_is_refused_with_both_revisions(
    store: ScheduleStore, redis: Redis
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    store.edit(
        "nightly-report", a_spec(notes="bob's"), revision=1, edit=Edit(actor="bob", now=NOON)
    )
    before = everything(redis)
    for change in (
        lambda: store.edit(
            "nightly-report", a_spec(notes="ada's"), revision=1, edit=Edit(actor="ada", now=NOON)
        ),
        lambda: store.set_enabled(
            "nightly-report", False, revision=1, edit=Edit(actor="ada", now=NOON)
        ),
        lambda: store.delete("nightly-report", revision=1, edit=Edit(actor="ada", now=NOON)),
    ):
        with pytest.raises(StaleRevision) as stale:
            change()
        assert (stale.value.given, stale.value.current) == (1, 2)
    assert everything(redis) == before


def test_a_revision_that_does_not_exist_yet_is_stale_too(store: ScheduleStore) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    with pytest.raises(StaleRevision):
        store.edit("nightly-report", a_spec(), revision=2, edit=Edit(actor="ada", now=NOON))


def test_switching_off_and_on_again_fires_nothing_that_was_missed(
    store: ScheduleStore, redis: Redis
) -> None:
    store.create(a_spec(when=cron("0 * * * *")), edit=Edit(actor="ada", now=NOON))
    off = store.set_enabled("nightly-report", False, edit=Edit(actor="ada", now=NOON))
    assert (off.enabled, off.revision, score(redis, off.name)) == (False, 2, -1)
    on = store.set_enabled("nightly-report", True, revision=2, edit=Edit(actor="ada", now=LATER))
    assert (on.enabled, on.revision) == (True, 3)
    assert score(redis, on.name) == (NOON + timedelta(hours=6)).timestamp()
    *changes, skipped = events(redis)
    assert [type(event) for event in changes] == [ScheduleSaved, ScheduleDisabled, ScheduleEnabled]
    assert isinstance(skipped, TicksSkipped)
    assert (skipped.reason, skipped.tick_from, skipped.ticks) == (
        "disabled",
        NOON + timedelta(hours=1),
        5,
    )


def test_switching_to_what_it_is_already_changes_nothing(
    store: ScheduleStore, redis: Redis
) -> None:
    schedule = store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    before = everything(redis)
    assert store.set_enabled(schedule.name, True, edit=Edit(actor="ada", now=LATER)) == schedule
    assert everything(redis) == before


def test_a_deleted_schedule_is_gone_and_told(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    store.delete(schedule.name, revision=1, edit=Edit(actor="bob", now=LATER, comment="old"))
    assert redis.exists(keys.entry(schedule.name)) == 0
    assert store.names() == []
    *_, last, missed, skipped = events(redis)
    assert isinstance(missed, TicksMissed)
    assert (missed.reason, missed.tick_from, missed.ticks) == (
        "scheduler_down",
        NOON + timedelta(hours=1),
        4,
    )
    assert isinstance(skipped, TicksSkipped)
    assert (skipped.reason, skipped.tick_to, skipped.ticks) == (
        "operator",
        NOON + timedelta(hours=5),
        1,
    )
    assert isinstance(last, ScheduleDeleted)
    assert (last.schedule, last.actor, last.comment, last.revision) == (schedule, "bob", "old", 2)
    with pytest.raises(NotFound):
        store.get(schedule.name)


def test_a_name_that_is_taken_is_refused(
    store: ScheduleStore, services: Services, redis: Redis
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    plain(services)
    redis.hset(keys.entry("broken"), "definition", "{")
    redis.set(keys.entry("text"), "no hash")
    before = everything_but(redis, "text")
    for name in ("nightly-report", "plain", "broken", "text"):
        with pytest.raises(NameTaken):
            store.create(a_spec(name), edit=Edit(actor="ada", now=NOON))
    assert everything_but(redis, "text") == before


def everything_but(redis: Redis, name: str) -> dict[str, Any]:
    kept = redis.get(keys.entry(name))
    redis.delete(keys.entry(name))
    found = everything(redis)
    redis.set(keys.entry(name), kept)
    return found


def test_a_schedule_that_beat_left_behind_half_deleted_does_not_stand_in_the_way(
    store: ScheduleStore, redis: Redis
) -> None:
    redis.hset(keys.entry("nightly-report"), "meta", '{"last_run_at": null}')
    schedule = store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    assert store.get("nightly-report") == schedule


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"name": ":lock"}, BadName),
        ({"when": cron("61 * * * *")}, BadExpression),
        ({"job": "reports.nothing"}, UnknownJob),
        ({"kwargs": {"dayz": 1}}, BadArguments),
        ({"kwargs": {"days": "x"}}, BadArguments),
        ({"kwargs": {"days": 1, "__type__": 1}}, BadArguments),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    store: ScheduleStore, redis: Redis, parts: dict[str, Any], kind: type[BeatdeskError]
) -> None:
    with pytest.raises(kind):
        store.create(a_spec(**parts), edit=Edit(actor="ada", now=NOON))
    assert everything(redis) == {"entries": {}, "scores": [], "events": []}
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    before = everything(redis)
    spec = a_spec(**{**parts, "name": parts.get("name", "nightly-report")})
    with pytest.raises(kind):
        store.edit("nightly-report", spec, revision=1, edit=Edit(actor="ada", now=NOON))
    assert everything(redis) == before


@pytest.mark.parametrize("key", [keys.EVENTS_STREAM, keys.SCHEDULE_ZSET])
def test_a_change_that_cannot_be_told_or_scored_is_not_made(
    store: ScheduleStore, redis: Redis, key: str
) -> None:
    redis.delete(key)
    redis.set(key, "something else")
    with pytest.raises(Unavailable):
        store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    assert redis.exists(keys.entry("nightly-report")) == 0
    assert redis.get(key) == "something else"


def test_every_change_wakes_whoever_waits_for_one(store: ScheduleStore, redis: Redis) -> None:
    with redis.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe(keys.WAKE_CHANNEL)
        store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
        store.delete("nightly-report", edit=Edit(actor="ada", now=NOON))
        heard = [message for _ in range(6) if (message := listening.get_message(timeout=1))]
    assert [message["data"] for message in heard] == ["nightly-report"] * 2


def test_without_redis_the_refusal_says_what_to_do(
    store: ScheduleStore, valkey: ValkeyServer
) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    valkey.kill()
    for ask in (
        store.names,
        store.page,
        lambda: store.get("nightly-report"),
        lambda: store.delete("nightly-report", edit=Edit(actor="ada", now=NOON)),
    ):
        with pytest.raises(Unavailable, match="BEATDESK_REDIS_URL"):
            ask()


def test_what_was_checked_against_the_stored_revision_is_saved_without_asking_again(
    store: ScheduleStore,
) -> None:
    wanted = a_spec(job="a.job_of_nobody")
    with pytest.raises(UnknownJob):
        store.create(wanted, edit=Edit(actor="ada", now=NOON))
    made = store.create(CheckedSpec(wanted), edit=Edit(actor="ada", now=NOON))
    changed = wanted.model_copy(update={"args": [1]})
    saved = store.edit(
        made.name, CheckedSpec(changed, 1), revision=1, edit=Edit(actor="ada", now=NOON)
    )
    assert (saved.job, saved.args, saved.revision) == ("a.job_of_nobody", [1], 2)


def test_what_was_checked_against_another_revision_is_checked_again(store: ScheduleStore) -> None:
    store.create(a_spec(), edit=Edit(actor="ada", now=NOON))
    wanted = CheckedSpec(a_spec(queue="a b"), 0)
    with pytest.raises(Refused, match="no blanks"):
        store.edit("nightly-report", wanted, revision=1, edit=Edit(actor="ada", now=NOON))
    assert store.get("nightly-report").revision == 1
