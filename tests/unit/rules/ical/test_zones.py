"""The zones that a file names (RFC 5545, 3.2.19 and 3.6.5)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.rules.calendars.ical.lines import components
from scheduler.rules.calendars.ical.zones import FileZones
from tests.support.icalendar import complete, event, file, imported, spans

BERLIN = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16011028T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""

FIXED = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE"""


def noon(tzid: str) -> str:
    return event(f"DTSTART;TZID={tzid}:20270701T120000", "DURATION:PT1H")


def begins(text: str) -> str:
    (span,) = spans(complete(text, timezone="Asia/Tokyo"))
    return span.partition("..")[0][11:]


@pytest.mark.parametrize(
    ("tzid", "utc"),
    [
        ("Europe/Berlin", "10:00"),
        ("UTC", "12:00"),
        ("W. Europe Standard Time", "10:00"),
        ('"Eastern Standard Time"', "16:00"),
        ("India Standard Time", "06:30"),
        ("/example.org/20260101_1/Europe/Berlin", "10:00"),
        ("/softwarestudio.org/Tzfile/America/Argentina/Buenos_Aires", "15:00"),
        ("/Europe/Berlin", "10:00"),
    ],
)
def test_a_zone_is_found_by_its_iana_or_microsoft_name_or_behind_a_prefix(
    tzid: str, utc: str
) -> None:
    assert begins(file(noon(tzid))) == utc


@pytest.mark.parametrize(
    "name",
    ["Customized Time Zone", "(UTC+01:00) Amsterdam, Berlin", "GMT+0100", "CET Office: Bonn"],
)
def test_a_zone_that_the_file_defines_is_read_by_its_rules(name: str) -> None:
    text = file(BERLIN.format(name=name), noon(f'"{name}"'))
    assert begins(text) == "10:00"


def test_a_definition_may_stand_behind_the_event_and_name_its_place() -> None:
    place = "X-LIC-LOCATION:America/New_York\nBEGIN:STANDARD"
    definition = FIXED.format(name="Here", offset="+0300")
    assert begins(file(noon("Here"), definition)) == "09:00"
    assert begins(file(noon("Here"), definition.replace("BEGIN:STANDARD", place))) == "16:00"


def test_a_name_without_a_place_is_what_the_file_defines() -> None:
    assert begins(file(noon("EST"))) == "17:00"
    assert begins(file(FIXED.format(name="EST", offset="-0400"), noon("EST"))) == "16:00"


def test_a_name_counts_in_its_own_calendar_alone() -> None:
    one = file(FIXED.format(name="Here", offset="+0300"), noon("Here"))
    other = file(FIXED.format(name="Here", offset="-053000"), noon("Here"))
    assert [span[11:16] for span in spans(complete(one + other))] == ["09:00", "17:30"]
    assert begins(other) == "17:30"
    assert begins(one) == "09:00"


def test_a_time_without_a_zone_is_one_of_the_calendars() -> None:
    assert begins(file(event("DTSTART:20270701T120000", "DURATION:PT1H"))) == "03:00"


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("", "there is no time zone 'Berlin'; did you mean 'Europe/Berlin'?"),
        ("BEGIN:VTIMEZONE\nTZID:Berlin\nEND:VTIMEZONE", "has no STANDARD or DAYLIGHT part"),
        (
            FIXED.format(name="Berlin", offset="1"),
            "line 2, cannot be read: TZOFFSETFROM '1' is not an offset",
        ),
        (
            FIXED.format(name="Berlin", offset="+9900"),
            "TZOFFSETFROM '+9900' is not an offset; write an offset",
        ),
        (BERLIN.format(name="Berlin").replace("-1SU", "SUN"), "BYDAY: 'SUN' cannot be used"),
        (
            BERLIN.format(name="Berlin").replace("RRULE:", "RDATE:"),
            "RDATE 'FREQ=YEARLY;BYDAY=-1SU;BYM",
        ),
        (
            BERLIN.format(name="Berlin").replace("DTSTART:1601", "DTSTART:"),
            "is not a time, as 2027",
        ),
    ],
)
def test_an_event_in_an_unknown_zone_is_left_out(definition: str, words: str) -> None:
    parts = [definition] if definition else []
    found = imported(file(*parts, noon("Berlin"), event("DTSTART:20270501")))
    (one,) = found.left_out
    assert words in one.reason


def defined(name: str) -> tuple[FileZones, str]:
    text = file(BERLIN.format(name=name))
    return FileZones(components(text), ZoneInfo("UTC")), text


@given(seconds=st.integers(0, 60 * 366 * 86400), fold=st.integers(0, 1))
def test_a_defined_zone_has_the_offsets_of_the_same_iana_zone(seconds: int, fold: int) -> None:
    """Berlin's rules of today count since 1996: instants to wall times, and back, both in a gap
    and twice.
    """
    zone = defined("Somewhere")[0].zone("Somewhere", 1)
    berlin = ZoneInfo("Europe/Berlin")
    instant = datetime(1997, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    local = instant.astimezone(zone)
    assert local.replace(tzinfo=None) == instant.astimezone(berlin).replace(tzinfo=None)
    assert local.fold == instant.astimezone(berlin).fold
    assert local.astimezone(UTC) == instant
    wall = datetime(1997, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - a wall time
    times = [wall.replace(tzinfo=one, fold=fold).astimezone(UTC) for one in (zone, berlin)]
    assert times[0] == times[1]


@pytest.mark.parametrize("moment", ["2027-03-28T02:30", "2027-10-31T02:30"])
@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_in_a_gap_has_the_offset_before_it_and_one_that_comes_twice_both(
    moment: str, fold: int
) -> None:
    zone = defined("Somewhere")[0].zone("Somewhere", 1)
    wall = datetime.fromisoformat(moment).replace(fold=fold)
    assert (
        wall.replace(tzinfo=zone).utcoffset()
        == wall.replace(tzinfo=ZoneInfo("Europe/Berlin")).utcoffset()
    )


@settings(max_examples=25, deadline=None)
@given(seconds=st.integers(0, 40 * 366 * 86400))
def test_a_defined_zone_has_the_offsets_that_the_library_computes(seconds: int) -> None:
    zones, text = defined("Elsewhere")
    (definition,) = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
    theirs = definition.to_tz(lookup_tzid=False)
    wall = datetime(1997, 1, 1, 0, 30) + timedelta(hours=seconds // 3600)  # noqa: DTZ001 - a wall time
    if wall.hour != 2:  # the library takes a skipped or repeated hour otherwise than 3.3.5
        ours = zones.zone("Elsewhere", 1)
        assert wall.replace(tzinfo=ours).utcoffset() == wall.replace(tzinfo=theirs).utcoffset()
