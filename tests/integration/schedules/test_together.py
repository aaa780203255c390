"""Many changes at once: all are written, or none is."""

from datetime import timedelta

import pytest

from scheduler.errors import NameTaken, NotFound, Refused, StaleRevision, UnknownJob
from scheduler.events.schema import TicksMissed
from scheduler.rules.model.edit import Edit
from scheduler.schedules.batch import DesiredSchedule
from scheduler.schedules.store import ScheduleStore
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec, every
from tests.support.meddling import Once, runs_scripts_twice
from tests.support.schedules.contents import events

ADA = {"edit": Edit(actor="ada", now=NOON)}


def contents(redis):
    """Every key with its value."""
    return {
        key: redis.hgetall(key)
        if redis.type(key) == "hash"
        else redis.type(key) == "zset" and redis.zrange(key, 0, -1)
        for key in redis.scan_iter("redbeat:*")
    }


def test_many_schedules_are_made_changed_and_deleted_in_one_step(store, redis):
    names = [f"s{number:04}" for number in range(1200)]
    made = store.save_together([DesiredSchedule(name, a_spec(name), None) for name in names], **ADA)
    assert [schedule.revision for schedule in made] == [1] * 1200
    assert store.names() == names
    assert all(
        entry.decode().schedule.uid == one.uid
        for entry, one in zip(store.stored(), made, strict=True)
    )
    done = store.save_together(
        [
            DesiredSchedule("s0000", a_spec("s0000", owner="ada"), 1),
            DesiredSchedule("s0001", None, 1),
            DesiredSchedule("new", a_spec("new"), None),
        ],
        edit=Edit(actor="ada", now=NOON, comment="why"),
    )
    assert [schedule.revision for schedule in done] == [2, 1, 1]
    assert store.get("s0000").owner == "ada"
    assert len(store.names()) == 1200
    kinds = [(event.kind, event.revision, event.comment) for event in events(redis)[-3:]]
    assert kinds == [
        ("schedule.saved", 2, "why"),
        ("schedule.deleted", 2, "why"),
        ("schedule.saved", 1, "why"),
    ]


def test_what_is_made_together_is_what_is_made_alone(store, redis):
    alone = store.create(a_spec("alone", when=every(300), kwargs={"days": 1}), **ADA)
    (with_others,) = store.save_together(
        [DesiredSchedule("alike", a_spec("alike", when=every(300), kwargs={"days": 1}), None)],
        **ADA,
    )
    assert with_others.model_copy(update={"name": "alone", "uid": alone.uid}) == alone
    assert redis.zscore(keys.SCHEDULE_ZSET, "redbeat:alike") == redis.zscore(
        keys.SCHEDULE_ZSET, "redbeat:alone"
    )
    assert redis.hget("redbeat:alike", "meta") == redis.hget("redbeat:alone", "meta")


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (DesiredSchedule("b", a_spec("b", job="nobody.knows"), None), Refused),
        (DesiredSchedule("b", a_spec("b", when=every(0.1)), None), Refused),
        (DesiredSchedule("a", a_spec("a"), None), Refused),
        (DesiredSchedule("a", a_spec("a", owner="x"), 7), StaleRevision),
        (DesiredSchedule("a", None, 7), StaleRevision),
        (DesiredSchedule("ghost", None, 1), NotFound),
        (DesiredSchedule("static", a_spec("static", owner="x"), 0), Refused),
    ],
)
def test_one_that_cannot_be_done_keeps_the_others_from_being_done(store, redis, wish, error):
    store.create(a_spec("a"), **ADA)
    store.create(a_spec("static"), **ADA)
    redis.sadd(keys.STATICS_SET, "static")
    wish = DesiredSchedule(wish.name, wish.spec, 1) if wish.name == "static" else wish
    before, told = contents(redis), redis.xlen(keys.EVENTS_STREAM)
    with pytest.raises(error) as refused:
        store.save_together([DesiredSchedule("fine", a_spec("fine"), None), wish], **ADA)
    assert wish.name in str(refused.value) or error is Refused
    assert contents(redis) == before
    assert redis.xlen(keys.EVENTS_STREAM) == told


