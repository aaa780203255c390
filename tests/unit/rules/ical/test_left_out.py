"""An event that cannot be read is left out and reported; the others count."""

import pytest

from scheduler.errors import Refused
from tests.support.icalendar import days, event, file, imported

GOOD = event("DTSTART:20270501", "SUMMARY:May Day")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["SUMMARY:x"], "the event has no DTSTART"),
        (["DTSTART:20270230"], "DTSTART '20270230' is not a day or a moment, as 20271224"),
        (["DTSTART;TZID=Mars/Base:20270101T100000"], "there is no time zone 'Mars/Base'"),
        (["DTSTART:20270101", "DTEND:20261231"], "the event ends before it begins"),
        (["DTSTART:20270101T100000Z", "DTEND:20270101T100000Z"], "it ends as it begins"),
        (["DTSTART:20270101T100000Z", "DTEND:20270101T095959Z"], "ends before it begins"),
        (["DTSTART:20270101T100000Z", "DURATION:PT0S"], "ends before it begins"),
        (
            ["DTSTART:20270101", "DURATION:-P1D"],
            "DURATION '-P1D' is not a length of time; write P1D",
        ),
        (["DTSTART:20270101", "DTEND 20270102"], "line 5, 'DTEND 20270102' is not NAME:VALUE"),
        (["DTSTART:20270101", "RRULE:FREQ=SECONDLY"], "FREQ=SECONDLY cannot be used"),
        (["DTSTART:20270101", "RRULE:FREQ=DAILY;UNTIL=20260101"], "lies before the start"),
        (["DTSTART:20270101", "RRULE:FREQ=DAILY", "RRULE:BYDAY=MO"], "needs its frequency"),
        (["DTSTART:20270101", "EXDATE:soon"], "EXDATE 'soon' is not a day or a moment"),
        (["DTSTART:20270101", "RDATE:soon"], "RDATE 'soon' is not a day or a moment"),
        (["DTSTART:20270101", "RECURRENCE-ID:soon"], "RECURRENCE-ID 'soon' is not a day"),
        (["DTSTART:20270101", "RECURRENCE-ID;RANGE=THISANDPRIOR:20270101"], "THISANDPRIOR"),
        (["DTSTART:19620705"], "it lies before 1970, when schedules begin"),
        (["DTSTART:99990101", "DURATION:P9999W"], "the event ends after the year 9999"),
    ],
)
def test_a_bad_event_is_left_out_with_its_line_and_the_reason(lines: list[str], words: str) -> None:
    found = imported(file(event("SUMMARY:Bad\\, very\\nbad", *lines), GOOD))
    assert days(found.calendar) == ["2027-05-01"]
    (one,) = found.left_out
    assert (one.line, one.title) == (2, "Bad, very bad")
    assert words in one.reason


def test_a_bad_change_leaves_the_instance_where_it_was() -> None:
    series = event("UID:a", "DTSTART:20270101", "RRULE:FREQ=DAILY;COUNT=2")
    found = imported(file(series, event("UID:a", "RECURRENCE-ID:20270102", "DTSTART:x")))
    assert days(found.calendar) == ["2027-01-01", "2027-01-02"]
    assert [one.line for one in found.left_out] == [7]


def test_what_stands_in_an_alarm_or_a_task_harms_no_event() -> None:
    alarm = "BEGIN:VALARM\nno property\nDTSTART:x\nEND:VALARM"
    text = file("BEGIN:VTODO\nno property\nEND:VTODO", event("DTSTART:20270501", alarm))
    assert days(imported(text).calendar) == ["2027-05-01"]
    assert imported(text).left_out == ()


def test_a_file_of_which_no_event_can_be_read_is_refused_by_the_first() -> None:
    with pytest.raises(
        Refused, match="line 2 of the iCalendar file: the event has no DTSTART; none"
    ):
        imported(file(event("SUMMARY:x"), event("SUMMARY:y")))


def test_a_calendar_that_counts_days_otherwise_is_refused() -> None:
    with pytest.raises(Refused, match=r"line 2 .*CALSCALE:HEBREW cannot be read; export it with"):
        imported(file("CALSCALE:HEBREW", GOOD))
    assert days(imported(file("CALSCALE:gregorian", GOOD)).calendar) == ["2027-05-01"]
