"""The job summary: its time, its charts, its page, its table and its paper."""

import csv
import io
import re
from datetime import UTC, timedelta
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from scheduler.history.queries.outcomes import OutcomeLine
from scheduler.jobs import charts
from scheduler.jobs.periods import last_days, last_whole
from scheduler.jobs.summary import Line, Summary, as_csv, as_html, coloured
from scheduler.jobs.summary_pdf import as_pdf
from tests.support.builders import NOON, at

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("unit", "due", "since", "until", "parts"),
    [
        ("day", "2026-11-21T05:00Z", "2026-11-19T23:00Z", "2026-11-20T23:00Z", 24),
        ("day", "2026-03-30T05:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23),
        ("day", "2026-10-26T05:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25),
        ("day", "2026-11-20T23:00Z", "2026-11-19T23:00Z", "2026-11-20T23:00Z", 24),
        ("week", "2026-11-21T05:00Z", "2026-11-08T23:00Z", "2026-11-15T23:00Z", 7),
        ("week", "2026-10-26T05:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z", 7),
        ("month", "2026-11-21T05:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z", 31),
        ("month", "2026-01-01T12:00Z", "2025-11-30T23:00Z", "2025-12-31T23:00Z", 31),
        ("month", "2026-03-01T00:00Z", "2026-01-31T23:00Z", "2026-02-28T23:00Z", 28),
    ],
)
def test_a_period_is_the_last_whole_one_by_the_zones_clocks(
    unit: Any, due: str, since: str, until: str, parts: int
) -> None:
    period = last_whole(unit, at(due), BERLIN)
    assert (period.since, period.until) == (at(since), at(until))
    assert len(period.bounds) == parts + 1


@pytest.mark.parametrize(
    ("days", "parts", "by"),
    [(1, 24, "hour"), (2, 48, "hour"), (3, 3, "day"), (62, 62, "day"), (366, 53, "week")],
)
def test_so_many_days_are_that_many_times_24_hours(days: int, parts: int, by: str) -> None:
    period = last_days(days, at("2026-10-25T12:00Z"), BERLIN)
    assert period.until - period.since.astimezone(UTC) == timedelta(days=days)
    assert (len(period.bounds) - 1, period.by) == (parts, by)


@pytest.mark.parametrize("days", [1, 3, 62, 366])
@pytest.mark.parametrize("unit", ["day", "week", "month", "days"])
def test_the_parts_of_a_period_cover_it_without_gaps(unit: Any, days: int) -> None:
    due = at("2026-10-26T05:30Z")
    period = last_days(days, due, BERLIN) if unit == "days" else last_whole(unit, due, BERLIN)
    moments = [bound.astimezone(UTC) for bound in period.bounds]
    assert moments == sorted(set(moments))
    assert (moments[0], moments[-1]) == (period.since.astimezone(UTC), period.until.astimezone(UTC))


def counts(schedule: str | None = "nightly", **parts: Any) -> OutcomeLine:
    """The counts of one schedule."""
    zeros = dict.fromkeys(("succeeded", "failed", "missed", "skipped", "other", "late"), 0)
    times = dict.fromkeys(("median", "longest", "mean_lateness", "most_lateness"))
    return OutcomeLine(
        **{
            "schedule": schedule,
            "schedule_uid": schedule,
            "job": "jobs.do",
            **zeros,
            **times,
            **parts,
        }
    )


def a_summary(*lines: Line) -> Summary:
    """A summary of one day."""
    period = last_whole("day", NOON, BERLIN)
    empty = {"succeeded": 0, "failed": 0, "missed": 0, "skipped": 0, "other": 0}
    parts = [
        {**empty, "succeeded": hour, "failed": hour % 3} for hour in range(len(period.bounds) - 1)
    ]
    return Summary("Job summary, 2026-11-20", period, lines, parts, 60)


FULL = a_summary(
    Line(
        counts(succeeded=1000, failed=3, missed=2, late=4, median=3.0, longest=9.0),
        ("shop", "night"),
        2.0,
    ),
    Line(counts(HOSTILE, succeeded=1, skipped=7, median=0.5), ("shop",), None),
    Line(counts("ночь 夜", failed=1), (), None),
    Line(counts(None, other=1), (), None),
)


def test_totals_and_tags_are_sums_of_the_lines() -> None:
    assert FULL.totals == {
        "runs": 1006,
        "succeeded": 1001,
        "failed": 4,
        "missed": 2,
        "skipped": 7,
        "other": 1,
        "late": 4,
    }
    assert [(tag.tag, tag.schedules, tag.runs, tag.failed) for tag in FULL.tags] == [
        ("night", 1, 1003, 3),
        ("shop", 2, 1004, 3),
    ]


def test_durations_are_told_against_the_usual() -> None:
    assert [(line.name, line.words) for line in FULL.compared] == [
        ("nightly", "3.0 s, usually 2.0 s (+50%)"),
        (HOSTILE, "500 ms, new"),
    ]


def test_the_page_has_charts_and_no_script() -> None:
    page = as_html(FULL)
    assert "<script" not in page
    assert page.count("<svg") == 2 + 6
    assert "&lt;script&gt;" in page
    drawings = re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL)
    bars = ET.fromstring(drawings[0]).iter("{http://www.w3.org/2000/svg}rect")  # noqa: S314 - we wrote it
    assert sum(1 for _ in bars) == 23 + 16
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", page)


def test_the_table_has_a_row_for_each_line() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(FULL).decode(), newline="")))
    assert [row["schedule"] for row in rows] == ["nightly", HOSTILE, "ночь 夜", ""]
    assert [
        rows[0][name] for name in ("runs", "tags", "usual_duration_s", "median_duration_s", "late")
    ] == ["1003", "shop night", "2.0", "3.0", "4"]


def test_the_paper_says_the_same_over_as_many_pages_as_it_needs() -> None:
    many = [
        Line(counts(f"schedule-{number}" + "-long" * 20, succeeded=1), ("tag",), None)
        for number in range(80)
    ]
    reader = PdfReader(io.BytesIO(as_pdf(a_summary(*FULL.lines, *many))))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) >= 3
    assert reader.metadata is not None
    assert reader.metadata.title == "Job summary, 2026-11-20"
    assert all("Median" in page for page in pages[:-1])
    assert HOSTILE in "".join(pages)
    assert "1,003" in pages[0]


def test_an_empty_summary_says_so_everywhere() -> None:
    assert "Nothing ran in this time." in as_html(a_summary())
    assert (
        "Nothing ran in this time."
        in PdfReader(io.BytesIO(as_pdf(a_summary()))).pages[0].extract_text()
    )
    assert len(as_csv(a_summary()).decode().splitlines()) == 1


@pytest.mark.parametrize(
    ("most", "axis"),
    [(0, 1), (1, 1), (4, 4), (5, 8), (9, 12), (13, 20), (21, 40), (41, 80), (1003, 1200)],
)
def test_an_axis_ends_at_a_round_number_that_holds_everything(most: int, axis: int) -> None:
    assert charts.nice(most) == axis


def test_every_tick_is_in_the_chart() -> None:
    part = {"succeeded": 1, "failed": 2, "missed": 3, "skipped": 4, "other": 5}
    assert sum(coloured(part).values()) == 15


def test_a_chart_of_nothing_is_drawn() -> None:
    assert "<svg" in charts.over_time([], "empty")
    assert "<svg" in charts.compared([], "empty")
