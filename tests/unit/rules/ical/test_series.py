"""Recurring events (RFC 5545, 3.8.4.4 and 3.8.5): which instances there are, and when."""

from datetime import date

import pytest

from tests.support.icalendar import complete, days, event, file, imported, spans

DAILY = ("UID:a", "DTSTART;VALUE=DATE:20270101", "RRULE:FREQ=DAILY;COUNT=5")
NIGHTLY = ("UID:a", "DTSTART;TZID=Europe/Berlin:20270326T220000", "DURATION:PT8H")


def changed(day: str, *lines: str, id_parameters: str = ";VALUE=DATE") -> str:
    return event("UID:a", f"RECURRENCE-ID{id_parameters}:{day}", *lines)


def test_a_rule_without_an_end_is_taken_up_to_the_last_day() -> None:
    text = file(event("DTSTART:20260101", "RRULE:FREQ=YEARLY"))
    assert days(complete(text, until=date(2028, 1, 1))) == [
        "2026-01-01",
        "2027-01-01",
        "2028-01-01",
    ]
    assert len(days(complete(text, until=date(2027, 12, 31)))) == 2


def test_a_day_that_is_given_as_such_is_taken_however_late_it_is() -> None:
    text = file(event("DTSTART:20400101"), event("DTSTART:20260101", "RDATE:20410101"))
    assert days(complete(text)) == ["2026-01-01", "2040-01-01", "2041-01-01"]


@pytest.mark.parametrize("start", ["00010704", "17760704", "19620704"])
def test_a_series_that_is_older_than_1970_counts_from_1970(start: str) -> None:
    found = days(complete(file(event(f"DTSTART:{start}", "RRULE:FREQ=YEARLY"))))
    assert (found[0], found[-1], len(found)) == ("1970-07-04", "2030-07-04", 61)


def test_a_count_counts_from_the_beginning_of_an_old_series() -> None:
    found = days(complete(file(event("DTSTART:19010704", "RRULE:FREQ=YEARLY;COUNT=122"))))
    assert (found[0], found[-1]) == ("1970-07-04", "2022-07-04")


def test_a_cancelled_instance_is_no_day() -> None:
    text = file(event(*DAILY), changed("20270103", "STATUS:CANCELLED"))
    assert days(complete(text)) == ["2027-01-01", "2027-01-02", "2027-01-04", "2027-01-05"]


def test_a_cancelled_series_excludes_nothing_but_its_own_changes() -> None:
    text = file(
        event(*DAILY, "STATUS:Cancelled"),
        changed("20270103", "DTSTART:20270110"),
    )
    assert days(complete(text)) == ["2027-01-10"]


def test_a_change_comes_before_its_series_in_the_file() -> None:
    text = file(changed("20270103", "DTSTART:20270110"), event(*DAILY))
    assert days(complete(text)) == [
        *("2027-01-01", "2027-01-02", "2027-01-04", "2027-01-05", "2027-01-10"),
    ]


def test_a_change_of_this_and_the_later_instances_moves_them_all() -> None:
    text = file(
        event("UID:a", "DTSTART:20270104T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4"),
        changed(
            "20270118T090000Z",
            "DTSTART:20270119T100000Z",
            "DURATION:PT2H",
            id_parameters=";RANGE=THISANDFUTURE",
        ),
    )
    assert spans(complete(text)) == [
        "2027-01-04T09:00..2027-01-04T10:00",
        "2027-01-11T09:00..2027-01-11T10:00",
        "2027-01-19T10:00..2027-01-19T12:00",
        "2027-01-26T10:00..2027-01-26T12:00",
    ]


def test_a_move_of_the_later_instances_is_one_by_the_clock_on_the_wall() -> None:
    """From Friday to the Monday after the clock went forward, and so on: always 09:00."""
    text = file(
        event(
            *("UID:a", "DTSTART;TZID=Europe/Berlin:20270319T090000", "DURATION:PT1H"),
            "RRULE:FREQ=WEEKLY;COUNT=4",
        ),
        changed(
            "20270326T090000",
            *("DTSTART;TZID=Europe/Berlin:20270329T090000", "DURATION:PT1H"),
            id_parameters=";TZID=Europe/Berlin;RANGE=THISANDFUTURE",
        ),
    )
    assert spans(complete(text)) == [
        "2027-03-19T08:00..2027-03-19T09:00",
        "2027-03-29T07:00..2027-03-29T08:00",
        "2027-04-05T07:00..2027-04-05T08:00",
        "2027-04-12T07:00..2027-04-12T08:00",
    ]


