"""Recurrence rules: examples for people, and agreement with python-dateutil over random ones."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from scheduler.errors import BadExpression
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick, next_ticks, ticks_between
from tests.support.builders import NOON, at

START = at("2026-01-05T09:30Z")  # a Monday


def rrule(text: str, start: datetime = START, timezone: str = "UTC") -> RruleWhen:
    return RruleWhen(rrule=text, dtstart=start, timezone=timezone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=DAILY", ["11-22T09:30", "11-23T09:30"]),
        ("RRULE:FREQ=DAILY;BYHOUR=6,18;BYMINUTE=0", ["11-21T18:00", "11-22T06:00"]),
        ("freq=weekly;byday=fr", ["11-27T09:30", "12-04T09:30"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", ["11-23T09:30", "11-25T09:30", "12-07T09:30"]),
        ("FREQ=MONTHLY;BYDAY=2MO", ["12-14T09:30", "01-11T09:30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["11-30T09:30", "12-31T09:30"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            ["11-30T09:30", "12-31T09:30", "01-29T09:30"],
        ),
        ("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", ["03-28T09:30", "03-26T09:30"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", ["01-04T09:30", "01-03T09:30"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", ["12-31T09:30", "12-31T09:30"]),
        ("FREQ=HOURLY;INTERVAL=5", ["11-21T14:30", "11-21T19:30", "11-22T00:30"]),
        ("FREQ=MINUTELY;INTERVAL=45;BYHOUR=12", ["11-21T12:30", "11-22T12:30"]),
        ("FREQ=DAILY;UNTIL=20261122", ["11-22T09:30"]),
        ("FREQ=DAILY;UNTIL=20261122T093000Z", ["11-22T09:30"]),
        ("FREQ=DAILY;UNTIL=20261122T092959", []),
        ("FREQ=MONTHLY;COUNT=12", ["12-05T09:30"]),
    ],
)
def test_rules_and_their_next_ticks(text: str, expected: list[str]) -> None:
    ticks = next_ticks(rrule(text), at("2026-11-21T11:59:59Z"), max(len(expected), 1))
    assert [f"{tick:%m-%dT%H:%M}" for tick in ticks] == expected


def test_an_end_in_utc_is_that_moment_whatever_the_zone_of_the_rule() -> None:
    ends_with_a_tick = rrule("FREQ=DAILY;UNTIL=20261123T093000Z", timezone="Europe/Berlin")
    assert next_ticks(ends_with_a_tick, NOON, 9) == [
        at("2026-11-22T09:30Z"),
        at("2026-11-23T09:30Z"),
    ]


def test_nothing_comes_before_the_start() -> None:
    assert next_tick(rrule("FREQ=DAILY"), START - timedelta(days=400)) == START
    assert next_tick(rrule("FREQ=DAILY;BYHOUR=6"), START - timedelta(days=400)) == at(
        "2026-01-06T06:30Z"
    )
    assert next_tick(rrule("FREQ=DAILY"), START) == START + timedelta(days=1)


def test_the_zone_is_a_real_one_and_the_clock_changes_as_for_a_crontab() -> None:
    start = at("2026-01-05T01:30Z")
    daily = next_ticks(rrule("FREQ=DAILY", start, "Europe/Berlin"), at("2027-03-26T12:00Z"), 3)
    assert daily == [at("2027-03-27T01:30Z"), at("2027-03-28T01:00Z"), at("2027-03-29T00:30Z")]
    autumn = next_ticks(rrule("FREQ=DAILY", start, "Europe/Berlin"), at("2027-10-30T12:00Z"), 2)
    assert autumn == [at("2027-10-31T00:30Z"), at("2027-11-01T01:30Z")]
    hourly = next_ticks(rrule("FREQ=HOURLY", start, "Europe/Berlin"), at("2027-03-27T23:00Z"), 4)
    hourly += next_ticks(rrule("FREQ=HOURLY", start, "Europe/Berlin"), at("2027-10-30T22:00Z"), 5)
    assert {later - earlier for earlier, later in pairwise(hourly)} - {hourly[4] - hourly[3]} == {
        timedelta(hours=1)
    }


def test_a_rule_that_began_long_ago_and_one_that_is_rare_are_found() -> None:
    old = rrule("FREQ=MINUTELY;INTERVAL=7", at("1990-01-01T00:00Z"))
    assert next_tick(old, NOON) == at("1990-01-01T00:00Z") + timedelta(minutes=7) * (
        (NOON - at("1990-01-01T00:00Z")) // timedelta(minutes=7) + 1
    )
    rare = rrule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO")
    assert next_tick(rare, at("2072-03-01T00:00Z")) == at("2112-02-29T09:30Z")


numbers = st.integers(1, 3)


def lists(values: list[Any], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(
        lambda chosen: ",".join(map(str, chosen))
    )


PLAIN_DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
NTH_DAYS = ["1MO", "2TU", "-1FR", "3SU", "-2WE"]
FIXED = {
    "BYMONTH": lists(list(range(1, 13))),
    "BYMONTHDAY": lists([1, 2, 13, 28, 29, 30, 31, -1, -2, -31]),
    "BYHOUR": lists(list(range(24))),
    "BYMINUTE": lists(list(range(60))),
    "BYSECOND": lists([0, 1, 30, 59], 2),
}
EXTRA: dict[str, dict[str, st.SearchStrategy[str]]] = {
    # not mixed: dateutil wants `MO,1MO` to be both, RFC 5545 either
    "YEARLY": {
        "BYDAY": lists(PLAIN_DAYS) | lists(NTH_DAYS),
        "BYYEARDAY": lists([1, 59, 60, 200, 365, 366, -1, -366]),
    },
    "MONTHLY": {"BYDAY": lists(PLAIN_DAYS) | lists(NTH_DAYS), "BYSETPOS": lists([1, 2, -1, 5])},
    "WEEKLY": {"BYDAY": lists(PLAIN_DAYS), "WKST": st.sampled_from(["MO", "SU", "TH"])},
    "DAILY": {"BYDAY": lists(PLAIN_DAYS)},
    "HOURLY": {"BYDAY": lists(PLAIN_DAYS)},
    "MINUTELY": {"BYDAY": lists(PLAIN_DAYS)},
}


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(list(EXTRA)))
    possible = {**FIXED, **EXTRA[frequency]}
    if frequency in ("HOURLY", "MINUTELY"):
        del possible["BYSECOND"]
    names = draw(st.lists(st.sampled_from(list(possible)), max_size=3, unique=True))
    if "BYSETPOS" in names and not any(
        name.startswith("BY") and name != "BYSETPOS" for name in names
    ):
        names.remove("BYSETPOS")
    parts = [
        f"FREQ={frequency}",
        f"INTERVAL={draw(numbers)}",
        *(f"{name}={draw(possible[name])}" for name in names),
    ]
    if draw(st.integers(0, 4)) == 0:
        parts.append(f"COUNT={draw(st.integers(1, 30))}")
    return ";".join(parts)


def never_fires(text: str, start: datetime) -> bool:
    """Whether the rule is refused for that reason; no other is expected of these."""
    try:
        recurrence_text.parse(rrule(text, start))
    except BadExpression as error:
        return "never fires" in str(error)
    return False


def by_dateutil(text: str, start: datetime, after: datetime, until: datetime) -> list[datetime]:
    """The first forty ticks in (after, until]."""
    walls = rrulestr(text, dtstart=start.replace(tzinfo=None)).xafter(
        after.replace(tzinfo=None), inc=False
    )
    return [
        wall.replace(tzinfo=UTC)
        for wall in islice(takewhile(lambda wall: wall <= until.replace(tzinfo=None), walls), 40)
    ]


@settings(max_examples=150, deadline=None)
@given(text=rules(), days=st.integers(0, 3000), ahead=st.integers(0, 400))
@example(text="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", days=1, ahead=0)
@example(text="FREQ=YEARLY;INTERVAL=3;BYDAY=1MO,-1FR", days=0, ahead=0)
@example(text="FREQ=MONTHLY;BYDAY=-2WE,2TH,-5SA", days=0, ahead=0)
@example(text="FREQ=YEARLY;BYDAY=-2WE,20MO", days=0, ahead=0)
@example(text="FREQ=MINUTELY;INTERVAL=3;BYHOUR=23;COUNT=30", days=0, ahead=0)
def test_agrees_with_dateutil(text: str, days: int, ahead: int) -> None:
    start = START + timedelta(days=days)
    assume(not never_fires(text, start))
    fine = (
        "MINUTELY" in text or "HOURLY" in text
    )  # dateutil goes through all of these from the start
    after = start + timedelta(days=ahead % 3 if fine else ahead, seconds=-1)
    until = after + timedelta(days=3 if fine else 800)
    expected = by_dateutil(text, start, after, until)
    assert (
        list(
            islice(
                ticks_between(rrule(text, start), after, expected[-1] if expected else until), 100
            )
        )
        == expected
    )


@st.composite
def rules_that_seldom_meet_their_times(draw: st.DrawFn) -> str:
    """Hourly or minutely ones whose interval brings them to the hour that they ask for once in
    weeks or years.
    """
    frequency, most = draw(st.sampled_from([("HOURLY", 2000), ("MINUTELY", 10_000)]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(300, most))}"]
    parts.append(f"BYHOUR={draw(lists(list(range(24)), 2))}")
    if frequency == "MINUTELY":
        parts.append(f"BYMINUTE={draw(lists(list(range(60)), 2))}")
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(lists(list(range(1, 13))))}")
    return ";".join(parts)


@settings(max_examples=150, deadline=None)
@given(text=rules_that_seldom_meet_their_times(), days=st.integers(0, 3000))
@example(text="FREQ=MINUTELY;INTERVAL=1439;BYHOUR=9;BYMINUTE=30", days=0)
@example(text="FREQ=HOURLY;INTERVAL=1009;BYHOUR=9", days=1)
def test_a_rule_that_seldom_meets_its_times_agrees_with_going_through_all(
    text: str, days: int
) -> None:
    after, until = START + timedelta(days=days), START + timedelta(days=days + 5 * 366)
    parts = dict(part.split("=") for part in text.split(";"))
    every = timedelta(
        **{"hours" if parts["FREQ"] == "HOURLY" else "minutes": int(parts["INTERVAL"])}
    )
    wanted = {
        name: {int(value) for value in parts[name].split(",")}
        for name in parts
        if name.startswith("BY")
    }
    begun = START + every * -((START - after) // every)
    times = takewhile(lambda tick: tick <= until, (begun + every * n for n in range(10**6)))
    met = [
        tick
        for tick in times
        if tick > after
        and tick.hour in wanted["BYHOUR"]
        and tick.minute in wanted.get("BYMINUTE", {tick.minute})
        and tick.month in wanted.get("BYMONTH", {tick.month})
    ]
    try:
        found = list(ticks_between(rrule(text), after, until))
    except BadExpression:
        found = []
    assert found == met


@settings(max_examples=200)
@given(
    text=rules(),
    days=st.integers(0, 3000),
    ahead=st.integers(0, 10**7),
    length=st.integers(0, 10**6),
)
def test_the_newest_tick_and_the_count_agree_with_going_through_all(
    text: str, days: int, ahead: int, length: int
) -> None:
    when = rrule(text, START + timedelta(days=days), "Europe/Berlin")
    try:
        recurrence_text.parse(when)
    except BadExpression:
        return
    after = START + timedelta(days=days, seconds=ahead)
    until = after + timedelta(seconds=length if "MINUTELY" not in text else length // 20)
    ticks = []
    tick = next_tick(when, after)
    while tick is not None and tick <= until and len(ticks) < 500:
        ticks.append(tick)
        tick = next_tick(when, tick)
    until = ticks[-1] if len(ticks) == 500 else until
    assert list(ticks_between(when, after, until)) == ticks
    assert count_ticks(when, after, until, 10**6) == len(ticks)
    assert latest_tick(when, after, until) == (ticks[-1] if ticks else None)
    assert describe(when)[0].isupper()


WRONG = [
    ("", "is not a part of a rrule"),
    ("DAILY", "'DAILY' is not a part"),
    ("FREQ=", "is not a part"),
    ("INTERVAL=2", "needs its frequency"),
    ("FREQ=OFTEN", "FREQ=OFTEN cannot be used; known are YEARLY"),
    ("FREQ=SECONDLY", "use an interval"),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 cannot be used; a whole number from 1"),
    ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1"),
    ("FREQ=DAILY;INTERVAL=99999999999999999", "INTERVAL=9999"),
    ("FREQ=DAILY;COUNT=0", "COUNT=0"),
    ("FREQ=DAILY;COUNT=100001", "from 1 to 10000"),
    ("FREQ=DAILY;COUNT=2;UNTIL=20301231", "exclude each other"),
    ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL=TOMORROW is not a moment"),
    ("FREQ=DAILY;UNTIL=20261301", "UNTIL=20261301 is not a moment"),
    ("FREQ=DAILY;UNTIL=20200101", "lies before the start"),
    ("FREQ=DAILY;BYHOUR=24", "BYHOUR: '24' cannot be used; 0 to 23"),
    ("FREQ=DAILY;BYHOUR=-1", "BYHOUR: '-1'"),
    ("FREQ=DAILY;BYMINUTE=60", "BYMINUTE: '60'"),
    ("FREQ=DAILY;BYMONTH=0", "BYMONTH: '0'"),
    ("FREQ=DAILY;BYMONTHDAY=32", "1 to 31 or -31 to -1"),
    ("FREQ=DAILY;BYMONTHDAY=,", "BYMONTHDAY: ''"),
    ("FREQ=DAILY;BYDAY=XX", "BYDAY: 'XX'"),
    ("FREQ=WEEKLY;BYDAY=2MO", "counts days of a month or year"),
    ("FREQ=MONTHLY;BYDAY=6MO", "up to 5"),
    ("FREQ=MONTHLY;BYWEEKNO=2", "BYWEEKNO belongs to FREQ=YEARLY"),
    ("FREQ=HOURLY;BYMINUTE=0,30;BYSETPOS=1", "FREQ=DAILY or a longer period"),
    ("FREQ=DAILY;BYSETPOS=1", "give BYDAY"),
    ("FREQ=DAILY;WKST=XX", "WKST=XX"),
    ("FREQ=DAILY;BYEASTER=0", "'BYEASTER' is not known"),
    ("DTSTART=20260101T000000;FREQ=DAILY", "give the start beside it"),
    ("FREQ=DAILY\nFREQ=WEEKLY", "one RRULE line"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never fires"),
    ("FREQ=HOURLY;INTERVAL=24;BYHOUR=3", "never fires"),
    ("FREQ=DAILY;" + "BYHOUR=" + ",".join(["1"] * 600), "at most 1000"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_wrong_rule_gets_its_message(text: str, words: str) -> None:
    with pytest.raises(BadExpression) as refused:
        recurrence_text.parse(rrule(text))
    assert refused.value.field == "rrule"
    assert words in str(refused.value)


def test_a_start_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(BadExpression) as refused:
        recurrence_text.parse(
            rrule("FREQ=DAILY", datetime(9999, 12, 31, tzinfo=UTC), "Pacific/Apia")
        )
    assert refused.value.field == "dtstart"
