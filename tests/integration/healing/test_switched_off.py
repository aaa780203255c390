"""BEATDESK_HEALING=false: nothing is put back by itself, Beat does not wait for it, and it is
said.
"""

from scheduler.clock import utc_now
from scheduler.healing import startup_check
from scheduler.health import doctor
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec, every
from tests.support.healing.house import House
from tests.support.processes import start_recorder
from tests.support.waiting import stays, wait_for


def test_what_is_lost_stays_lost_until_somebody_rebuilds(house: House, settings) -> None:
    house.services.schedules.create(
        a_spec("job", JOB, when=every(3600)), edit=Edit(actor="ada", now=utc_now())
    )
    start_recorder(settings.model_copy(update={"healing": False}))
    wait_for(
        lambda: len(house.services.history.changes(limit=9).items) == 1, 20, "the history knows it"
    )
    house.services.redis.delete(keys.entry("job"))
    house.services.redis.zrem(keys.SCHEDULE_ZSET, keys.entry("job"))
    stays(lambda: house.services.schedules.names() == [], 5, "nothing comes back")
    assert house.services.redis.get(keys.HEALER_LOCK) is None
    assert [repair.name for repair in house.healer.run_once(utc_now())] == ["job"]
    assert house.services.schedules.names() == ["job"]


def test_beat_is_told_to_go_on(house: House, settings) -> None:
    start_recorder(settings.model_copy(update={"healing": False}))
    wait_for(lambda: house.services.redis.exists(keys.RECORDERS_HASH), 20, "the recorder is known")
    assert startup_check.wait_until_checked(house.services.redis, startup_check.LONGEST) is True


def test_the_doctor_says_so(settings) -> None:
    off = doctor.healing(settings.model_copy(update={"healing": False}))
    assert (off.ok, "switched off by BEATDESK_HEALING" in off.summary) == (True, True)
    assert doctor.healing(settings).summary == "on"
