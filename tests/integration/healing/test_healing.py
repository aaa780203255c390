"""What was lost or damaged comes back as it was saved; what somebody did stands."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.events.schema import RunQueued, run_event
from scheduler.healing.healer import WrongHistory
from scheduler.history import identity
from scheduler.history.models import Revision
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw
from scheduler.redbeat.fingerprints import Fingerprints, fingerprint
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Window
from scheduler.schedules import edits
from scheduler.schedules.tombstones import tombstones
from scheduler.storage import keys
from tests.support.builders import cron, every, facts_of
from tests.support.healing.house import House
from tests.support.schedules.contents import raw


def test_an_emptied_redis_gets_every_schedule_back_as_it_was(house: House) -> None:
    house.saved("one", kwargs={"days": 3}, tags=["finance"], notes="call Ada")
    house.saved(
        "two", when=every(30), policies=Policies(overlap="queue_all"), window=Window(max_runs=5)
    )
    house.saved("three", when=cron("H 3 * * *", "Europe/Berlin"))
    before = {name: house.services.schedules.get(name) for name in ("one", "two", "three")}
    assert house.healer.run_once(utc_now()) == []

    house.services.redis.flushall()
    done = house.heal()

    assert sorted(repair.name for repair in done) == ["one", "three", "two"]
    assert {name: house.services.schedules.get(name) for name in before} == before


def test_the_repair_is_told_in_the_history_and_to_people(house: House) -> None:
    schedule = house.saved()
    house.services.redis.flushall()
    house.heal()
    newest = house.past(schedule)[0]
    assert (newest.action, newest.actor, newest.revision) == ("healed", "beatdesk", 1)
    assert newest.comment == "it was gone from Redis"
    (notice,) = house.services.notices.recent(utc_now())
    assert (
        notice.text
        == "1 schedule put back as it was saved (it was gone from Redis): nightly-report."
    )
    assert house.services.notices.recent(utc_now() + timedelta(hours=2)) == []


@pytest.mark.parametrize("left", ["nothing", "due time", "hash", "meta"])
def test_a_single_entry_that_is_lost_comes_back(house: House, left: str) -> None:
    schedule = house.saved()
    house.saved("other")
    house.healer.run_once(utc_now())
    redis, key = house.services.redis, keys.entry(schedule.name)
    if left == "meta":
        redis.hdel(key, "definition", "beatdesk")
    elif left != "hash":
        redis.delete(key)
    if left in ("nothing", "hash"):
        redis.zrem(keys.SCHEDULE_ZSET, key)
    assert [repair.name for repair in house.heal()] == [schedule.name]
    assert house.services.schedules.get(schedule.name) == schedule
    assert redis.zscore(keys.SCHEDULE_ZSET, key) > 0


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("definition", "no JSON"),
        ("definition", "{}"),
        (
            "definition",
            '{"name": "nightly-report", "task": "t", "schedule": {"__type__": "crontab", "minute": "99"}}',
        ),
        ("beatdesk", "no JSON"),
        ("beatdesk", "{}"),
        ("meta", "no JSON"),
    ],
)
def test_a_damaged_entry_comes_back(house: House, field: str, text: str) -> None:
    schedule = house.saved()
    house.healer.run_once(utc_now())
    house.services.redis.hset(keys.entry(schedule.name), field, text)
    assert [repair.name for repair in house.heal()] == [schedule.name]
    assert house.services.schedules.get(schedule.name) == schedule


def test_our_own_field_rewritten_by_hand_is_put_right(house: House) -> None:
    schedule = house.saved(when=cron("0 6 * * *", "Europe/Berlin"))
    house.healer.run_once(utc_now())
    ours = json.loads(raw(house.services)["beatdesk"])
    house.services.redis.hset(
        keys.entry(schedule.name), "beatdesk", json.dumps({**ours, "timezone": "Asia/Tokyo"})
    )
    (repair,) = house.heal()
    assert repair.why == "what Redis had was not what was saved"
    assert house.services.schedules.get(schedule.name) == schedule


def test_a_lost_field_of_ours_comes_back(house: House) -> None:
    schedule = house.saved()
    house.services.redis.hdel(keys.entry(schedule.name), "beatdesk")
    assert [repair.name for repair in house.heal()] == [schedule.name]
    assert house.services.schedules.get(schedule.name) == schedule


def test_what_plain_redbeat_code_rewrites_or_makes_is_an_edit_and_stands(house: House) -> None:
    house.saved()
    definition = json.loads(raw(house.services)["definition"])
    house.services.redis.hset(
        keys.entry("nightly-report"),
        "definition",
        json.dumps({**definition, "kwargs": {"days": 9}}),
    )
    plain = json.dumps({**definition, "name": "plain"})
    house.services.redis.hset(
        keys.entry("plain"), mapping={"definition": plain, "meta": '{"last_run_at": null}'}
    )
    house.services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("plain"): 5})
    assert house.heal() == []
    assert house.services.schedules.get("nightly-report").kwargs == {"days": 9}
    assert house.services.schedules.get("plain").revision == 0


def test_a_redis_that_was_set_back_gets_the_newest_revisions_and_loses_what_was_deleted(
    house: House,
) -> None:
    house.saved("edited")
    house.saved("deleted")
    house.saved("untouched")
    set_back = house.copy()
    edited = house.edited("edited", notes="second thoughts")
    house.services.schedules.delete("deleted", edit=Edit(actor="ben", now=utc_now()))
    house.record()
    made = house.saved("made")
    assert house.healer.run_once(utc_now()) == []

    set_back()
    done = {repair.name: repair.done for repair in house.heal()}

    assert done == {
        "edited": "put back as it was saved",
        "made": "put back as it was saved",
        "deleted": "deleted again",
    }
    assert house.services.schedules.names() == ["edited", "made", "untouched"]
    assert house.services.schedules.get("edited") == edited
    assert house.services.schedules.get("made") == made


def test_an_edit_made_on_an_old_copy_before_the_repair_stands(house: House) -> None:
    house.saved()
    set_back = house.copy()
    house.edited(notes="second")
    house.edited(notes="third")
    set_back()
    store = house.services.schedules
    spec = store.get("nightly-report").spec().model_copy(update={"notes": "meant now"})
    store.edit("nightly-report", spec, revision=1, edit=Edit(actor="cy", now=utc_now()))
    house.record()
    assert house.heal() == []
    assert store.get("nightly-report").notes == "meant now"


def test_edits_deletions_and_new_schedules_are_never_taken_for_loss(house: House) -> None:
    house.saved("one")
    house.saved("two")
    house.healer.run_once(utc_now())
    house.edited("one", notes="new")
    house.services.schedules.delete("two", edit=Edit(actor="ada", now=utc_now()))
    house.record()
    house.saved("three")
    house.saved("two")
    house.services.schedules.delete("two", edit=Edit(actor="ada", now=utc_now()))
    house.record()
    assert house.heal() == []
    assert house.services.schedules.names() == ["one", "three"]


def test_nothing_is_decided_while_the_history_has_not_heard_of_a_change(house: House) -> None:
    house.saved("one")
    house.healer.run_once(utc_now())
    house.services.schedules.delete("one", edit=Edit(actor="ada", now=utc_now()))
    with pytest.raises(Unavailable, match="recorder"):
        house.healer.run_once(utc_now())
    house.record()
    assert house.heal() == []
    assert house.services.schedules.names() == []


def test_an_emptied_history_hears_of_every_schedule_again(house: House) -> None:
    first = house.saved("one")
    second = house.saved("two", when=every(30))
    second = house.edited("two", notes="why")
    house.healer.run_once(utc_now())
    with house.services.engine.begin() as connection:
        connection.execute(delete(Revision))
    assert {repair.done for repair in house.heal()} == {"recovered for the history"}
    for schedule in (first, second):
        (told,) = house.past(schedule)
        assert (told.action, told.revision, told.actor) == (
            "recovered",
            schedule.revision,
            schedule.updated_by,
        )
        assert told.definition == schedule.to_json()

    house.services.redis.flushall()
    house.heal()
    assert [house.services.schedules.get(name) for name in ("one", "two")] == [first, second]


def test_beat_goes_on_after_the_newest_tick_that_has_a_run(house: House) -> None:
    schedule = house.saved(when=every(60))
    anchor = schedule.when.anchor
    ticks = [anchor + timedelta(minutes=number) for number in (7, 8)]
    for tick in ticks:
        run = run_id(schedule.uid, tick)
        house.services.events.append(
            run_event(RunQueued, run, 1, tick, facts=facts_of(schedule, tick))
        )
    house.record()
    house.services.redis.flushall()
    house.heal()
    found = raw(house.services)
    meta = codec.decode_meta(found["meta"])
    assert meta.last_run_at == ticks[-1]
    assert (
        house.services.redis.zscore(keys.SCHEDULE_ZSET, keys.entry(schedule.name))
        == (ticks[-1] + timedelta(minutes=1)).timestamp()
    )


def test_the_fingerprint_of_what_is_written_is_the_one_that_is_looked_for(house: House) -> None:
    house.saved(kwargs={"days": 1}, notes="ü – 🎈")
    fields = raw(house.services)
    prints = Fingerprints(house.services.redis).read()
    assert prints == {
        "nightly-report": fingerprint(Raw(fields["definition"], fields["meta"], fields["beatdesk"]))
    }


def history_from_before(house: House, action: str) -> None:
    """The history is restored from a copy from before the newest change of this kind."""
    with house.services.engine.begin() as connection:
        connection.execute(delete(Revision).where(Revision.action == action))


@pytest.mark.parametrize("how", ["one", "many"])
def test_a_restored_history_revives_no_deleted_schedule(house: House, how: str) -> None:
    schedule = house.saved()
    house.saved("other")
    edit = Edit(actor="ada", now=utc_now())
    if how == "one":
        house.services.schedules.delete("nightly-report", edit=edit)
    else:
        house.services.schedules.bulk.change(["nightly-report"], edits.deleting(edit=edit))
    house.record()
    assert tombstones(house.services.redis) == {schedule.uid: 2}
    history_from_before(house, "deleted")
    assert [(one.name, one.done) for one in house.heal()] == [("nightly-report", "left deleted")]
    assert house.services.schedules.names() == ["other"]
    newest = house.past(schedule)[0]
    assert (newest.action, newest.revision, newest.actor) == ("deleted", 2, "beatdesk")


def test_a_schedule_that_was_restored_by_an_operator_is_put_back_in_spite_of_its_deletion(
    house: House,
) -> None:
    schedule = house.saved()
    edit = Edit(actor="ada", now=utc_now())
    house.services.schedules.delete("nightly-report", edit=edit)
    house.record()
    back = house.services.schedules.revive(schedule, restored=1, deleted=2, edit=edit)
    house.record()
    assert back.revision > 2
    entry = keys.entry("nightly-report")
    house.services.redis.delete(entry)
    house.services.redis.zrem(keys.SCHEDULE_ZSET, entry)
    assert [one.done for one in house.heal()] == ["put back as it was saved"]


def test_tombstones_are_forgotten_by_age_and_by_number(house: House) -> None:
    redis = house.services.redis
    now = utc_now().timestamp()
    old = {f"old-{number}": now - 91 * 86_400 for number in range(30)}
    redis.zadd(keys.TOMBSTONES_ZSET, old)
    redis.hset(keys.TOMBSTONES_HASH, mapping=dict.fromkeys(old, "1"))
    for name in ("one", "two"):
        house.saved(name)
        house.services.schedules.delete(name, edit=Edit(actor="ada", now=utc_now()))
    assert len(tombstones(redis)) == redis.zcard(keys.TOMBSTONES_ZSET) == 2
    many = {f"r-{number}": now - 60 for number in range(10_000)}
    redis.zadd(keys.TOMBSTONES_ZSET, many)
    redis.hset(keys.TOMBSTONES_HASH, mapping=dict.fromkeys(many, "1"))
    house.saved("three")
    house.services.schedules.delete("three", edit=Edit(actor="ada", now=utc_now()))
    assert len(tombstones(redis)) == redis.zcard(keys.TOMBSTONES_ZSET) == 10_000


def test_nothing_is_put_back_from_a_history_that_went_back_in_time(house: House) -> None:
    house.saved()
    house.services.redis.delete(keys.entry("nightly-report"))
    services = house.services
    services.redis.hincrby(keys.HISTORY_HASH, "batches", 5)
    healer = services.healer()
    with pytest.raises(WrongHistory, match="nothing is put back into Redis: the history went back"):
        healer.run_once(utc_now())
    with pytest.raises(WrongHistory):
        healer.remind(utc_now())
    identity.adopt(services.engine, services.redis)
    assert [one.name for one in healer.run_once(utc_now())] == ["nightly-report"]
