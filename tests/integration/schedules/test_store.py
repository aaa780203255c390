"""Changes of schedules: each is whole, on what was read, and told exactly once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redis import Redis

from scheduler import keys
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
    UnreadableEntry,
)
from scheduler.events.schema import ScheduleDeleted, ScheduleDisabled, ScheduleEnabled, ScheduleSaved
from scheduler.rules.identity import plain_uid
from scheduler.rules.spec import Schedule
from scheduler.schedules import codec
from scheduler.schedules.codec import Meta
from scheduler.schedules.store import ScheduleStore
from scheduler.wiring import Desk
from tests.integration.schedules.conftest import JOB, events, score
from tests.support.builders import NOON, a_spec, cron, every
from tests.support.valkey import ValkeyServer

LATER = NOON + timedelta(hours=5, seconds=3)


def everything(redis: Redis) -> dict[str, Any]:
    """All that a change may touch."""
    return {
        "entries": {key: redis.hgetall(key) for key in redis.keys("redbeat:[a-zA-Z]*")},
        "scores": redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True),
        "events": redis.xrange(keys.EVENTS_STREAM),
    }


def plain(desk: Desk, name: str = "plain", **parts: Any) -> RedBeatSchedulerEntry:
    parts.setdefault("schedule", crontab("0", "6"))
    return RedBeatSchedulerEntry(name, parts.pop("task", JOB), app=desk.celery, **parts).save()


def test_a_new_schedule_is_stored_scored_and_told(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(a_spec(when=cron("0 6 * * *", "Europe/Berlin")), actor="ada", comment="why", now=NOON)
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
    assert (event.action, event.actor, event.comment, event.schedule) == ("created", "ada", "why", schedule)


def test_a_new_schedule_fires_at_its_first_tick_and_not_at_once(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(a_spec(when=every(600)), actor="ada", now=NOON + timedelta(milliseconds=300))
    assert schedule.when == every(600, NOON)
    assert store.listed(schedule.name).next == NOON + timedelta(seconds=600)
    assert store.listed(schedule.name).last_run_at is None


def test_an_edit_makes_a_revision_of_the_same_schedule(store: ScheduleStore, redis: Redis) -> None:
    first = store.create(a_spec(), actor="ada", now=NOON)
    second = store.edit(first.name, a_spec(kwargs={"days": 2}), revision=1, actor="bob", now=LATER)
    assert (second.uid, second.revision, second.updated_by) == (first.uid, 2, "bob")
    assert store.get(first.name) == second
    assert [(e.action, e.revision) for e in events(redis) if isinstance(e, ScheduleSaved)] == [
        ("created", 1),
        ("edited", 2),
    ]


def test_a_new_time_takes_effect_from_now_on(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(when=cron("0 * * * *")), actor="ada", now=NOON)
    store.edit("nightly-report", a_spec(when=cron("*/2 * * * *")), revision=1, actor="ada", now=LATER)
    assert score(redis, "nightly-report") == (NOON + timedelta(hours=5, minutes=2)).timestamp()


def test_an_edit_of_a_stale_revision_is_refused_with_both_revisions(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    store.edit("nightly-report", a_spec(notes="bob's"), revision=1, actor="bob", now=NOON)
    before = everything(redis)
    for change in (
        lambda: store.edit("nightly-report", a_spec(notes="ada's"), revision=1, actor="ada", now=NOON),
        lambda: store.set_enabled("nightly-report", False, revision=1, actor="ada", now=NOON),
        lambda: store.delete("nightly-report", revision=1, actor="ada", now=NOON),
    ):
        with pytest.raises(StaleRevision) as stale:
            change()
        assert (stale.value.given, stale.value.current) == (1, 2)
    assert everything(redis) == before


def test_a_revision_that_does_not_exist_yet_is_stale_too(store: ScheduleStore) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    with pytest.raises(StaleRevision):
        store.edit("nightly-report", a_spec(), revision=2, actor="ada", now=NOON)


def test_switching_off_and_on_again_fires_nothing_that_was_missed(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(when=cron("0 * * * *")), actor="ada", now=NOON)
    off = store.set_enabled("nightly-report", False, actor="ada", now=NOON)
    assert (off.enabled, off.revision, score(redis, off.name)) == (False, 2, -1)
    on = store.set_enabled("nightly-report", True, revision=2, actor="ada", now=LATER)
    assert (on.enabled, on.revision) == (True, 3)
    assert score(redis, on.name) == (NOON + timedelta(hours=6)).timestamp()
    assert [type(event) for event in events(redis)] == [ScheduleSaved, ScheduleDisabled, ScheduleEnabled]


def test_switching_to_what_it_is_already_changes_nothing(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(a_spec(), actor="ada", now=NOON)
    before = everything(redis)
    assert store.set_enabled(schedule.name, True, actor="ada", now=LATER) == schedule
    assert everything(redis) == before


def test_a_deleted_schedule_is_gone_and_told(store: ScheduleStore, redis: Redis) -> None:
    schedule = store.create(a_spec(), actor="ada", now=NOON)
    store.delete(schedule.name, revision=1, actor="bob", comment="old", now=LATER)
    assert redis.exists(keys.entry(schedule.name)) == 0
    assert store.names() == []
    last = events(redis)[-1]
    assert isinstance(last, ScheduleDeleted)
    assert (last.schedule, last.actor, last.comment, last.revision) == (schedule, "bob", "old", 2)
    with pytest.raises(NotFound):
        store.get(schedule.name)


def test_a_name_that_is_taken_is_refused(store: ScheduleStore, desk: Desk, redis: Redis) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    plain(desk)
    redis.hset(keys.entry("broken"), "definition", "{")
    redis.set(keys.entry("text"), "no hash")
    before = everything_but(redis, "text")
    for name in ("nightly-report", "plain", "broken", "text"):
        with pytest.raises(NameTaken):
            store.create(a_spec(name), actor="ada", now=NOON)
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
    schedule = store.create(a_spec(), actor="ada", now=NOON)
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
        store.create(a_spec(**parts), actor="ada", now=NOON)
    assert everything(redis) == {"entries": {}, "scores": [], "events": []}
    store.create(a_spec(), actor="ada", now=NOON)
    before = everything(redis)
    spec = a_spec(**{**parts, "name": parts.get("name", "nightly-report")})
    with pytest.raises(kind):
        store.edit("nightly-report", spec, revision=1, actor="ada", now=NOON)
    assert everything(redis) == before


@pytest.mark.parametrize("key", [keys.EVENTS_STREAM, keys.SCHEDULE_ZSET])
def test_a_change_that_cannot_be_told_or_scored_is_not_made(store: ScheduleStore, redis: Redis, key: str) -> None:
    redis.delete(key)
    redis.set(key, "something else")
    with pytest.raises(Unavailable):
        store.create(a_spec(), actor="ada", now=NOON)
    assert redis.exists(keys.entry("nightly-report")) == 0
    assert redis.get(key) == "something else"


@pytest.mark.parametrize("key", [keys.EVENTS_STREAM, keys.SCHEDULE_ZSET])
def test_a_change_that_fails_half_way_is_not_made_at_all(store: ScheduleStore, redis: Redis, key: str) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    before = redis.hgetall(keys.entry("nightly-report"))
    told = redis.xlen(keys.EVENTS_STREAM)

    def spoil() -> None:
        redis.rename(key, "kept")
        redis.set(key, "something else")

    store._change = Meddling(store._change, spoil)  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        store.edit("nightly-report", a_spec(notes="new"), revision=1, actor="ada", now=NOON)
    redis.rename("kept", key)
    assert redis.hgetall(keys.entry("nightly-report")) == before
    assert redis.xlen(keys.EVENTS_STREAM) == told


def test_every_change_wakes_whoever_waits_for_one(store: ScheduleStore, redis: Redis) -> None:
    with redis.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe(keys.WAKE_CHANNEL)
        store.create(a_spec(), actor="ada", now=NOON)
        store.delete("nightly-report", actor="ada", now=NOON)
        heard = [message for _ in range(6) if (message := listening.get_message(timeout=1))]
    assert [message["data"] for message in heard] == ["nightly-report"] * 2


def test_of_edits_made_at_one_time_one_wins_and_the_others_are_told(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    together = threading.Barrier(8)

    def edit(number: int) -> str:
        together.wait()
        try:
            store.edit("nightly-report", a_spec(notes=str(number)), revision=1, actor=str(number), now=LATER)
        except StaleRevision:
            return "stale"
        return "saved"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(edit, range(8)))
    assert sorted(answers) == ["saved"] + ["stale"] * 7
    edits = [event for event in events(redis) if isinstance(event, ScheduleSaved) and event.action == "edited"]
    assert [edit.schedule for edit in edits] == [store.get("nightly-report")]


def test_of_schedules_made_at_one_time_under_one_name_one_is_made(store: ScheduleStore, redis: Redis) -> None:
    together = threading.Barrier(8)

    def create(number: int) -> str:
        together.wait()
        try:
            return store.create(a_spec(), actor=str(number), now=NOON).uid
        except NameTaken:
            return "taken"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert answers.count("taken") == 7
    assert store.get("nightly-report").uid in answers
    assert len(events(redis)) == 1


class Meddling:
    """A client that lets something happen just before the script runs, once."""

    def __init__(self, script: Any, happening: Callable[[], object]) -> None:
        self.script, self.happening = script, happening

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        happening, self.happening = self.happening, lambda: None
        happening()
        return self.script(*args, **kwargs)


def test_beat_moving_on_during_an_edit_is_kept_and_the_edit_too(store: ScheduleStore, redis: Redis) -> None:
    store.create(a_spec(when=cron("0 * * * *")), actor="ada", now=NOON)
    key = keys.entry("nightly-report")
    moved_on = codec.encode_meta(Meta(NOON + timedelta(hours=1), 1))
    store._change = Meddling(store._change, lambda: redis.hset(key, "meta", moved_on))  # type: ignore[assignment]
    store.edit("nightly-report", a_spec(when=cron("0 * * * *"), notes="new"), revision=1, actor="ada", now=NOON)
    assert redis.hget(key, "meta") == moved_on
    assert score(redis, "nightly-report") == (NOON + timedelta(hours=2)).timestamp()
    assert store.get("nightly-report").notes == "new"
    assert len(events(redis)) == 2


def test_an_edit_of_a_schedule_that_is_deleted_meanwhile_does_not_bring_it_back(
    store: ScheduleStore, desk: Desk, redis: Redis
) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    other = ScheduleStore(redis, desk.catalogue)
    store._change = Meddling(  # type: ignore[assignment]
        store._change, lambda: other.delete("nightly-report", actor="bob", now=NOON)
    )
    with pytest.raises(NotFound):
        store.edit("nightly-report", a_spec(notes="new"), revision=1, actor="ada", now=NOON)
    assert redis.exists(keys.entry("nightly-report")) == 0
    assert store.names() == []
    assert [type(event) for event in events(redis)] == [ScheduleSaved, ScheduleDeleted]


def test_a_definition_rewritten_by_plain_code_during_an_edit_is_not_overwritten_unseen(
    store: ScheduleStore, desk: Desk, redis: Redis
) -> None:
    store.create(a_spec("plain"), actor="ada", now=NOON)
    store._change = Meddling(store._change, lambda: plain(desk))  # type: ignore[assignment]
    with pytest.raises(StaleRevision) as stale:
        store.edit("plain", a_spec("plain", notes="new"), revision=1, actor="ada", now=NOON)
    assert stale.value.current == 2
    assert store.get("plain").when == cron("0 6 * * *")
    assert store.listed("plain").diverged


def test_an_answer_that_got_lost_is_not_a_second_change(store: ScheduleStore, redis: Redis) -> None:
    """The client sends the script again when the connection breaks before the answer came."""
    script = store._change

    def twice(*args: Any, **kwargs: Any) -> Any:
        script(*args, **kwargs)
        return script(*args, **kwargs)

    store._change = twice  # type: ignore[assignment]
    first = store.create(a_spec(), actor="ada", now=NOON)
    store.edit(first.name, a_spec(notes="new"), revision=1, actor="ada", now=LATER)
    assert [event.revision for event in events(redis) if isinstance(event, ScheduleSaved)] == [1, 2]


def test_an_entry_of_plain_redbeat_code_is_edited_as_it_is(store: ScheduleStore, desk: Desk, redis: Redis) -> None:
    plain(desk, task="app.unknown_here", kwargs={"since": NOON}, options={"expires": 60})
    read = store.get("plain")
    assert (read.origin, read.revision) == ("redbeat", 0)
    edited = store.edit(
        "plain", read.spec().model_copy(update={"notes": "ours now"}), revision=0, actor="ada", now=NOON
    )
    assert (edited.origin, edited.revision, edited.uid) == ("redbeat", 1, plain_uid("plain"))
    loaded = RedBeatSchedulerEntry.from_key(keys.entry("plain"), app=desk.celery)
    assert loaded.kwargs == {"since": NOON}
    assert loaded.options == {"expires": 60}


def test_an_entry_of_plain_redbeat_code_may_have_any_name(store: ScheduleStore, desk: Desk) -> None:
    plain(desk, "app: any name")
    read = store.get("app: any name")
    assert store.edit("app: any name", read.spec(), revision=0, actor="ada", now=NOON).revision == 1
    store.delete("app: any name", actor="ada", now=NOON)
    assert store.names() == []


def test_what_code_defines_is_held_here_and_changed_there(store: ScheduleStore, desk: Desk, redis: Redis) -> None:
    plain(desk, "static")
    redis.sadd(keys.STATICS_SET, "static")
    definition = redis.hget(keys.entry("static"), "definition")
    assert store.get("static").origin == "code"
    with pytest.raises(Refused, match="beat_schedule"):
        store.edit("static", store.get("static").spec(), revision=0, actor="ada", now=NOON)
    with pytest.raises(Refused, match="beat_schedule"):
        store.delete("static", actor="ada", now=NOON)
    assert store.set_enabled("static", False, actor="ada", now=NOON).enabled is False
    assert redis.hget(keys.entry("static"), "definition") == definition
    assert store.get("static").enabled is False
    assert store.set_enabled("static", True, actor="ada", now=NOON).enabled is True


def test_an_unreadable_entry_can_be_deleted(store: ScheduleStore, redis: Redis) -> None:
    redis.hset(keys.entry("bad"), "definition", "{")
    redis.set(keys.entry("text"), "no hash")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0, keys.entry("text"): 0, keys.entry("ghost"): 0})
    for name in ("bad", "text", "ghost"):
        with pytest.raises(UnreadableEntry):
            store.get(name)
        assert store.listed(name).problem
        store.delete(name, actor="ada", now=NOON)
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
    store.create(a_spec(), actor="ada", now=NOON)
    redis.hset(keys.entry("bad"), "definition", written)  # type: ignore[arg-type]
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("bad"): 0, b"redbeat:\xff": 0})
    assert [(line.name, bool(line.problem)) for line in store.page().items] == [
        ("bad", True),
        ("nightly-report", False),
    ]
    store.delete("bad", actor="ada", now=NOON)
    assert store.names() == ["nightly-report"]
    assert isinstance(events(redis)[-1], ScheduleDeleted)


@pytest.mark.parametrize("name", [":lock", ":schedule", ":statics", "", "nobody"])
def test_redbeats_own_keys_are_no_schedules(store: ScheduleStore, redis: Redis, name: str) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    redis.set(keys.BEAT_LOCK, "held")
    for touch in (
        lambda: store.get(name),
        lambda: store.listed(name),
        lambda: store.delete(name, actor="ada", now=NOON),
        lambda: store.set_enabled(name, False, actor="ada", now=NOON),
    ):
        with pytest.raises(NotFound):
            touch()
    assert redis.get(keys.BEAT_LOCK) == "held"
    assert store.names() == ["nightly-report"]


def test_without_redis_the_refusal_says_what_to_do(store: ScheduleStore, valkey: ValkeyServer) -> None:
    store.create(a_spec(), actor="ada", now=NOON)
    valkey.kill()
    for ask in (
        store.names,
        store.page,
        lambda: store.get("nightly-report"),
        lambda: store.delete("nightly-report", actor="ada", now=NOON),
    ):
        with pytest.raises(Unavailable, match="BEATDESK_REDIS_URL"):
            ask()


def many(store: ScheduleStore) -> list[Schedule]:
    return [
        store.create(
            a_spec(f"s{number:02}", enabled=number % 3 > 0, tags=["odd"] if number % 2 else []), actor="ada", now=NOON
        )
        for number in range(12)
    ]


def test_a_list_is_paged_by_name_and_every_entry_is_shown_once(store: ScheduleStore, redis: Redis) -> None:
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
    assert [line.name for line in seen] == sorted([*(schedule.name for schedule in schedules), "s055"])
    assert [line.schedule for line in seen if line.schedule] == schedules
    assert [line.name for line in seen if line.problem] == ["s055"]


def test_a_page_goes_on_after_a_name_that_is_gone(store: ScheduleStore) -> None:
    many(store)
    store.delete("s04", actor="ada", now=NOON)
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
    assert (filtered.next, filtered.total) == ("s06", 4)
    assert [line.name for line in store.page(state="disabled", after="s06", limit=3).items] == ["s09"]


def test_what_is_due_soon_is_shown_soonest_first(store: ScheduleStore) -> None:
    for name, minute in (("late", "50"), ("soon", "10"), ("off", "20")):
        store.create(a_spec(name, when=cron(f"{minute} * * * *"), enabled=name != "off"), actor="ada", now=NOON)
    assert [line.name for line in store.due(NOON + timedelta(hours=1))] == ["soon", "late"]
    assert [line.name for line in store.due(NOON + timedelta(minutes=15))] == ["soon"]