def test_the_cause_of_a_refusal_is_kept(store):
    with pytest.raises(Refused) as refused:
        store.save_together(
            [DesiredSchedule("b", a_spec("b", job="reports.job_sumary"), None)], **ADA
        )
    assert isinstance(refused.value.__cause__, UnknownJob)
    assert refused.value.field == "job"
    assert "did you mean reports.job_summary" in str(refused.value)


def test_a_key_that_is_something_else_is_named(store, redis):
    redis.set("redbeat:odd", "x")
    with pytest.raises(Refused, match="odd"):
        store.save_together(
            [
                DesiredSchedule("fine", a_spec("fine"), None),
                DesiredSchedule("odd", a_spec("odd"), None),
            ],
            **ADA,
        )
    assert store.names() == []


def test_a_tick_of_beat_in_between_is_not_undone(store, services, redis):
    store.create(a_spec("a", when=every(60)), **ADA)
    store.create(a_spec("b", when=every(60)), **ADA)
    later = NOON + timedelta(minutes=1)
    advanced = redis.hget("redbeat:a", "meta").replace('"minute": 0', '"minute": 1')
    tick = Once(lambda: redis.hset("redbeat:a", "meta", advanced))
    wishes = [
        DesiredSchedule("a", a_spec("a", when=every(60), owner="x"), 1),
        DesiredSchedule("b", a_spec("b", when=every(60), owner="x"), 1),
    ]
    ScheduleStore(redis, services.catalogue, before_commit=tick).save_together(
        wishes, edit=Edit(actor="ada", now=later)
    )
    assert redis.hget("redbeat:a", "meta") == advanced
    assert store.get("a").owner == store.get("b").owner == "x"


def test_an_edit_of_somebody_else_in_between_wins_and_nothing_is_written(store, services, redis):
    store.create(a_spec("a"), **ADA)
    edit = Once(lambda: store.edit("a", a_spec("a", owner="grace"), revision=1, **ADA))
    overtaken = ScheduleStore(redis, services.catalogue, before_commit=edit)
    with pytest.raises(StaleRevision):
        overtaken.save_together(
            [
                DesiredSchedule("fine", a_spec("fine"), None),
                DesiredSchedule("a", a_spec("a", owner="x"), 1),
            ],
            **ADA,
        )
    assert store.names() == ["a"]
    assert store.get("a").owner == "grace"


def test_an_answer_that_was_lost_does_no_harm(store, services, redis):
    store.create(a_spec("a"), **ADA)
    wishes = [
        DesiredSchedule("a", a_spec("a", owner="x"), 1),
        DesiredSchedule("b", a_spec("b"), None),
    ]
    with runs_scripts_twice(services.settings.redis_url) as client:
        ScheduleStore(client, services.catalogue).save_together(wishes, **ADA)
    assert store.get("a").revision == 2
    assert len(events(redis)) == 3


def test_ticks_that_the_changes_pass_over_get_their_verdicts_too(store, redis):
    for name in ("a", "b"):
        store.create(a_spec(name, when=every(3600, NOON)), **ADA)
    wishes = [DesiredSchedule(name, a_spec(name, when=every(60, NOON)), 1) for name in ("a", "b")]
    store.save_together(wishes, edit=Edit(actor="ada", now=NOON + timedelta(hours=3, minutes=1)))
    verdicts = [event for event in events(redis) if isinstance(event, TicksMissed)]
    assert [(event.schedule, event.reason, event.ticks) for event in verdicts] == [
        ("a", "scheduler_down", 3),
        ("b", "scheduler_down", 3),
    ]


def test_nothing_to_do_is_no_trip_to_the_server(store, redis):
    redis.config_resetstat()
    assert store.save_together([], **ADA) == []
    assert "cmdstat_evalsha" not in redis.info("commandstats")
    assert events(redis) == []


def test_taken_names_are_refused(store):
    store.create(a_spec("a"), **ADA)
    with pytest.raises(Refused) as refused:
        store.save_together([DesiredSchedule("a", a_spec("a"), None)], **ADA)
    assert isinstance(refused.value.__cause__, NameTaken)