def test_the_rest_of_a_series_can_be_cancelled() -> None:
    cancelled = changed(
        "20270103", "STATUS:CANCELLED", id_parameters=";VALUE=DATE;RANGE=THISANDFUTURE"
    )
    assert days(complete(file(event(*DAILY), cancelled))) == ["2027-01-01", "2027-01-02"]


@pytest.mark.parametrize(
    ("identifier", "parameters"),
    [
        ("20270327T210000Z", ""),
        ("20270327T220000", ";TZID=Europe/Berlin"),
        ("20270327T170000", ";TZID=Eastern Standard Time"),
        ("20270327", ";VALUE=DATE"),
    ],
)
def test_an_instance_is_named_in_any_zone_or_by_its_day(identifier: str, parameters: str) -> None:
    moved = changed(
        identifier, "DTSTART:20270401T100000Z", "DTEND:20270401T110000Z", id_parameters=parameters
    )
    text = file(event(*NIGHTLY, "RRULE:FREQ=DAILY;COUNT=2"), moved)
    assert spans(complete(text)) == [
        "2027-03-26T21:00..2027-03-27T05:00",
        "2027-04-01T10:00..2027-04-01T11:00",
    ]


def test_an_end_is_exact_time_and_a_days_duration_is_by_the_wall() -> None:
    """3.8.5.3 and 3.3.6, over the night of 27 March 2027, which is an hour short."""
    lines = ("DTSTART;TZID=Europe/Berlin:20270327T220000",)
    rule = "RRULE:FREQ=DAILY;COUNT=1"
    by_end = file(event(*lines, "DTEND;TZID=Europe/Berlin:20270328T060000", rule))
    assert spans(complete(by_end)) == ["2027-03-27T21:00..2027-03-28T04:00"]
    by_hours = file(event(*lines, "DURATION:PT24H"))
    assert spans(complete(by_hours)) == ["2027-03-27T21:00..2027-03-28T21:00"]
    by_day = file(event(*lines, "DURATION:P1D"))
    assert spans(complete(by_day)) == ["2027-03-27T21:00..2027-03-28T20:00"]


def test_a_time_that_the_clock_skips_is_read_by_the_offset_before() -> None:
    """3.3.5: 02:30 on 28 March 2027 in Berlin is 03:30 summer time; every other day is 02:30."""
    lines = ("DTSTART;TZID=Europe/Berlin:20270327T023000", "DURATION:PT1H")
    assert spans(complete(file(event(*lines, "RRULE:FREQ=DAILY;COUNT=3")))) == [
        "2027-03-27T01:30..2027-03-27T02:30",
        "2027-03-28T01:30..2027-03-28T02:30",
        "2027-03-29T00:30..2027-03-29T01:30",
    ]


def test_dates_are_added_and_left_out() -> None:
    text = file(
        event(
            *DAILY,
            "RDATE;VALUE=DATE:20270110,20270112",
            "RDATE:20270114,",
            "EXDATE;VALUE=DATE:20270102,20270112",
            "EXDATE:20270104",
        )
    )
    assert days(complete(text)) == [
        "2027-01-01",
        "2027-01-03",
        "2027-01-05",
        "2027-01-10",
        "2027-01-14",
    ]


def test_a_period_brings_its_own_end() -> None:
    text = file(
        event(
            *("DTSTART:20270101T100000Z", "DTEND:20270101T110000Z"),
            "RDATE;VALUE=PERIOD:20270102T100000Z/20270102T150000Z,20270103T100000Z/PT30M",
        )
    )
    assert spans(complete(text)) == [
        "2027-01-01T10:00..2027-01-01T11:00",
        "2027-01-02T10:00..2027-01-02T15:00",
        "2027-01-03T10:00..2027-01-03T10:30",
    ]


