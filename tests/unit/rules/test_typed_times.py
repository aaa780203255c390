"""Times as people type them: one reader for commands and forms, on the clock of the schedule."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import Refused, UnknownZone
from scheduler.rules.time.typed import (
    BadTime,
    Direction,
    read_instant,
    read_length,
    read_time,
    written_length,
    written_time,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday, 13:00 in Berlin
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "America/Havana",
    ]
).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SECONDS = MOMENTS.map(lambda at: at.replace(microsecond=0))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ahead(text: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> datetime:
    return read_time(text, "until", now=now, direction=Direction.AHEAD, zone=zone)


def past(text: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> datetime:
    return read_time(text, "since", now=now, direction=Direction.PAST, zone=zone)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("15 min", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("14d", timedelta(days=14)),
        ("3 days", timedelta(days=3)),
        ("1 Day", timedelta(days=1)),
        (" 2 hours ", timedelta(hours=2)),
    ],
)
def test_a_length_of_time_counts_from_now_or_back_from_it(text: str, length: timedelta) -> None:
    assert ahead(text) == NOW + length
    assert past(text) == NOW - length


@pytest.mark.parametrize(
    ("text", "next_one", "last_one"),
    [
        ("08:00", "2026-11-22T08:00+01:00", "2026-11-21T08:00+01:00"),
        ("8:00", "2026-11-22T08:00+01:00", "2026-11-21T08:00+01:00"),
        ("18:30:15", "2026-11-21T18:30:15+01:00", "2026-11-20T18:30:15+01:00"),
        ("13:00", "2026-11-22T13:00+01:00", "2026-11-21T13:00+01:00"),
        ("monday 8:00", "2026-11-23T08:00+01:00", "2026-11-16T08:00+01:00"),
        ("Mon 08:00", "2026-11-23T08:00+01:00", "2026-11-16T08:00+01:00"),
        ("saturday 12:00", "2026-11-28T12:00+01:00", "2026-11-21T12:00+01:00"),
        ("saturday 14:00", "2026-11-21T14:00+01:00", "2026-11-14T14:00+01:00"),
        ("today 7:00", "2026-11-21T07:00+01:00", "2026-11-21T07:00+01:00"),
        ("tomorrow 7:00", "2026-11-22T07:00+01:00", "2026-11-22T07:00+01:00"),
        ("yesterday 7:00", "2026-11-20T07:00+01:00", "2026-11-20T07:00+01:00"),
        ("08:00 UTC", "2026-11-22T08:00Z", "2026-11-21T08:00Z"),
        ("monday 8:00 Asia/Tokyo", "2026-11-23T08:00+09:00", "2026-11-16T08:00+09:00"),
        ("2026-11-23T05:00:00Z", "2026-11-23T05:00Z", "2026-11-23T05:00Z"),
        ("2026-11-23 06:00:00+01:00", "2026-11-23T05:00Z", "2026-11-23T05:00Z"),
        ("2026-11-23 06:00 UTC", "2026-11-23T06:00Z", "2026-11-23T06:00Z"),
    ],
)
def test_a_time_is_the_next_one_or_the_last_one_on_the_schedules_clock(
    text: str, next_one: str, last_one: str
) -> None:
    assert ahead(text) == at(next_one)
    assert past(text) == at(last_one)


def test_a_date_without_an_offset_is_on_the_clock_that_is_given_and_refused_without_one() -> None:
    assert read_instant("2026-11-23 06:00", "at", plain_zone=BERLIN) == at("2026-11-23T05:00Z")
    with pytest.raises(
        BadTime, match=r"^at: '2026-11-23 06:00' has no time zone; write it as 2026-11-23T05:00:00Z"
    ):
        read_instant("2026-11-23 06:00", "at")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "soon",
            "is not a time; write 2h or 3 days from now, 08:00, monday 8:00, tomorrow 7:00, or "
            "2026",
        ),
        ("", "is not a time"),
        ("1w", "is not a time"),
        ("-5m", "is not a time"),
        ("monday", "is not a time"),
        ("25:00", "is not a time of day; write 08:00, from 00:00 to 23:59"),
        ("8:61", "is not a time of day"),
        (
            "moonday 8:00",
            "has the unknown day 'moonday'; write monday or mon, today or tomorrow",
        ),
        ("999999999d", "is too far away; the years 1970 to 2200 are read"),
        ("2400-01-01T00:00Z", "is too far away"),
        ("0001-01-01T00:00+14:00", "is too far away"),
        ("2026-13-01T00:00Z", "is not a time"),
    ],
)
def test_what_is_no_time_is_refused_with_the_field_the_value_and_the_remedy(
    text: str, fault: str
) -> None:
    with pytest.raises(Refused) as refusal:
        ahead(text)
    assert refusal.value.field == "until"
    assert str(refusal.value).startswith(f"until: {text!r} {fault}")


def test_a_refusal_stands_beside_its_field_as_sentences() -> None:
    with pytest.raises(BadTime) as refusal:
        past("soon")
    assert refusal.value.beside_field.startswith(
        "'soon' is not a time. Write 24h or 7d for how long ago, "
    )


def test_a_zone_that_does_not_exist_is_refused_with_the_field() -> None:
    with pytest.raises(
        UnknownZone, match=r"^until: there is no time zone 'Europe/Berln'; did you mean"
    ) as refusal:
        ahead("08:00 Europe/Berln")
    assert refusal.value.field == "until"


def test_a_zone_is_asked_for_only_where_a_text_needs_one() -> None:
    def find() -> ZoneInfo:
        raise AssertionError("nobody needs the zone")

    for text in ("3 days", "2026-11-23T05:00Z", "08:00 UTC"):
        read_time(text, "until", now=NOW, direction=Direction.AHEAD, zone=find)


SPRING = at("2027-03-27T20:00Z")  # the night in which Berlin's clock goes from 02:00 to 03:00
AUTUMN = at("2027-10-30T20:00Z")  # the night in which 02:00 to 03:00 comes twice


def test_a_time_of_day_that_the_clock_skips_is_the_first_instant_after_the_gap() -> None:
    assert ahead("02:30", SPRING) == at("2027-03-28T03:00+02:00")
    assert ahead("sunday 2:30", SPRING) == at("2027-03-28T03:00+02:00")
    assert ahead("tomorrow 2:30", SPRING) == at("2027-03-28T03:00+02:00")
    assert past("02:30", SPRING + timedelta(hours=5)) == at("2027-03-28T03:00+02:00")


def test_a_date_with_a_time_that_the_clock_skips_is_refused() -> None:
    with pytest.raises(
        BadTime,
        match="does not exist in Europe/Berlin, where the clock goes forward; choose another",
    ):
        read_instant("2027-03-28 02:30", "at", plain_zone=BERLIN)


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    assert ahead("02:30", AUTUMN) == at("2027-10-31T02:30+02:00")
    assert read_instant("2027-10-31 02:30", "at", plain_zone=BERLIN) == at("2027-10-31T02:30+02:00")
    between = at("2027-10-31T02:45+02:00")
    assert ahead("02:30", between) == at("2027-11-01T02:30+01:00")
    assert past("02:30", between) == at("2027-10-31T02:30+02:00")


@given(MOMENTS, ZONES)
def test_what_is_written_is_read_back_at_every_moment_of_every_zone(
    moment: datetime, zone: ZoneInfo
) -> None:
    assert read_instant(written_time(moment, zone), "at", plain_zone=zone) == moment


@given(SECONDS, ZONES, st.times(), st.sampled_from(["", "monday ", "thursday ", "sun "]))
def test_the_next_and_the_last_one_lie_on_their_sides_of_now_and_show_what_was_typed(
    now: datetime, zone: ZoneInfo, clock, day: str
) -> None:
    text = f"{day}{clock:%H:%M}"
    following, last = ahead(text, now, zone), past(text, now, zone)
    assert last <= now < following
    assert following - last <= timedelta(days=7 if day else 1, hours=1)
    for found in (following, last):
        local = found.astimezone(zone)
        if (
            f"{local:%H:%M}" != f"{clock:%H:%M}"
        ):  # it was in a gap: a second earlier, another offset was in force
            assert (found - timedelta(seconds=1)).astimezone(zone).utcoffset() != local.utcoffset()
        elif day:
            assert f"{local:%A}".lower().startswith(day.strip()[:3])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("15m", 900),
        ("1.5 h", 5400),
        ("3 days", 259_200),
        ("1D", 86_400),
    ],
)
def test_a_length_is_read_in_seconds(text: str, seconds: float) -> None:
    assert read_length(text, "jitter") == seconds


@pytest.mark.parametrize("text", ["", "h", "1w", "5 fortnights", "1h30"])
def test_what_is_no_length_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(
        BadTime, match=r"^jitter: '.*' is not a length of time; write seconds, or 15m, 2h, 1d$"
    ):
        read_length(text, "jitter")


@given(st.integers(0, 10**9) | st.floats(0, 10**6).map(lambda seconds: round(seconds, 3)))
def test_a_written_length_is_read_back(seconds: float) -> None:
    assert read_length(written_length(seconds), "jitter") == pytest.approx(seconds, rel=1e-12)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_answered(text: str) -> None:
    for read in (ahead, past):
        with suppress(Refused):
            assert read(text).utcoffset() == timedelta(0)
