"""Every question asked of the history, on both databases."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from scheduler.errors import NotFound, Refused
from scheduler.events.schema import (
    Event,
    ReportStored,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunStarted,
    RunSucceeded,
    ScheduleDeleted,
    TicksMissed,
    run_event,
)
from scheduler.history.queries.history import MOST, History
from scheduler.history.queries.outcomes import Outcomes
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON, a_run_history, a_saved_event, a_schedule, facts_of

NIGHTLY = a_schedule("nightly-report", kwargs={"days": 1})
HOURLY = a_schedule("hourly_sync", job="sync.orders", queue="fast")
PUBLISHED = [
    "id",
    "schedule",
    "schedule_uid",
    "revision",
    "job",
    "trigger",
    "actor",
    "state",
    "reason",
    "tick",
    "queued_at",
    "received_at",
    "started_at",
    "finished_at",
    "lateness",
    "duration",
    "worker",
    "queue",
    "args",
    "kwargs",
    "result",
    "error",
    "traceback",
    "attempts",
]
"""A run's fields as the interface publishes them, in its order."""

LONG_AGO = NOON - timedelta(days=400)


@pytest.fixture
def history(engine: Engine) -> History:
    return History(engine)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def ids(items: Sequence[Any]) -> list[str]:
    return [item.id for item in items]


def a_mixed_history() -> list[Event]:
    """Five runs of two schedules, oldest first: n0 succeeded, h1 failed, n2 running, h3 queued, m4
    started by hand.
    """
    by_hand = facts_of(NIGHTLY).model_copy(
        update={"trigger": "manual", "actor": "ada@example.org", "tick": None}
    )
    return [
        *a_run_history("n0", schedule=NIGHTLY, tick=minutes(0), result={"rows": 3}, seconds=2),
        *a_run_history(
            "h1", schedule=HOURLY, tick=minutes(1), state="failed", worker="w2@host", seconds=4
        ),
        *a_run_history("n2", schedule=NIGHTLY, tick=minutes(2), state="started"),
        *a_run_history("h3", schedule=HOURLY, tick=minutes(3), state="queued"),
        *a_run_history("m4", tick=minutes(4), facts=by_hand, seconds=6),
    ]


@pytest.fixture
def mixed(engine: Engine) -> list[Event]:
    events = a_mixed_history()
    write_events(engine, events)
    return events


def test_a_run_is_shown_whole_in_the_published_form(history: History, mixed: list[Event]) -> None:
    run = history.run("n0")
    body = json.loads(run.model_dump_json())
    assert list(body)[: len(PUBLISHED)] == PUBLISHED
    assert set(body) - set(PUBLISHED) == {
        "parent",
        "children",
        "tick_to",
        "ticks",
        "progress_done",
        "progress_total",
        "progress_text",
    }
    assert body | {"attempts": []} == {
        "id": "n0",
        "schedule": "nightly-report",
        "schedule_uid": NIGHTLY.uid,
        "revision": 1,
        "job": "reports.job_summary",
        "trigger": "schedule",
        "actor": None,
        "state": "succeeded",
        "reason": None,
        "tick": "2026-11-21T12:00:00Z",
        "queued_at": "2026-11-21T12:00:00Z",
        "received_at": "2026-11-21T12:00:00.010000Z",
        "started_at": "2026-11-21T12:00:00.020000Z",
        "finished_at": "2026-11-21T12:00:02.020000Z",
        "lateness": 0.02,
        "duration": 2.0,
        "worker": "w1@host",
        "queue": "default",
        "args": [],
        "kwargs": {"days": 1},
        "result": {"rows": 3},
        "error": None,
        "traceback": None,
        "attempts": [],
        "parent": None,
        "tick_to": None,
        "ticks": 1,
        "children": [],
        "progress_done": None,
        "progress_total": None,
        "progress_text": None,
    }
    (attempt,) = body["attempts"]
    assert {
        name: attempt[name]
        for name in ("number", "started_at", "finished_at", "state", "error", "worker")
    } == {
        "number": 1,
        "started_at": "2026-11-21T12:00:00.020000Z",
        "finished_at": "2026-11-21T12:00:02.020000Z",
        "state": "succeeded",
        "error": None,
        "worker": "w1@host",
    }


def test_attempts_that_never_began_are_not_shown(history: History, engine: Engine) -> None:
    write_events(
        engine,
        [
            *a_run_history("r", state="started"),
            run_event(RunRetried, "r", 1, minutes(1), error="no route"),
            run_event(RunReceived, "r", 2, minutes(2), facts=facts_of(NIGHTLY)),
            run_event(RunRevoked, "r", 2, minutes(3)),
        ],
    )
    run = history.run("r")
    assert run.state == "revoked"
    assert [(attempt.number, attempt.state, attempt.error) for attempt in run.attempts] == [
        (1, "failed", "no route")
    ]


