"""What a real worker says about its runs, on a real server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.runs.house import House
from tests.support.runs.stream import Stream

Send = Callable[..., str]


@pytest.fixture
def stream(house: House) -> Stream:
    """The stream of the worker that these tests share."""
    return house.stream


@pytest.fixture
def send(house: House) -> Send:
    """Send to that worker."""
    return house.send


def test_a_run_that_succeeds_is_received_started_and_succeeded(stream: Stream, send: Send) -> None:
    run = send("tests.add", 2, kwargs={"y": 3})
    end = stream.end(run)
    assert stream.kinds(run) == ["run.received", "run.started", "run.succeeded"]
    assert end.result == 5
    assert end.attempt == 1
    assert end.runtime >= 0
    facts = stream.one(run, "run.received").facts
    assert (facts.job, facts.args, facts.kwargs, facts.queue) == (
        "tests.add",
        [2],
        {"y": 3},
        "default",
    )
    assert facts.trigger == "api"


def test_a_message_cannot_call_itself_one_of_celerys_own(stream: Stream, send: Send) -> None:
    run = send("tests.add", 2, shadow="celery.ping")
    assert stream.end(run).result == 3
    assert stream.kinds(run) == ["run.received", "run.started", "run.succeeded"]


def test_a_run_that_fails_has_its_error_and_traceback(stream: Stream, send: Send) -> None:
    end = stream.end(send("tests.fail", "no such luck"))
    assert end.kind == "run.failed"
    assert end.error == "ValueError: no such luck"
    assert "raise ValueError(message)" in end.traceback


def test_arguments_that_do_not_fit_fail_the_run(stream: Stream, send: Send) -> None:
    end = stream.end(send("tests.add", 1, 2, 3))
    assert end.kind == "run.failed"
    assert end.error.startswith("TypeError")


def test_each_attempt_of_a_retried_run_is_told(stream: Stream, send: Send) -> None:
    run = send("tests.retry", 2)
    end = stream.end(run)
    assert [(event.kind, event.attempt) for event in stream.of(run)] == [
        ("run.received", 1),
        ("run.started", 1),
        ("run.retried", 1),
        ("run.received", 2),
        ("run.started", 2),
        ("run.retried", 2),
        ("run.received", 3),
        ("run.started", 3),
        ("run.succeeded", 3),
    ]
    assert end.result == 3
    first = next(event for event in stream.of(run) if event.kind == "run.retried")
    assert first.error == "RuntimeError: attempt 1"
    assert "attempt 1" in first.traceback


def test_a_run_that_fails_in_each_attempt_fails_in_the_end(stream: Stream, send: Send) -> None:
    run = send("tests.autoretry")
    end = stream.end(run)
    assert (end.kind, end.attempt) == ("run.failed", 2)
    assert stream.kinds(run).count("run.retried") == 1


def test_what_a_message_says_about_its_run_survives_retries(stream: Stream, send: Send) -> None:
    headers = {
        "beatdesk": {
            "schedule": "nightly",
            "schedule_uid": "u-1",
            "revision": 7,
            "trigger": "schedule",
        },
        "tick": "2026-11-21T06:00:00Z",
    }
    run = send("tests.retry", 1, headers=headers)
    stream.end(run)
    taken = [event.facts for event in stream.of(run) if event.kind == "run.received"]
    assert len(taken) == 2
    for facts in taken:
        assert (facts.schedule, facts.schedule_uid, facts.revision) == ("nightly", "u-1", 7)
        assert facts.tick == datetime(2026, 11, 21, 6, tzinfo=UTC)
        assert facts.trigger == "schedule"


def test_a_job_can_read_the_tick_that_it_was_started_for(stream: Stream, send: Send) -> None:
    run = send("tests.tick", headers={"tick": "2026-11-21T06:00:00Z"})
    assert stream.end(run).result == "2026-11-21T06:00:00Z"


def test_a_run_that_comes_too_late_expires(stream: Stream, send: Send) -> None:
    run = send("tests.add", 1, expires=datetime.now(UTC) - timedelta(minutes=1))  # noqa: TID251 - the real clock
    end = stream.end(run)
    assert end.kind == "run.expired"
    assert (end.facts.job, end.facts.args, end.facts.queue) == ("tests.add", [1], "default")
    assert end.deadline < end.at
    assert end.reason == (
        f"its deadline, {end.deadline:%Y-%m-%d %H:%M:%S} UTC, passed while it waited in the queue "
        "default"
    )
    assert "run.started" not in stream.kinds(run)


def test_a_run_over_its_time_limit_fails(stream: Stream, send: Send) -> None:
    run = send("tests.slow_limit")
    end = stream.end(run)
    assert end.kind == "run.failed"
    assert "TimeLimitExceeded" in end.error
    assert (end.attempt, end.worker) == (1, stream.one(run, "run.received").worker)


def test_a_job_that_ends_on_purpose_with_ignore_has_an_end(stream: Stream, send: Send) -> None:
    assert stream.end(send("tests.ignore")).kind == "run.succeeded"


def test_a_job_that_no_worker_has_fails_with_the_reason(stream: Stream, send: Send) -> None:
    run = send("tests.nobody_has_this", 1, kwargs={"a": 2})
    end = stream.end(run)
    assert end.kind == "run.failed"
    assert "no worker here knows the job 'tests.nobody_has_this'" in end.error
    facts = stream.one(run, "run.received").facts
    assert (facts.job, facts.args, facts.kwargs) == ("tests.nobody_has_this", [1], {"a": 2})


def test_a_job_that_a_job_sends_is_queued_with_its_parent(stream: Stream, send: Send) -> None:
    parent = send("tests.send", 4)
    child = stream.end(parent).result
    assert stream.end(child).result == 5
    assert stream.one(child, "run.queued").facts.parent == parent


def test_a_pickled_message_is_refused_and_nothing_runs(stream: Stream, send: Send) -> None:
    from kombu.serialization import disable_insecure_serializers, enable_insecure_serializers

    enable_insecure_serializers(["pickle"])
    try:
        run = send("tests.add", 1, serializer="pickle")
    finally:
        disable_insecure_serializers(["json"])
    end = stream.end(run)
    assert end.kind == "run.failed"
    assert "refused" in end.error
    assert "run.started" not in stream.kinds(run)
    assert stream.end(send("tests.add", 1)).result == 2


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("text", "text"),
        (
            {"password": "hunter2", "deep": [1, {"api_key": "k"}]},
            {"password": "•••••", "deep": [1, {"api_key": "•••••"}]},
        ),
        ("\x00nul", "\\x00nul"),
    ],
)
def test_results_are_told_as_json_without_secrets(
    stream: Stream, send: Send, value: object, told: object
) -> None:
    run = send("tests.echo", value)
    assert stream.end(run).result == told
    assert stream.one(run, "run.received").facts.args == [told]


def test_results_that_are_not_json_are_told_as_text(stream: Stream, send: Send) -> None:
    end = stream.end(send("tests.odd"))
    assert end.kind == "run.succeeded"
    assert end.result == [[1, 2], "<class 'object'>"]


def test_large_results_are_cut_with_a_mark(stream: Stream, send: Send) -> None:
    run = send("tests.echo", "x" * 100_000)
    end = stream.end(run)
    assert end.kind == "run.succeeded"
    assert len(end.result) < 17_000
    assert "cut" in end.result
