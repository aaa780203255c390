"""`runs list | show | cancel` and `schedules history`: what the history holds, as published."""

from datetime import timedelta

import pytest

from scheduler.clock import utc_now
from tests.support.builders import a_run_history, a_schedule, facts_of
from tests.support.interface import ATTEMPT_KEYS, RUN_KEYS


@pytest.fixture
def ran(beatdesk, record):
    """Three runs in the history, oldest first: one that succeeded, one that failed, one by hand
    that is queued.
    """
    now = utc_now().replace(microsecond=0)
    nightly, other = (
        a_schedule("nightly"),
        a_schedule("other", job="cleanup.job_history", queue="slow"),
    )
    history = [
        a_run_history(
            "run-1", schedule=nightly, tick=now - timedelta(hours=30), result={"rows": 3}
        ),
        a_run_history(
            "run-2",
            schedule=nightly,
            tick=now - timedelta(hours=2),
            state="failed",
            worker="w2@host",
        ),
        a_run_history(
            "run-3",
            state="queued",
            tick=now,
            facts=facts_of(other, now, trigger="manual", actor="cli:ada"),
        ),
    ]
    for events in history:
        beatdesk.services.events.append_many(events)
        record()
    return beatdesk


def test_runs_are_listed_newest_first_with_the_keys_of_the_interface(ran):
    listed = ran.json("runs", "list")
    assert [item["id"] for item in listed["items"]] == ["run-3", "run-2", "run-1"]
    assert listed["next"] is None
    for item in listed["items"]:
        assert set(item) == RUN_KEYS


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--schedule", "nightly"), ["run-2", "run-1"]),
        (("--job", "cleanup.job_history"), ["run-3"]),
        (("--state", "failed"), ["run-2"]),
        (("--worker", "w2@host"), ["run-2"]),
        (("--queue", "slow"), ["run-3"]),
        (("--trigger", "manual"), ["run-3"]),
        (("--since", "24h"), ["run-3", "run-2"]),
        (("--until", "24h"), ["run-1"]),
        (("--since", "24h", "--state", "succeeded"), []),
        (("--schedule", "ghost"), []),
    ],
)
def test_runs_are_filtered(ran, words, ids):
    assert [item["id"] for item in ran.json("runs", "list", *words)["items"]] == ids


def test_runs_are_read_page_by_page(ran):
    first = ran.json("runs", "list", "--limit", "2")
    assert [item["id"] for item in first["items"]] == ["run-3", "run-2"]
    second = ran.json("runs", "list", "--limit", "2", "--after", first["next"])
    assert [item["id"] for item in second["items"]] == ["run-1"]
    assert second["next"] is None


def test_a_page_for_people_says_how_to_go_on(ran):
    result = ran("runs", "list", "--limit", "2")
    assert result.stdout.splitlines()[0].split()[:3] == ["ID", "STATE", "SCHEDULE"]
    assert len(result.stdout.splitlines()) == 3
    assert "more: --after " in result.stderr


def test_a_run_is_shown_whole(ran):
    run = ran.json("runs", "show", "run-1")
    assert set(run) == RUN_KEYS
    assert run["result"] == {"rows": 3}
    assert run["state"] == "succeeded"
    assert run["duration"] == pytest.approx(2.0, abs=0.1)
    assert [set(attempt) >= ATTEMPT_KEYS for attempt in run["attempts"]] == [True]
    for key in ("tick", "queued_at", "started_at", "finished_at"):
        assert run[key].endswith("Z")


def test_a_failed_run_is_shown_to_people_with_its_traceback(ran):
    said = ran.done("runs", "show", "run-2")
    assert "failed" in said
    assert "ValueError('no')" in said
    assert said.rstrip().endswith("Traceback …\nValueError('no')")


def test_a_run_that_is_not_there_is_named(ran):
    for words in (("show", "ghost"), ("cancel", "ghost")):
        assert "ghost" in ran.refused("runs", *words)
        assert "ghost" in ran.refused_json("runs", *words)["error"]


def test_a_run_that_has_ended_is_not_cancelled(ran):
    said = ran.refused("runs", "cancel", "run-1")
    assert "run-1" in said
    assert "succeeded" in said


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize("text", ["yesterday", "2026-11-23T05:00:00", "1w"])
def test_a_time_that_is_none_is_refused_with_its_field(ran, option, text):
    assert text in ran.refused("runs", "list", option, text)
    assert ran.refused_json("runs", "list", option, text)["field"] == option.removeprefix("--")


def test_a_page_after_nothing_that_was_given_out_is_refused(ran):
    ran.refused("runs", "list", "--after", "not-a-page")


def test_the_history_of_a_schedule_outlives_it(ran):
    listed = ran.json("schedules", "history", "nightly")
    assert [item["id"] for item in listed["items"]] == ["run-2", "run-1"]
    assert "run-2" in ran.done("schedules", "history", "nightly")


def test_the_history_of_a_schedule_is_its_own_and_not_that_of_a_namesake(ran):
    ran.done("schedules", "add", "nightly", "demo.plain", "--every", "60")
    assert ran.json("schedules", "history", "nightly")["items"] == []
