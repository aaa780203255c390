"""Times as people say them, on the clock of the schedule that is meant."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.clock import utc_now

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def tokyo(beatdesk):
    """The commands, with a schedule whose clock is Tokyo's."""
    beatdesk.done(
        "schedules", "add", "n", "demo.plain", "--cron", "0 8 * * *", "--tz", "Asia/Tokyo"
    )
    return beatdesk


def local(text: str) -> datetime:
    """An instant of the JSON on Tokyo's clock."""
    return datetime.fromisoformat(text).astimezone(TOKYO)


def test_a_pause_ends_at_a_time_on_the_schedules_clock(tokyo):
    until = local(
        tokyo.json("schedules", "pause", "n", "--reason", "x", "--until", "monday 8:30")["paused"][
            "until"
        ]
    )
    assert (f"{until:%A %H:%M:%S}", until > utc_now(), until - utc_now() <= timedelta(days=7)) == (
        "Monday 08:30:00",
        True,
        True,
    )
    until = local(
        tokyo.json("schedules", "pause", "n", "--reason", "x", "--until", "3 days")["paused"][
            "until"
        ]
    )
    assert timedelta(days=2, hours=23) < until - utc_now() <= timedelta(days=3)


def test_a_tick_is_skipped_by_its_time_of_day(tokyo):
    tick = local(tokyo.json("schedules", "skip", "n", "--tick", "8:00")["tick"])
    assert (f"{tick:%H:%M}", tick > utc_now()) == ("08:00", True)


def test_a_backfill_goes_from_a_day_to_another(tokyo):
    body = tokyo.json(
        "schedules", "backfill", "n", "--from", "yesterday 0:00", "--to", "today 0:00", "--dry-run"
    )
    assert [f"{local(tick):%H:%M}" for tick in body["ticks"]] == ["08:00"]


def tomorrow_at_seven() -> datetime:
    """As it is at this moment in Tokyo."""
    return (utc_now().astimezone(TOKYO) + timedelta(days=1)).replace(
        hour=7, minute=0, second=0, microsecond=0
    )


def test_a_one_off_is_made_for_tomorrow_in_a_zone(tokyo):
    before = tomorrow_at_seven()
    body = tokyo.json(
        "schedules", "add", "once", "demo.plain", "--at", "tomorrow 7:00", "--tz", "Asia/Tokyo"
    )
    assert local(body["when"]["at"]) in {before, tomorrow_at_seven()}


def test_a_schedule_begins_and_ends_on_its_own_clock(tokyo):
    body = tokyo.json(
        "schedules", "edit", "n", "--starts-at", "tomorrow 0:00", "--ends-at", "30 days"
    )
    assert f"{local(body['window']['starts_at']):%H:%M}" == "00:00"


@pytest.mark.parametrize(
    ("text", "why"), [("monday", "is not a time"), ("25:00", "is not a time of day")]
)
def test_what_is_no_time_names_the_field_the_value_and_the_remedy(tokyo, text, why):
    error = tokyo.refused_json("schedules", "pause", "n", "--reason", "x", "--until", text)
    assert error["field"] == "until"
    assert error["error"].startswith(f"until: {text!r} {why}; write ")