@pytest.mark.parametrize("left_out", ["20270327", "20270327T210000Z", "20270327T220000"])
def test_an_instance_is_left_out_by_its_day_or_its_time(left_out: str) -> None:
    text = file(event(*NIGHTLY, "RRULE:FREQ=DAILY;COUNT=2", f"EXDATE:{left_out}"))
    found = complete(text, timezone="Europe/Berlin")
    assert spans(found) == ["2027-03-26T21:00..2027-03-27T05:00"]


def test_several_rules_add_up_and_an_exclusion_rule_takes_away() -> None:
    text = file(
        event(
            "DTSTART:20270104",
            "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3;",
            "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2",
        )
    )
    assert days(complete(text)) == ["2027-01-08", "2027-01-11"]


@pytest.mark.parametrize(
    "written", [";TZID=GMT Standard Time:20270603T000000", ":20270602T230000Z"]
)
def test_a_day_that_is_named_by_its_midnight_is_that_day(written: str) -> None:
    series = event("UID:a", "DTSTART:20270602", "RRULE:FREQ=DAILY;COUNT=2")
    moved = event("UID:a", f"RECURRENCE-ID{written}", "DTSTART:20270610")
    found = complete(file(series, moved), timezone="Europe/London")
    assert days(found) == ["2027-06-02", "2027-06-10"]
    found = complete(
        file(series.replace("DAILY;", f"DAILY;COUNT=2\nEXDATE{written}\nX:")),
        timezone="Europe/London",
    )
    assert days(found) == ["2027-06-02"]


def test_the_beginning_of_an_older_revision_is_left_out() -> None:
    """As a program leaves it behind that has split a series (3.8.7.4)."""
    rest = event(
        "UID:a", "DTSTART:20270110", "RRULE:FREQ=DAILY", "RECURRENCE-ID:20270110", "SEQUENCE:1"
    )
    found = imported(file(rest, event(*DAILY, "SEQUENCE:2")))
    assert "2027-01-10" not in days(found.calendar)
    assert [one.line for one in found.left_out] == [2]
    of_now = rest.replace("SEQUENCE:1", "SEQUENCE:2")
    assert "2027-01-10" in days(complete(file(of_now, event(*DAILY, "SEQUENCE:2"))))


def test_an_empty_rule_is_none() -> None:
    text = file(event("DTSTART:20270101", "RRULE:", "EXRULE:", "EXDATE:"))
    assert days(complete(text)) == ["2027-01-01"]


def test_an_end_in_utc_is_one_of_the_zone() -> None:
    lines = ("DTSTART;TZID=Asia/Tokyo:20270101T080000", "DURATION:PT1H")
    rule = "RRULE:FREQ=DAILY;UNTIL=20270102T230000Z"
    assert spans(complete(file(event(*lines, rule)))) == [
        "2026-12-31T23:00..2027-01-01T00:00",
        "2027-01-01T23:00..2027-01-02T00:00",
        "2027-01-02T23:00..2027-01-03T00:00",
    ]


def test_the_newest_revision_of_an_event_counts_and_the_older_ones_are_reported() -> None:
    text = file(
        event("UID:a", "DTSTART:20270101", "SUMMARY:Old"),
        event("UID:a", "DTSTART:20270102", "SEQUENCE:2"),
    )
    found = imported(text)
    assert days(found.calendar) == ["2027-01-02"]
    assert [(one.line, one.title) for one in found.left_out] == [(2, "Old")]
    assert "newer revision of it, SEQUENCE:2" in found.left_out[0].reason


def test_different_events_with_one_uid_all_count() -> None:
    text = file(*(event("UID:a", f"DTSTART:2027010{day}") for day in range(1, 4)))
    assert days(complete(text)) == ["2027-01-01", "2027-01-02", "2027-01-03"]


def test_two_exports_in_one_file_are_as_good_as_one() -> None:
    once = file(event(*DAILY), changed("20270103", "DTSTART:20270110"))
    assert days(complete(once + once)) == days(complete(once))
    assert "2027-01-03" not in days(complete(once + once))


def test_a_change_whose_series_is_not_in_the_file_stands_alone() -> None:
    assert days(complete(file(changed("20270103", "DTSTART:20270110")))) == ["2027-01-10"]
