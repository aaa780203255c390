"""Schedules in words."""

import pytest
from hypothesis import given

from scheduler.rules.explain.words import describe, duration
from scheduler.rules.model.spec import (
    OnceWhen,
    RedBeatWhen,
    RruleWhen,
    When,
)
from tests.support.builders import at, cron, every
from tests.support.rules.whens import whens


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
        (
            "*/15 9-17 * * 1-5",
            "UTC",
            "Every 15 minutes, 09:00 to 17:59, Monday through Friday (UTC)",
        ),
        ("0 9-17 * * *", "UTC", "On the hour, 09:00 to 17:59 (UTC)"),
    ],
)
def test_crontabs_in_words(text: str, zone: str, words: str) -> None:
    assert describe(cron(text, zone)) == words


def test_two_day_fields_are_joined_by_and_as_celery_joins_them() -> None:
    assert (
        describe(cron("0 0 13 * fri")) == "At 00:00, on day 13 of the month if it is Friday (UTC)"
    )
    assert (
        describe(cron("0 0 1-7 * mon"))
        == "At 00:00, on days 1 through 7 of the month that are also Monday (UTC)"
    )


@pytest.mark.parametrize(
    ("text", "day_match", "words"),
    [
        ("@daily", "and", "At 00:00 (UTC)"),
        ("0 0 L * *", "and", "At 00:00, on the last day of the month (UTC)"),
        ("0 0 15,L * *", "and", "At 00:00, on day 15 and on the last day of the month (UTC)"),
        ("0 0 L * fri", "and", "At 00:00, on the last day of the month if it is Friday (UTC)"),
        ("0 0 * * 5L", "and", "At 00:00, on the last Friday of the month (UTC)"),
        ("0 0 * * mon#2", "and", "At 00:00, on the second Monday of the month (UTC)"),
        (
            "0 0 * * tue,mon#2",
            "and",
            "At 00:00, on Tuesday and the second Monday of the month (UTC)",
        ),
        (
            "0 0 1-7 * 5L,mon#1",
            "and",
            "At 00:00, on days 1 through 7 of the month that are also the first Monday or the "
            "last Friday (UTC)",
        ),
        ("0 0 13 * fri", "or", "At 00:00, on day 13 of the month or on Friday (UTC)"),
        (
            "0 0 L * mon-wed",
            "or",
            "At 00:00, on the last day of the month or on Monday through Wednesday (UTC)",
        ),
        ("0 0 13 * *", "or", "At 00:00, on day 13 of the month (UTC)"),
        ("0 6 ? * 1-7", "and", "At 06:00 (UTC)"),
    ],
)
def test_the_wider_dialect_in_words(text: str, day_match: str, words: str) -> None:
    assert describe(cron(text, day_match=day_match)) == words


def test_an_h_in_words_is_its_place() -> None:
    assert describe(cron("H 6 * * *", resolved="17 6 * * *")) == "At 06:17 (UTC)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY", "Every day, at 09:30 (UTC)"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
            "Every 2 weeks on Monday and Friday, at 09:30 (UTC)",
        ),
        (
            "FREQ=MONTHLY;BYDAY=2MO;BYHOUR=6,18;BYMINUTE=0",
            "Every month on the second Monday of the month, at 06:00 and 18:00 (UTC)",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=15,-1",
            "Every month on day 15 and the last day of the month, at 09:30 (UTC)",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "Every month on Monday through Friday, at 09:30, only the last of these (UTC)",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
            "Every month on day 13 of the month and on Friday, at 09:30 (UTC)",
        ),
        (
            "FREQ=YEARLY;COUNT=3",
            "Every year on day 5 of the month, in January, at 09:30, 3 times from 2026-01-05 on "
            "(UTC)",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=20;UNTIL=20301231T120000",
            "Every year in week 20, at 09:30, until 2030-12-31 12:00 (UTC)",
        ),
        (
            "FREQ=YEARLY;BYYEARDAY=100,-1",
            "Every year on the last and 100th day of the year, at 09:30 (UTC)",
        ),
        ("FREQ=HOURLY;INTERVAL=3", "Every 3 hours, at 30 minutes past the hour (UTC)"),
        ("FREQ=MINUTELY;INTERVAL=7;BYHOUR=9,10", "Every 7 minutes, in the hours 09 and 10 (UTC)"),
    ],
)
def test_rrules_in_words(text: str, words: str) -> None:
    assert describe(RruleWhen(rrule=text, dtstart=at("2026-01-05T09:30Z"))) == words


def test_a_one_off_in_words() -> None:
    assert describe(OnceWhen(at=at("2026-12-24T18:00Z"))) == "Once, at 2026-12-24 18:00:00 UTC"


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
    assert (
        describe(RedBeatWhen(schedule={"__type__": "rrule", "freq": 3})) == "A RedBeat rrule, daily"
    )
    assert describe(RedBeatWhen(schedule={"__type__": "rrule", "freq": "x"})) == "A RedBeat rrule"
    rounded = RedBeatWhen(schedule={"__type__": "interval", "every": 60.0, "relative": True})
    assert describe(rounded) == "Every minute, rounded by RedBeat"


@given(when=whens)
def test_everything_that_can_be_read_has_words(when: When) -> None:
    words = describe(when)
    assert words[0].isupper()
    assert not words.endswith(".")
