"""A file that is made to cost much is refused with words, or costs little."""

import time
from datetime import date, timedelta

import pytest

from scheduler.errors import Refused
from scheduler.rules.calendars.icalendar import MAX_BYTES
from tests.support.icalendar import UNTIL, event, file, imported

TOO_MANY = "there are more than 10000 events; export fewer, or end the recurring ones"
SECONDS = 10
"""Of processor time; each takes below three on an idle machine of 2026."""


def dates(count: int) -> str:
    return ",".join(
        f"{date(1970, 1, 1) + timedelta(days=number):%Y%m%d}" for number in range(count)
    )


def vtimezone(name: str, rule: str) -> str:
    lines = ("DTSTART:16010101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", f"RRULE:{rule}")
    part = "\n".join(("BEGIN:STANDARD", *lines, "END:STANDARD"))
    return f"BEGIN:VTIMEZONE\nTZID:{name}\n{part}\nEND:VTIMEZONE"


def change(number: int, parameters: str = "") -> str:
    return event(
        "UID:a", f"RECURRENCE-ID{parameters}:20270101", f"DTSTART:2027{number % 12 + 1:02}02"
    )


SERIES = event("UID:a", "DTSTART:20000101", "RRULE:FREQ=DAILY")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (file(event("DTSTART:20200101T000000Z", "RRULE:FREQ=SECONDLY")), "FREQ=SECONDLY cannot"),
        (file(event("DTSTART:19700101T000000Z", "RRULE:FREQ=MINUTELY")), TOO_MANY),
        (
            file(event("DTSTART:19700101T000000Z", "RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30")),
            "the rule never fires",
        ),
        (file(event("DTSTART:20200101", "RRULE:FREQ=DAILY;COUNT=1000000000")), "1 to 10000"),
        (file(event("DTSTART:20200101", *["RRULE:FREQ=DAILY"] * 50_000)), TOO_MANY),
        (file(event("DTSTART:20270101", f"RDATE:{dates(40_000)}")), TOO_MANY),
        (file(event("DTSTART:20270101", f"EXDATE:{dates(60_000)}")), TOO_MANY),
        (file(*[event("DTSTART:x")] * 10_001), "line 30002 of the iCalendar file: " + TOO_MANY),
        (file(*[event("DTSTART:20270101")] * 10_001), TOO_MANY),
        (file(SERIES, *(change(number) for number in range(2_000)), SERIES), TOO_MANY),
        (
            file(SERIES, *(change(number, ";RANGE=THISANDFUTURE") for number in range(2_000))),
            "more than 100 changes are of the later ones too",
        ),
        (
            file(vtimezone("Here", "FREQ=DAILY"), event("DTSTART;TZID=Here:20270101T000000")),
            "the file's zones have more than 20000 clock changes",
        ),
        ("BEGIN:A\n" * 100_000, "line 100000 of the iCalendar file: A has no end"),
        ("BEGIN:VEVENT\n" * 100_000, "VEVENT has no end; the file is cut off"),
        ("BEGIN:VEVENT\nSUMMARY:x\n" + " y\n" * 1_000_000, "VEVENT has no end"),
        ("\n" * 3_900_000, "the file has no event"),
        ("BEGIN:VEVENT\nSUMMARY;" + '"a' * 1_900_000, "VEVENT has no end"),
        (
            file(event("DTSTART;TZID=" + "/a" * 1_900_000 + ":20270101T000000")),
            "there is no time zone",
        ),
        (
            file(*(event(f"DTSTART;TZID=Zone{number}:20270101T000000") for number in range(9_999))),
            "there is no time zone 'Zone0'",
        ),
        ("x" * (MAX_BYTES + 1), "the file has 4000001 characters, 4000000 are read"),
    ],
    ids=lambda value: value[:30].replace("\n", " "),
)
def test_a_costly_file_is_refused_soon(text: str, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(Refused) as refused:
        imported(text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (file(*(event("UID:a", "DTSTART:20270101", f"SUMMARY:{n}") for n in range(9_999))), 9_999),
        (
            file(
                *(
                    event("UID:a", "DTSTART:20270101", f"SUMMARY:{n}", "RRULE:FREQ=DAILY;COUNT=1")
                    for n in range(1_000)
                ),
                *(change(number) for number in range(1_000)),
            ),
            1_000,
        ),
        (
            file(
                event(
                    "DTSTART:19700101T000000Z",
                    "RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3;BYMINUTE=7",
                )
            ),
            16,
        ),
        (
            file(
                vtimezone("Here", "FREQ=YEARLY"),
                event("DTSTART;TZID=Here:20270101T000000", "RRULE:FREQ=HOURLY;COUNT=9999"),
            ),
            9_999,
        ),
    ],
    ids=["one UID", "one UID with changes", "a rare minute", "hours of a defined zone"],
)
def test_a_large_file_is_read_soon(text: str, count: int) -> None:
    begun = time.process_time()
    calendar = imported(text, until=UNTIL).calendar
    assert len(calendar.days) + len(calendar.spans) == count
    assert time.process_time() - begun < SECONDS
