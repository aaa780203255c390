"""Celery's results, answered by the history; and chords without a store of results."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import chain, chord, group, states
from celery.exceptions import TaskRevokedError, TimeoutError
from redis import Redis

from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.processes import start_recorder, start_worker
from tests.support.runs.house import with_jobs
from tests.support.waiting import wait_for


@pytest.fixture
def services(services: Services) -> Services:
    """The desk, with the tests' jobs."""
    return Services(with_jobs(services.settings))


@pytest.fixture
def app(services: Services) -> Iterator[Any]:
    """The app, a worker and a recorder."""
    start_recorder(services.settings)
    start_worker(services.settings, concurrency=2)
    yield services.celery
    services.celery.close()


def called(app: Any, name: str, *args: Any, **options: Any) -> Any:
    """A signature by name, as application code has it that does not import the job."""
    return app.signature(name, args=args, **options)


def test_a_result_can_be_waited_for_though_nothing_stores_it(app: Any, redis: Redis) -> None:
    sent = app.send_task("tests.add", (1, 2))
    assert sent.get(timeout=20) == 3
    again = app.AsyncResult(sent.id)
    assert (again.state, again.result, again.successful(), again.ready()) == (
        "SUCCESS",
        3,
        True,
        True,
    )
    assert again.name == "tests.add"
    assert [key for key in redis.keys("*") if "celery-task-meta" in str(key)] == []


def test_a_result_knows_what_its_run_has_started(app: Any) -> None:
    sent = app.send_task("tests.send", (5,))
    child = sent.get(timeout=20)
    wait_for(
        lambda: [result.id for result in app.AsyncResult(sent.id).children or []] == [child], 20
    )
    assert app.AsyncResult(sent.id).children[0].get(timeout=20) == 6


def test_a_failure_is_raised_by_its_name(app: Any) -> None:
    sent = app.send_task("tests.fail", ("no such luck",))
    with pytest.raises(ValueError, match="no such luck"):
        sent.get(timeout=20)
    assert (sent.state, sent.failed()) == (states.FAILURE, True)
    assert "Traceback" in sent.traceback


def test_an_id_that_nobody_knows_is_pending_and_waiting_for_it_ends_in_time(app: Any) -> None:
    unknown = app.AsyncResult("no-such-run")
    assert (unknown.state, unknown.result, unknown.ready()) == (states.PENDING, None, False)
    with pytest.raises(TimeoutError):
        unknown.get(timeout=0.2)


def test_a_run_that_is_cancelled_is_revoked(app: Any, services: Services) -> None:
    sent = app.send_task("tests.add", (1,), countdown=300)
    services.cancellations.record(sent.id, "ada", desk_now())
    app.control.revoke(sent.id)
    sent_too = app.send_task("tests.wait", (60,))
    wait_for(lambda: sent_too.state == states.STARTED, 20)
    services.control.cancel(sent_too.id, "ada", desk_now())
    with pytest.raises(TaskRevokedError):
        sent_too.get(timeout=20)


def desk_now() -> Any:
    from scheduler.clock import utc_now

    return utc_now()


def test_the_results_of_a_group_come_as_they_are_ready(app: Any) -> None:
    results = group(called(app, "tests.add", number, 1) for number in range(5)).apply_async()
    assert results.get(timeout=20) == [1, 2, 3, 4, 5]
    assert results.successful()


def test_a_chord_runs_its_body_once_with_whole_results_and_leaves_nothing_behind(
    app: Any, redis: Redis
) -> None:
    long_text = "x" * 50_000  # longer than an event may be
    result = chord(
        [called(app, "tests.echo", long_text), called(app, "tests.echo", {"password": "hush"})]
    )(called(app, "tests.lengths"))
    assert result.get(timeout=20) == [50_000, 4]
    left = [key for key in redis.keys("*") if str(key).startswith(keys.CHORDS_PREFIX)]
    assert all(0 < redis.ttl(key) <= 600 for key in left), left


def test_a_chord_that_fails_leaves_nothing_behind(
    app: Any, redis: Redis, services: Services
) -> None:
    parts = [called(app, "tests.echo", 1), called(app, "tests.fail"), called(app, "tests.echo", 2)]
    body = chord(parts)(called(app, "tests.lengths"))
    with pytest.raises(Exception, match="no such luck"):
        body.get(timeout=20)

    def left() -> list[str]:
        return [key for key in redis.keys("*") if str(key).startswith(keys.CHORDS_PREFIX)]

    wait_for(lambda: all(0 < redis.ttl(key) <= 600 for key in left()), 10, "its keys go")
    assert [redis.get(key) for key in left()] == ["done"]


def test_a_chord_of_one_and_a_chord_in_a_chain_work(app: Any) -> None:
    one = chord([called(app, "tests.echo", 1)])(called(app, "tests.lengths"))
    assert one.get(timeout=20) == [1]
    chained = chain(
        called(app, "tests.add", 1, 1),
        group(called(app, "tests.add", 10), called(app, "tests.add", 20)),
        called(app, "tests.echo"),
    ).apply_async()
    assert chained.get(timeout=20) == [12, 22]


def test_the_steps_behind_one_that_failed_have_failed_too(app: Any, services: Services) -> None:
    steps = chain(
        called(app, "tests.fail"), called(app, "tests.echo"), called(app, "tests.lengths")
    ).apply_async()
    with pytest.raises(Exception, match="no such luck"):
        steps.get(timeout=20)
    last, middle = services.history.run(steps.id), services.history.run(steps.parent.id)
    assert [(run.job, run.state, run.started_at) for run in (middle, last)] == [
        ("tests.echo", "failed", None),
        ("tests.lengths", "failed", None),
    ]
    assert (last.parent, middle.parent) == (middle.id, steps.parent.parent.id)