@pytest.mark.parametrize("unknown", ["nothing", "", "a\x00b", "\ud800", "x" * 10_000])
def test_a_run_that_does_not_exist_is_not_found(history: History, unknown: str) -> None:
    with pytest.raises(NotFound, match="beatdesk runs list"):
        history.run(unknown)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["m4", "h3", "n2", "h1", "n0"]),
        ({"schedule": "nightly-report"}, ["m4", "n2", "n0"]),
        ({"schedule_uid": HOURLY.uid}, ["h3", "h1"]),
        ({"job": "sync.orders"}, ["h3", "h1"]),
        ({"state": "running"}, ["n2"]),
        ({"worker": "w2@host"}, ["h1"]),
        ({"queue": "fast"}, ["h3", "h1"]),
        ({"trigger": "manual"}, ["m4"]),
        ({"since": minutes(2)}, ["m4", "h3", "n2"]),
        ({"until": minutes(2)}, ["h1", "n0"]),
        ({"since": minutes(1), "until": minutes(3)}, ["n2", "h1"]),
        ({"schedule": "nightly-report", "state": "succeeded"}, ["m4", "n0"]),
        ({"search": "NIGHT"}, ["m4", "n2", "n0"]),
        ({"search": "sync.ord"}, ["h3", "h1"]),
        ({"search": "h1"}, ["h1"]),
        ({"search": "%"}, []),
        ({"search": "hourly_"}, ["h3", "h1"]),
        ({"search": "nightly_"}, []),
        (
            {"schedule": "", "state": "", "search": "", "trigger": ""},
            ["m4", "h3", "n2", "h1", "n0"],
        ),
        ({"schedule": "nobody"}, []),
        ({"job": "'; DROP TABLE runs; --"}, []),
    ],
)
def test_runs_are_filtered(
    history: History, mixed: list[Event], wanted: dict[str, Any], found: list[str]
) -> None:
    assert ids(history.runs(RunFilter(**wanted)).items) == found


def test_lists_leave_the_large_parts_out(history: History, mixed: list[Event]) -> None:
    run = history.runs(RunFilter(schedule="nightly-report", state="succeeded")).items[1]
    assert (run.args, run.kwargs, run.result, run.traceback, run.attempts) == (
        None,
        None,
        None,
        None,
        [],
    )
    assert (run.duration, run.lateness, run.tick) == (2.0, 0.02, NOON)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"state": "happy"}, "state"),
        ({"trigger": "moon"}, "trigger"),
        ({"schedule": "a\x00b"}, "schedule"),
        ({"search": "\ud800"}, "search"),
        ({"worker": "\x00"}, "worker"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_naming_the_field(
    history: History, wanted: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        history.runs(RunFilter(**wanted))
    assert refused.value.field == field


@pytest.mark.parametrize("limit", [0, -1, MOST + 1])
def test_a_page_has_a_sensible_size(history: History, limit: int) -> None:
    with pytest.raises(Refused, match="limit"):
        history.runs(RunFilter(), limit=limit)


def test_a_bad_cursor_is_refused(history: History) -> None:
    for question in (history.changes, history.reports):
        with pytest.raises(Refused, match="after"):
            question(after="!!")
    with pytest.raises(Refused, match="after"):
        history.runs(RunFilter(), after="!!")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_paging_shows_each_run_once_whatever_arrives_meanwhile(
    history: History, engine: Engine, size: int
) -> None:
    write_events(engine, a_mixed_history())
    seen: list[str] = []
    after: str | None = None
    for page_number in range(10):
        page = history.runs(RunFilter(), after=after, limit=size)
        seen += ids(page.items)
        write_events(engine, a_run_history(f"new-{page_number}", tick=minutes(60 + page_number)))
        after = page.next
        if after is None:
            break
    assert seen == ["m4", "h3", "n2", "h1", "n0"]


def test_states_are_counted(history: History, mixed: list[Event]) -> None:
    assert history.state_counts(minutes(0)) == {
        "succeeded": 2,
        "failed": 1,
        "running": 1,
        "queued": 1,
    }
    assert history.state_counts(minutes(1), minutes(3)) == {"failed": 1, "running": 1}
    assert history.state_counts(minutes(90)) == {}


def test_the_last_runs_of_many_schedules_come_in_one_answer(
    history: History, mixed: list[Event]
) -> None:
    strangers = [f"stranger-{number}" for number in range(250)]
    found = history.last_runs([*strangers, NIGHTLY.uid, "a\x00b", HOURLY.uid], 2)
    assert {uid: ids(runs) for uid, runs in found.items()} == {
        NIGHTLY.uid: ["m4", "n2"],
        HOURLY.uid: ["h3", "h1"],
    }
    assert history.last_runs([], 5) == {}


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
