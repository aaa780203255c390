"""Exclusion calendars that Redis has lost come back, before the schedules that name them; edits and
deletions stand.
"""

from typing import Any

import pytest
from sqlalchemy import delete

from scheduler.clock import utc_now
from scheduler.history.models import CalendarRevision
from scheduler.rules.calendars.text import calendar_of, lines_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Window
from scheduler.storage import keys
from tests.support.healing.house import House, an_hour_ago


def save(
    house: House, lines: list[str], revision: int | None = None, name: str = "holidays"
) -> None:
    calendar = calendar_of(name, lines, timezone="Europe/Berlin")
    house.services.calendars.save(
        calendar, revision=revision, edit=Edit(actor="ada", now=an_hour_ago())
    )
    house.record()


def shown(house: House, name: str = "holidays") -> tuple[int, list[str]]:
    saved = house.services.calendars.get(name)
    return saved.revision, lines_of(saved)


def told(house: House) -> list[tuple[str, str, int]]:
    house.record()
    return [
        (one.action, one.actor, one.revision)
        for one in house.services.calendar_history.revisions("holidays")
    ]


def test_an_emptied_redis_gets_its_calendars_back_with_the_schedules_that_name_them(
    house: House,
) -> None:
    save(house, ["sat-sun"])
    save(house, ["sat-sun", "2026-12-24..2026-12-26 Christmas"], 1)
    house.saved(window=Window(calendar="holidays"))
    before = house.services.calendars.get("holidays")
    house.services.redis.flushall()
    done = house.heal()
    assert [(repair.name, repair.why) for repair in done] == [
        ("calendar holidays", "it was gone from Redis"),
        ("nightly-report", "it was gone from Redis"),
    ]
    assert house.services.calendars.get("holidays") == before
    assert house.services.schedules.listed("nightly-report").calendar == before.calendar()
    assert told(house)[0] == ("healed", "beatdesk", 2)
    assert "calendar holidays" in house.services.notices.recent(utc_now())[0].text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (keys.CALENDARS_HASH, "{"),
        (keys.CALENDARS_HASH, None),
        (keys.CALENDAR_VERSIONS_HASH, None),
        (keys.CALENDAR_VERSIONS_HASH, "0"),
    ],
)
def test_what_was_damaged_is_put_back_as_it_was_saved(
    house: House, key: str, text: str | None
) -> None:
    save(house, ["sat-sun"])
    assert house.healer.run_once(utc_now()) == []
    if text is None:
        house.services.redis.hdel(key, "holidays")
    else:
        house.services.redis.hset(key, "holidays", text)
    if (key, text) == (
        keys.CALENDARS_HASH,
        "{",
    ):  # behind the back of its fingerprint: a look that trusts none
        house.healer = house.another()
    assert [repair.name for repair in house.heal()] == ["calendar holidays"]
    assert shown(house) == (1, ["sat-sun"])
    assert house.services.calendars.existing(["holidays"]).keys() == {"holidays"}


def test_a_redis_that_was_set_back_gets_the_later_edit_and_loses_what_was_deleted(
    house: House,
) -> None:
    save(house, ["sat"])
    save(house, ["sun"], name="other")
    set_back = house.copy()
    save(house, ["sat-sun"], 1)
    house.services.calendars.delete("other", edit=Edit(actor="ada", now=utc_now()))
    house.record()
    set_back()
    whys = {repair.name: repair.why for repair in house.heal()}
    assert whys == {
        "calendar holidays": "Redis had an older copy, of revision 1",
        "calendar other": "it came back with an older copy of Redis",
    }
    assert (shown(house), house.services.calendars.names()) == ((2, ["sat-sun"]), ["holidays"])


def test_edits_and_deletions_stand(house: House) -> None:
    save(house, ["sat"])
    assert house.healer.run_once(utc_now()) == []
    save(house, ["sun"], 1)
    assert house.healer.run_once(utc_now()) == []
    house.services.calendars.delete("holidays", edit=Edit(actor="ada", now=utc_now()))
    house.record()
    assert house.healer.run_once(utc_now()) == []
    save(house, ["mon"])
    assert house.healer.run_once(utc_now()) == []
    assert shown(house) == (1, ["mon"])


def test_a_history_that_lost_the_calendars_is_told_of_them(house: House) -> None:
    save(house, ["sat-sun"])
    assert house.healer.run_once(utc_now()) == []
    with house.services.engine.begin() as connection:
        connection.execute(delete(CalendarRevision))
    assert [repair.done for repair in house.heal()] == ["recovered for the history"]
    assert told(house) == [("recovered", "ada", 1)]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(house: House) -> None:
    save(house, ["sat-sun"])
    house.services.redis.flushall()
    found: Any = house.another().calendar_findings()
    assert [(one.name, one.planned) for one in found] == [
        ("calendar holidays", "put back as it was saved")
    ]
    assert house.services.calendars.names() == []
