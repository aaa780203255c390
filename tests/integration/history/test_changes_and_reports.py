"""Changes, reports and counts in the history: what was edited, what jobs left, what became of
runs.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from scheduler.errors import NotFound
from scheduler.events.schema import (
    ReportStored,
    RunStarted,
    RunSucceeded,
    ScheduleDeleted,
    TicksMissed,
    run_event,
)
from scheduler.history.queries.history import History
from scheduler.history.queries.outcomes import Outcomes
from scheduler.history.queries.views import RunView
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON, a_run_history, a_saved_event, a_schedule
from tests.support.history.mixed import HOURLY, LONG_AGO, NIGHTLY, ids, minutes


def test_the_changes_of_schedules_are_the_audit(history: History, engine: Engine) -> None:
    second = NIGHTLY.model_copy(update={"revision": 2, "enabled": False})
    gone = ScheduleDeleted(
        at=minutes(9), uid=NIGHTLY.uid, revision=3, actor="bob", comment="obsolete", schedule=second
    )
    write_events(
        engine, [a_saved_event(NIGHTLY), a_saved_event(second, minutes(5), comment="faster")]
    )
    write_events(engine, [a_saved_event(HOURLY, minutes(7)), gone])
    assert [
        (item.revision, item.action, item.actor, item.comment)
        for item in history.revisions(NIGHTLY.uid)
    ] == [
        (3, "deleted", "bob", "obsolete"),
        (2, "edited", "ada@example.org", "faster"),
        (1, "created", "ada@example.org", ""),
    ]
    assert history.revisions(NIGHTLY.uid)[0].definition == second.to_json()
    first = history.changes(limit=3)
    assert [item.name for item in first.items] == [
        "nightly-report",
        "hourly_sync",
        "nightly-report",
    ]
    assert [item.revision for item in history.changes(after=first.next).items] == [1]


def a_report(name: str, at: datetime, **parts: Any) -> ReportStored:
    return ReportStored(
        at=at,
        report=name,
        run="n0",
        title=f"Report {name}",
        path=f"2026/{name}.html",
        media_type="text/html",
        size=10,
        sha256="0" * 64,
        **parts,
    )


def test_reports_are_listed_newest_first_and_found_by_id(history: History, engine: Engine) -> None:
    write_events(
        engine, [a_report("a", minutes(1)), a_report("b", minutes(2), keep_until=minutes(99))]
    )
    page = history.reports(limit=1)
    assert ids(page.items) == ["b"]
    assert ids(history.reports(after=page.next).items) == ["a"]
    found = history.report("b")
    assert (found.run_id, found.path, found.keep_until, found.created_at) == (
        "n0",
        "2026/b.html",
        minutes(99),
        minutes(2),
    )
    with pytest.raises(NotFound):
        history.report("\x00")


@pytest.mark.usefixtures("mixed")
def test_a_report_has_a_line_for_each_schedule_and_job(engine: Engine) -> None:
    missed = TicksMissed(
        at=minutes(5),
        schedule=HOURLY.name,
        schedule_uid=HOURLY.uid,
        revision=1,
        job=HOURLY.job,
        reason="coalesced",
        tick_from=minutes(0),
        tick_to=minutes(4),
        ticks=4,
    )
    write_events(engine, [missed, *a_run_history("old", tick=LONG_AGO)])
    outcomes = Outcomes(engine)
    lines = outcomes.lines(NOON, minutes(60), late_after=1)
    kinds = ("succeeded", "failed", "missed", "skipped", "other", "late")
    assert [
        (line.schedule, line.job, *(getattr(line, kind) for kind in kinds)) for line in lines
    ] == [
        ("nightly-report", "reports.job_summary", 2, 0, 0, 0, 1, 1),
        ("hourly_sync", "sync.orders", 0, 1, 4, 0, 1, 0),
    ]
    assert [(line.median, line.longest) for line in lines] == [(4.0, 6.0), (None, 4.0)]
    parts = outcomes.parts([NOON, minutes(30), minutes(60)])
    assert {kind: sum(part[kind] for part in parts) for kind in ("succeeded", "missed")} == {
        "succeeded": 2,
        "missed": 4,
    }


def test_a_median_is_the_middle_or_the_mean_of_both_in_the_middle(engine: Engine) -> None:
    for name, lengths in {
        "odd": (9.0, 1.0, 2.0),
        "even": (8.0, 1.0, 3.0, 2.0),
        "one": (7.0,),
    }.items():
        for number, seconds in enumerate(lengths):
            schedule = a_schedule(name, uid=name)
            write_events(
                engine,
                a_run_history(
                    f"{name}-{number}", schedule=schedule, tick=minutes(number), seconds=seconds
                ),
            )
    medians = Outcomes(engine).medians(NOON, minutes(60))
    assert {key[0]: pytest.approx(value) for key, value in medians.items()} == {
        "odd": 2.0,
        "even": 2.5,
        "one": 7.0,
    }


def test_tags_are_those_of_the_newest_revision(engine: Engine) -> None:
    for revision, tags in enumerate((["old"], ["new", "shop"]), start=1):
        write_events(engine, [a_saved_event(a_schedule("tagged", revision=revision, tags=tags))])
    write_events(engine, [a_saved_event(a_schedule("bare"))])
    assert Outcomes(engine).tags() == {a_schedule("tagged").uid: ["new", "shop"]}


def test_times_come_back_as_they_were_in_utc_to_the_microsecond(
    history: History, engine: Engine
) -> None:
    at = datetime.fromisoformat("2026-03-29T03:00:00.123456+02:00")
    write_events(
        engine,
        [
            run_event(RunStarted, "r", 1, at),
            run_event(RunSucceeded, "r", 1, at + timedelta(seconds=1)),
        ],
    )
    run: RunView = history.run("r")
    assert run.started_at == at
    assert run.started_at is not None
    assert run.started_at.isoformat() == "2026-03-29T01:00:00.123456+00:00"
