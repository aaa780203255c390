"""The crontab dialect beyond Celery's, and that it changes nothing of Celery's own."""

from collections import Counter
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import BadExpression
from scheduler.rules.crontab import dialect
from scheduler.rules.crontab import fields as celerys
from scheduler.rules.ticks import next_ticks, ticks_between
from tests.support.builders import NOON, at, cron
from tests.support.rules.whens import TOKENS, expressions

UID = "0b2d4c55-5f0e-4a8f-9d5e-0d6c2f7c8f11"
UIDS = [str(uuid5(NAMESPACE_URL, str(number))) for number in range(400)]
WORDS = st.text(alphabet="adefhijlmnorstuw-/,12", min_size=1, max_size=7) | st.sampled_from(
    ["july", "jul-aug", "apr-jul/2", "Friday", "wed,FRI", "sat-tue", "hello", "l", "h", "w"]
)
"""Words with every letter that the wider dialect uses, but for capitals and `#`."""


def days(text: str, day_match: str = "and", n: int = 4) -> list[str]:
    """The days of the next ticks, month and day."""
    return [f"{tick:%m-%d}" for tick in next_ticks(cron(text, day_match=day_match), NOON, n)]


@given(position=st.integers(0, 4), token=TOKENS | WORDS)
def test_what_celery_accepts_means_what_it_means_in_celery(position: int, token: str) -> None:
    texts = ["0", "0", "*", "*", "*"]
    texts[position] = token
    text = " ".join(texts)
    try:
        theirs = celerys.parse(text)
    except BadExpression:
        return
    assert dialect.parse(text) == theirs
    assert dialect.resolve(text, UID) == text
    assert dialect.settle(cron(text), UID) == cron(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        (" @Weekly ", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * fri-7", "0 0 * * fri-sun"),
        ("0 0 * * 1-7/2", "0 0 * * 0,1,3,5"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 * * 7-2", "0 0 * * 0-2"),
        ("0 0 * * 7,3", "0 0 * * 0,3"),
        ("0 0 ? * ?", "0 0 * * *"),
        ("0 0 13 * ?", "0 0 13 * *"),
        ("0\u00a00\t*\u2003* *", "0 0 * * *"),
    ],
)
def test_other_ways_to_write_what_celery_can_say(text: str, same: str) -> None:
    ours, theirs = dialect.parse(text), celerys.parse(same)
    assert (ours.minutes, ours.hours, ours.months) == (theirs.minutes, theirs.hours, theirs.months)
    assert ours.day_masks == theirs.day_masks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 L * *", ["11-30", "12-31", "01-31", "02-28"]),
        ("0 0 15,L * *", ["11-30", "12-15", "12-31", "01-15"]),
        ("0 0 * * 5L", ["11-27", "12-25", "01-29", "02-26"]),
        ("0 0 * * friL", ["11-27", "12-25", "01-29", "02-26"]),
        ("0 0 * * 7L", ["11-29", "12-27", "01-31", "02-28"]),
        ("0 0 * * mon#2", ["12-14", "01-11", "02-08", "03-08"]),
        ("0 0 * * 1#2,5L", ["11-27", "12-14", "12-25", "01-11"]),
        ("0 0 * * tue#5", ["12-29", "03-30", "06-29", "08-31"]),
        ("0 0 L * sun", ["01-31", "02-28", "10-31", "04-30"]),
        ("0 0 L 2 *", ["02-28", "02-29", "02-28", "02-28"]),
    ],
)
def test_days_that_are_counted_from_an_end(text: str, expected: list[str]) -> None:
    assert days(text) == expected


def test_the_last_and_the_nth_weekday_are_right_in_every_month_of_a_century() -> None:
    last = {
        tick.date()
        for tick in ticks_between(
            cron("0 0 * * 3L"), at("1999-12-31T00:00Z"), at("2100-01-01T00:00Z")
        )
    }
    third = {
        tick.date()
        for tick in ticks_between(
            cron("0 0 * * wed#3"), at("1999-12-31T00:00Z"), at("2100-01-01T00:00Z")
        )
    }
    assert len(last) == len(third) == 101 * 12 - 12
    assert all(day.weekday() == 2 and (day + timedelta(days=7)).month != day.month for day in last)
    assert all(day.weekday() == 2 and 15 <= day.day <= 21 for day in third)


