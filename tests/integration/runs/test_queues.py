"""Queues by kind: what is slow holds up nothing that is urgent, and jobs go to the queues that they
name.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.events.schema import decode
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.builders import a_schedule
from tests.support.processes import start_worker
from tests.support.runs.house import sender
from tests.support.runs.stream import Stream
from tests.support.waiting import wait_for


@pytest.fixture
def job_settings(settings: Settings) -> Settings:
    """With jobs that name queues."""
    return settings.model_copy(update={"jobs": ("tests.support.jobs", "tests.support.told_jobs")})


@pytest.fixture
def app(job_settings: Settings) -> Iterator[BeatdeskApp]:
    """Who sends."""
    app = create_app(job_settings)
    yield app
    app.close()


def test_a_slow_pile_in_bulk_does_not_hold_up_what_is_critical(
    job_settings: Settings, app: BeatdeskApp, stream: Stream, tmp_path: Path
) -> None:
    send = sender(app)
    start_worker(job_settings, queues="bulk")
    start_worker(job_settings, queues="critical,default")
    pile = [send("tests.wait", 30, str(tmp_path / "mark"), queue="bulk") for _ in range(5)]
    wait_for(lambda: "run.started" in stream.kinds(pile[0]), 20, "the slow pile has begun")
    urgent = [send("tests.add", number, queue="critical") for number in range(5)]
    ends = [stream.end(run, timeout=10) for run in urgent]
    assert [end.result for end in ends] == [1, 2, 3, 4, 5]
    assert not any("run.succeeded" in stream.kinds(run) for run in pile)


def test_a_worker_of_all_queues_takes_the_critical_first_and_in_a_queue_the_lower_number(
    job_settings: Settings, app: BeatdeskApp, stream: Stream, redis: "Redis"
) -> None:
    send = sender(app)
    runs = {
        "bulk": send("tests.add", 1, queue="bulk"),
        "default, 6": send("tests.add", 1, queue="default", priority=6),
        "default, 3": send("tests.add", 1, queue="default", priority=3),
        "default": send("tests.add", 1),
        "critical": send("tests.add", 1, queue="critical"),
    }
    start_worker(job_settings)
    for run in runs.values():
        stream.end(run)
    started = [event.run for event in stream.events() if event.kind == "run.started"]
    assert [name for run in started for name, known in runs.items() if known == run] == [
        "critical",
        "default",
        "bulk",
        "default, 3",
        "default, 6",
    ]


def test_a_job_goes_to_the_queue_that_it_has_named_whoever_sends_it(
    job_settings: Settings, services: Services, redis: "Redis"
) -> None:
    start_worker(job_settings, queues="elsewhere")
    wait_for(lambda: services.catalogue.get("told.urgent"), 15, "the job is published")
    schedule = a_schedule(job="told.urgent", args=[], kwargs={})
    run = Services(job_settings).control.start(schedule, actor="ada", now=datetime.now(UTC))  # noqa: TID251 - as a view does
    assert redis.llen("critical") == 1
    (queued,) = [decode(fields) for _, fields in redis.xrange(keys.EVENTS_STREAM)]  # type: ignore[union-attr]
    assert (queued.run, queued.facts.queue) == (run, "critical")
    start_worker(job_settings, queues="critical")
    told = Stream(redis)
    sent = told.end(run).result
    wait_for(lambda: redis.llen("critical") == 0, 10, "what the job itself has sent went there too")
    assert told.end(sent).result == "sent"


def test_a_message_has_the_priority_that_its_job_names_unless_its_sender_names_another(
    job_settings: Settings, stream: Stream
) -> None:
    told_app = create_app(job_settings)
    told_app.loader.import_default_modules()
    told_app.finalize()
    send = sender(told_app)
    runs = send("told.hurried"), send("told.hurried", queue="default", priority=7)
    start_worker(job_settings)
    assert [stream.end(run).result for run in runs] == [["bulk", 2], ["default", 7]]
    told_app.close()


def test_a_worker_grows_with_what_waits_for_it(
    job_settings: Settings, app: BeatdeskApp, stream: Stream, tmp_path: Path
) -> None:
    send = sender(app)
    start_worker(job_settings, queues="bulk", options=("--autoscale", "3,1"))
    hold = tmp_path / "hold"
    runs = [send("told.steps", 1, str(hold), queue="bulk") for _ in range(3)]
    wait_for(
        lambda: all("run.started" in stream.kinds(run) for run in runs),
        25,
        "three run at once, in a worker that began with one",
    )
    hold.touch()
    assert [stream.end(run).kind for run in runs] == ["run.succeeded"] * 3
