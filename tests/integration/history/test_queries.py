"""Every question asked of the history, on both databases."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine

from scheduler.errors import NotFound, Refused
from scheduler.events.schema import (
    Event,
    RunReceived,
    RunRetried,
    RunRevoked,
    run_event,
)
from scheduler.history.queries.history import MOST, History
from scheduler.history.queries.views import RunFilter
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON, a_run_history, facts_of
from tests.support.history.mixed import HOURLY, NIGHTLY, a_mixed_history, ids, minutes

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


ADDED = {
    "parent",
    "children",
    "tick_to",
    "ticks",
    "progress_done",
    "progress_total",
    "progress_text",
    "detail",
    "blocker",
    "tree_state",
}
"""Fields that came later than the published ones."""


def test_a_run_is_shown_whole_in_the_published_form(history: History, mixed: list[Event]) -> None:
    run = history.run("n0")
    body = json.loads(run.model_dump_json())
    assert list(body)[: len(PUBLISHED)] == PUBLISHED
    assert set(body) - set(PUBLISHED) == ADDED
    assert body | {"attempts": []} == {
        "detail": None,
        "blocker": None,
        "tree_state": None,
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


def test_an_attempt_of_a_run_has_the_published_keys(history: History, mixed: list[Event]) -> None:
    (attempt,) = json.loads(history.run("n0").model_dump_json())["attempts"]
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
