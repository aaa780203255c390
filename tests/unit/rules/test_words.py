"""Schedules in words."""

import pytest
from hypothesis import given

from scheduler.rules.spec import CrontabWhen, RedBeatWhen
from scheduler.rules.words import describe, duration
from tests.support.builders import cron, every
from tests.unit.rules.test_ticks_properties import crontabs


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("*/5 * * * *", "Europe/Berlin", "Every 5 minutes"),
        ("0-59/5 * * * *", "UTC", "Every 5 minutes"),
        ("* * * * *", "UTC", "Every minute"),
        ("0 * * * *", "UTC", "Every hour"),
        ("1 * * * *", "UTC", "At 1 minute past every hour"),
        ("0,25 * * * *", "UTC", "At 0 and 25 minutes past every hour"),
        ("0 6 * * mon-fri", "Europe/Berlin", "At 06:00, Monday through Friday (Europe/Berlin)"),
        ("0 6,18 * * *", "UTC", "At 06:00 and 18:00 (UTC)"),
        ("0 6 * * sun,sat", "UTC", "At 06:00, Saturday and Sunday (UTC)"),
        ("0 0 1 * *", "UTC", "At 00:00, on day 1 of the month (UTC)"),
        (
            "0 0 1,15 1-3,12 *",
            "UTC",
            "At 00:00, on days 1 and 15 of the month, in January through March and December (UTC)",
        ),
        ("0 */2 * * *", "UTC", "Every 2 hours (UTC)"),
        ("5 */2 * * *", "UTC", "Every 2 hours at 5 minutes past (UTC)"),
        ("*/15 9-17 * * 1-5", "UTC", "Every 15 minutes, 09:00 to 17:59, Monday through Friday (UTC)"),
        ("0 9-17 * * *", "UTC", "On the hour, 09:00 to 17:59 (UTC)"),
    ],
)
def test_crontabs_in_words(text: str, zone: str, words: str) -> None:
    assert describe(cron(text, zone)) == words


def test_two_day_fields_are_joined_by_and_as_celery_joins_them() -> None:
    assert describe(cron("0 0 13 * fri")) == "At 00:00, on day 13 of the month if it is Friday (UTC)"
    assert describe(cron("0 0 1-7 * mon")) == "At 00:00, on days 1 through 7 of the month that are also Monday (UTC)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "second"),
        (60, "minute"),
        (90, "90 seconds"),
        (3600, "hour"),
        (7200, "2 hours"),
        (86400, "day"),
        (604800, "week"),
        (1.5, "1.5 seconds"),
    ],
)
def test_intervals_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
    assert describe(every(seconds)) == f"Every {words}"


def test_what_only_redbeat_computes_is_named() -> None:
    assert describe(RedBeatWhen(schedule={"__type__": "rrule", "freq": 3})) == "A RedBeat rrule, daily"
    assert describe(RedBeatWhen(schedule={"__type__": "rrule", "freq": "x"})) == "A RedBeat rrule"
    rounded = RedBeatWhen(schedule={"__type__": "interval", "every": 60.0, "relative": True})
    assert describe(rounded) == "Every minute, rounded by RedBeat"


@given(when=crontabs)
def test_everything_that_can_be_read_has_words(when: CrontabWhen) -> None:
    words = describe(when)
    assert words[0].isupper()
    assert not words.endswith(".")