@pytest.mark.parametrize(
    ("text", "both", "either"),
    [
        (
            "0 0 13 * fri",
            ["08-13", "10-13", "04-13", "07-13"],
            ["11-27", "12-04", "12-11", "12-13"],
        ),
        ("0 0 1 * mon", ["02-01", "03-01", "11-01", "05-01"], ["11-23", "11-30", "12-01", "12-07"]),
        ("0 0 L * mon#1", None, ["11-30", "12-07", "12-31", "01-04"]),
        ("0 0 30 2 mon", None, ["02-01", "02-08", "02-15", "02-22"]),
        (
            "0 0 */10 * mon",
            ["12-21", "01-11", "02-01", "03-01"],
            ["12-21", "01-11", "02-01", "03-01"],
        ),
        ("0 0 13 * *", ["12-13", "01-13", "02-13", "03-13"], ["12-13", "01-13", "02-13", "03-13"]),
        ("0 0 ? * fri", ["11-27", "12-04", "12-11", "12-18"], ["11-27", "12-04", "12-11", "12-18"]),
    ],
)
def test_both_readings_of_two_day_fields(
    text: str, both: list[str] | None, either: list[str]
) -> None:
    """`or` is Vixie cron's rule: a field that begins with `*` restricts nothing that it could
    widen.
    """
    assert days(text, "or") == either
    if both is None:
        with pytest.raises(BadExpression, match="never fires"):
            dialect.parse(text)
    else:
        assert days(text, "and") == both


@given(text=expressions, seconds=st.integers(0, 10**9))
def test_or_is_vixie_crons_reading(text: str, seconds: int) -> None:
    after = at("2000-01-01T00:00Z") + timedelta(seconds=seconds)
    parsed = dialect.parse(text, "or")
    values = (
        parsed.minutes,
        parsed.hours,
        sorted(parsed.days),
        sorted(parsed.months),
        sorted(parsed.weekdays),
    )
    # written out, because cron reads `5-5/2` as every second value from 5 on
    same = [
        w if w.startswith("*") else ",".join(map(str, v))
        for w, v in zip(parsed.texts, values, strict=True)
    ]
    theirs = CronSim(" ".join(same), after)
    assert next_ticks(cron(text, day_match="or"), after, 3) == [next(theirs) for _ in range(3)]


def places(text: str) -> list[tuple[int, ...]]:
    """The minutes that many schedules get."""
    return [dialect.parse(dialect.resolve(text, uid)).minutes for uid in UIDS]


def test_h_is_one_place_of_each_field_and_spreads_by_schedule() -> None:
    found = Counter(places("H * * * *"))
    assert all(len(minutes) == 1 for minutes in found)
    assert len(found) > 55
    assert max(found.values()) < 20


def test_h_keeps_to_its_range() -> None:
    assert {minutes[0] for minutes in places("H(10-14) * * * *")} == {10, 11, 12, 13, 14}
    parsed = [dialect.parse(dialect.resolve("0 0 H H H", uid)) for uid in UIDS]
    assert {day for each in parsed for day in each.days} == set(range(1, 29))
    assert {month for each in parsed for month in each.months} == set(range(1, 13))
    assert {day for each in parsed for day in each.weekdays} == set(range(7))
    named = [dialect.parse(dialect.resolve("0 0 * H(jun-aug) H(mon-fri)", uid)) for uid in UIDS]
    assert {day for each in named for day in each.weekdays} == {1, 2, 3, 4, 5}
    assert {month for each in named for month in each.months} == {6, 7, 8}


def test_h_with_a_step_begins_within_the_first_step() -> None:
    for minutes in places("H/15 * * * *"):
        assert minutes == tuple(range(minutes[0], 60, 15))
        assert minutes[0] < 15
    for minutes in places("H(10-30)/7 * * * *"):
        assert minutes == tuple(range(minutes[0], 31, 7))
        assert 10 <= minutes[0] < 17
    assert {minutes[0] for minutes in places("H/15 * * * *")} == set(range(15))


def test_a_place_is_stable_for_ever() -> None:
    """Schedules are saved with it: another hash would move them."""
    assert dialect.resolve("H H * * *", UID) == "51 17 * * *"
    assert dialect.resolve("H/20 H(0-5) H * H", UID) == "11-59/20 5 5 * 5"
    assert (
        dialect.resolve("H 6 * * *", UID).split()[0] == dialect.resolve("H H * * *", UID).split()[0]
    )


def test_both_the_written_and_the_resolved_expression_are_kept() -> None:
    settled = dialect.settle(cron("H 6 * * *"), UID)
    assert settled.crontab == "H 6 * * *"
    assert settled.resolved == dialect.resolve("H 6 * * *", UID)
    assert dialect.settle(settled, UID) == settled
    assert next_ticks(settled, NOON, 3) == next_ticks(cron(settled.resolved or ""), NOON, 3)


def test_an_expression_without_h_forgets_the_place_it_had() -> None:
    stale = cron("0 6 * * *", resolved="17 6 * * *")
    assert dialect.settle(stale, UID).resolved is None
    assert next_ticks(stale, NOON, 1) == [at("2026-11-22T06:00Z")]


def test_an_h_without_a_place_is_not_guessed() -> None:
    with pytest.raises(BadExpression, match="no place before the schedule is saved"):
        next_ticks(cron("H 6 * * *"), NOON, 1)
