"""What a message says about its run."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.events.schema import RunFacts, RunQueued, encode, run_event
from scheduler.runs.deliveries import with_deliveries
from scheduler.runs.headers import (
    Message,
    attempt_of,
    facts_of,
    headers_for,
    is_job,
    is_run,
    queue_of,
)

TICK = datetime(2026, 11, 21, 6, tzinfo=UTC)

FACTS = RunFacts(
    job="reports.job_summary",
    args=[],
    kwargs={"days": 1},
    schedule="nightly",
    schedule_uid="6c1b6e2e-1111-4222-8333-444444444444",
    revision=7,
    tick=TICK,
    trigger="schedule",
    actor="ada@example.org",
    queue="default",
    queued_at=TICK,
    parent="p-1",
)


def message(headers: dict[str, Any], args: Any = (), kwargs: Any = None) -> Message:
    return Message(
        {"id": "r-1", "task": "reports.job_summary", **headers}, args, kwargs or {}, "default"
    )


def test_facts_survive_the_headers_of_a_message() -> None:
    said = message(headers_for(FACTS), [], {"days": 1})
    assert facts_of(said, 1000) == FACTS


def test_a_message_of_an_application_is_a_run_of_its_own() -> None:
    facts = facts_of(message({}, (1,), {"a": 2}), 1000)
    assert (facts.trigger, facts.schedule, facts.tick) == ("api", None, None)
    assert (facts.args, facts.kwargs) == ([1], {"a": 2})


def test_a_message_of_stock_beat_is_told_by_its_mark() -> None:
    assert facts_of(message({"celery_beat_task": True}), 1000).trigger == "schedule"


def test_arguments_are_bounded_and_secrets_hidden() -> None:
    facts = facts_of(message({}, ["x" * 5000], {"password": "hunter2"}), 1000)
    assert "cut" in str(facts.args)
    assert "hunter2" not in str(facts.kwargs)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


SAID = ["schedule", "schedule_uid", "revision", "trigger", "actor", "queued_at", "parent", "x"]


@given(
    st.dictionaries(
        st.sampled_from(SAID),
        ANYTHING,
    )
    | ANYTHING,
    ANYTHING,
)
def test_no_header_can_make_it_stumble(said: Any, tick: Any) -> None:
    facts_of(message({"beatdesk": said, "tick": tick}), 1000)


@pytest.mark.parametrize("own", [None, 5, True, "text", ["deliveries"], {}])
def test_deliveries_are_noted_whatever_stands_in_the_header(own: Any) -> None:
    headers = {"id": "r", "beatdesk": own}
    assert with_deliveries(headers, 0) == headers
    assert with_deliveries(headers, 2) == {"id": "r", "beatdesk": {"deliveries": 2}}


def test_half_a_character_in_a_header_keeps_no_event_from_being_written() -> None:
    own = {"schedule": "\ud800", "schedule_uid": "\ud800", "actor": "\ud800"}
    facts = facts_of(message({"beatdesk": own, "task": "\ud800"}), 1000)
    assert facts.schedule == facts.job == "\\ud800"
    encode(run_event(RunQueued, "r", 1, TICK, facts=facts))


@pytest.mark.parametrize("run", ["", "r" * 65, "r\ud800", "r\x00", 5, None])
def test_a_message_whose_id_cannot_be_one_is_no_run(run: Any) -> None:
    assert not is_run({"id": run, "task": "tests.add"})
    assert is_run({"id": "é", "task": "tests.add"})


@pytest.mark.parametrize(("retries", "attempt"), [(0, 1), (2, 3), (None, 1), ("2", 1), (-1, 1)])
def test_attempts_count_from_one(retries: Any, attempt: int) -> None:
    assert attempt_of(retries) == attempt


def test_tasks_of_celery_itself_are_no_jobs() -> None:
    assert not is_job("celery.chord_unlock")
    assert is_job("celery_tasks.add")


@pytest.mark.parametrize(
    ("info", "queue"),
    [({"routing_key": "slow"}, "slow"), ({"routing_key": None}, None), ({}, None), (None, None)],
)
def test_the_queue_is_what_the_transport_says(info: Any, queue: str | None) -> None:
    assert queue_of(info) == queue
