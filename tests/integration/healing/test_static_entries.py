"""Overrides outlive an emptied Redis; what code has dropped is told to the history, not put
back.
"""

import json

from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatScheduler

from scheduler.beat.stock.entry import install
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB
from tests.support.healing.house import House
from tests.support.schedules.contents import raw

CODE = {"static": {"task": JOB, "schedule": crontab("0", "6"), "kwargs": {"days": 1}}}


def start_beat(services: Services, code: dict[str, dict[str, object]]) -> None:
    """What RedBeat's scheduler does with the code when it starts, and what we do after."""
    services.celery.conf.beat_schedule = code
    install(RedBeatScheduler(services.celery))


def overridden(house: House) -> Schedule:
    start_beat(house.services, CODE)
    saved = house.edited("static", kwargs={"days": 7})
    assert saved.override is not None
    assert house.heal() == []
    return saved


def test_an_override_is_back_when_redis_was_emptied_and_beat_has_started_again(
    house: House,
) -> None:
    saved = overridden(house)
    house.services.redis.flushall()
    start_beat(house.services, CODE)
    assert house.services.schedules.get("static").override is None
    assert [repair.name for repair in house.heal()] == ["static"]
    assert house.services.schedules.get("static") == saved


def test_an_override_is_back_before_beat_has_started_again(house: House) -> None:
    saved = overridden(house)
    house.services.redis.flushall()
    assert [repair.name for repair in house.heal()] == ["static"]
    assert house.services.schedules.get("static") == saved
    assert json.loads(raw(house.services, "static")["definition"])["kwargs"] == {"days": 1}
    start_beat(house.services, CODE)
    assert house.services.schedules.get("static") == saved
    assert house.services.schedules.listed("static").code_has_changed is False


def test_what_code_drops_is_told_and_not_put_back(house: House) -> None:
    saved = overridden(house)
    start_beat(house.services, {})
    (repair,) = house.heal()
    assert (repair.name, repair.done) == ("static", "dropped by code")
    assert house.services.schedules.names() == []
    (newest, *_) = house.past(saved)
    assert (newest.action, newest.actor, newest.revision) == (
        "deleted",
        "beatdesk",
        saved.revision + 1,
    )
    assert newest.definition["kwargs"] == {"days": 7}
    assert house.another().findings() == []


def test_what_code_dropped_and_names_again_begins_anew(house: House) -> None:
    overridden(house)
    start_beat(house.services, {})
    house.heal()
    start_beat(house.services, CODE)
    assert house.heal() == []
    assert house.services.schedules.get("static").override is None


def test_what_code_drops_while_redis_is_empty_does_not_fire_for_ever(house: House) -> None:
    overridden(house)
    house.services.redis.flushall()
    house.heal()
    start_beat(house.services, {})
    assert [repair.done for repair in house.heal()] == ["dropped by code"]
    assert house.services.redis.zcard(keys.SCHEDULE_ZSET) == 0


def test_a_lost_static_entry_is_put_back(house: House) -> None:
    saved = overridden(house)
    RedBeatSchedulerEntry("static", app=house.services.celery).delete()
    assert [repair.done for repair in house.heal()] == ["put back as it was saved"]
    assert house.services.schedules.get("static") == saved
