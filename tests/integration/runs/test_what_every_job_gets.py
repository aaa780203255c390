"""What plain `@shared_task` functions of a user's own module get from a real worker, unchanged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.celery_app.app import create_app
from scheduler.events.access import SecretUsed
from scheduler.events.schema import RunLogged
from scheduler.events.secret_names import MASK
from scheduler.settings.schema import Settings
from tests.support.processes import start_worker
from tests.support.runs.house import House, sender
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

IMPATIENT = "tests.support.impatient"
SECRET = "hunter2-in-the-shop"
TICK = "2026-11-23T05:00:00+00:00"


@pytest.fixture(scope="module")
def house(valkey_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server, and a worker with a secret, for the tests of this module."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), valkey_binary)
    server.start()
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "shop-password").write_text(SECRET + "\n")
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        redis_url=server.url,
        secret_key="s" * 40,
        jobs=("tests.support.told_jobs",),
        secrets_dir=folder,
        run_log_lines=20,
    )
    app = create_app(settings)
    worker = start_worker(settings, keep=True)
    with server.client() as redis:
        yield House(settings, Stream(redis), app, worker, sender(app))
    worker.forget()
    app.close()
    server.stop()


def log_of(house: House, run: str) -> list[RunLogged]:
    """The log events of a run."""
    return [
        event
        for event in house.stream.events()
        if isinstance(event, RunLogged) and event.run == run
    ]


def test_a_job_knows_its_run_and_its_tick(house: House) -> None:
    headers = {"tick": TICK, "beatdesk": {"schedule": "nightly", "schedule_uid": "u-1"}}
    run = house.send("told.steps", headers=headers)
    assert house.stream.end(run).result == {
        "id": run,
        "attempt": 1,
        "schedule": "nightly",
        "tick": TICK,
    }


def test_progress_is_told_while_the_job_runs_no_more_than_twice_a_second_and_with_its_last_word(
    house: House, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    run = house.send("told.steps", 50, str(hold))

    def told() -> list[Any]:
        return [event for event in house.stream.of(run) if event.kind == "run.progressed"]

    wait_for(
        lambda: told() and told()[-1].done == 50,
        10,
        "the last progress is told while the job still runs",
    )
    assert "run.succeeded" not in house.stream.kinds(run)
    hold.touch()
    house.stream.end(run)
    assert (told()[-1].total, told()[-1].text) == (50, "step 50")
    assert len(told()) <= 3


def test_log_lines_are_told_while_the_job_runs(house: House, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    run = house.send("told.steps", 3, str(hold))
    wait_for(lambda: log_of(house, run), 10, "the lines are told while the job still runs")
    assert "run.succeeded" not in house.stream.kinds(run)
    hold.touch()
    house.stream.end(run)
    lines = [line for event in log_of(house, run) for line in event.lines]
    assert [line.text for line in lines] == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]
    assert {(line.level, line.logger) for line in lines} == {("INFO", "shop.tasks")}


def test_of_too_many_lines_the_first_and_the_last_are_kept(house: House) -> None:
    run = house.send("told.lines", 100)
    house.stream.end(run)
    events = log_of(house, run)
    texts = [line.text for event in events for line in event.lines]
    assert texts == [f"line {number}" for number in (*range(10), *range(90, 100))]
    assert [(event.first, event.left_out) for event in events if event.left_out] == [(90, 80)]


@pytest.mark.parametrize("way", ["return", "raise"])
def test_a_secret_reaches_the_job_and_nothing_else(house: House, way: str) -> None:
    about = {
        "password": "secret://shop-password",
        "header": "Bearer secret://shop-password",
        "way": way,
    }
    run = house.send("told.secret", kwargs=about)
    end = house.stream.end(run)
    if way == "return":
        assert end.result == {"header": f"Bearer {MASK}", "all": [MASK]}
    else:
        assert end.error == f"ValueError: Bearer {MASK} is wrong"
        assert MASK in end.traceback
    (logged,) = [line for event in log_of(house, run) for line in event.lines]
    assert logged.text == f"the password is {MASK}"
    everything = "".join(event.model_dump_json() for event in house.stream.events())
    assert SECRET not in everything
    assert SECRET not in house.worker.log
    facts = house.stream.one(run, "run.received").facts
    assert facts.kwargs["password"] == "secret://shop-password"


def test_the_job_itself_gets_the_secret(house: House, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    run = house.send("told.secret", "secret://shop-password", str(seen), "file")
    house.stream.end(run)
    assert seen.read_text() == SECRET


def uses(house: House, run: str) -> list[tuple[str, str]]:
    """The secrets that a run got, with the job, as the access log has them."""
    return [
        (event.subject, event.detail)
        for event in house.stream.events()
        if isinstance(event, SecretUsed) and event.actor == f"run:{run}"
    ]


def test_the_access_log_names_each_secret_that_a_run_got(house: House, tmp_path: Path) -> None:
    twice = "secret://shop-password and again secret://shop-password"
    run = house.send("told.secret", twice, str(tmp_path / "seen"), "file")
    house.stream.end(run)
    assert uses(house, run) == [("shop-password", "told.secret")]
    assert SECRET not in str([event.model_dump() for event in house.stream.events()])


def test_the_access_log_names_no_secret_that_a_run_did_not_get(house: House) -> None:
    run = house.send("told.secret", "secret://nowhere")
    house.stream.end(run)
    assert uses(house, run) == []


def test_a_secret_that_nobody_has_fails_the_run_with_the_places_looked_at(house: House) -> None:
    end = house.stream.end(house.send("told.secret", "secret://nowhere"))
    assert end.kind == "run.failed"
    assert "there is no secret 'nowhere' on this worker" in end.error
    assert "BEATDESK_JOB_SECRET_NOWHERE" in end.error
    end = house.stream.end(house.send("told.secret", "secret://No-Name"))
    assert "is no reference to a secret" in end.error


def test_parameters_are_checked_against_their_model_and_a_wrong_call_is_not_tried_again(
    house: House,
) -> None:
    assert house.stream.end(house.send("told.wish", kwargs={"days": 3})).result == 3
    end = house.stream.end(house.send("told.wish", kwargs={"days": 99, "nam": 1}))
    assert (end.kind, end.attempt) == ("run.failed", 1)
    assert "BadArguments: days: Input should be less than or equal to 31" in end.error


def test_attempts_with_a_growing_wait_are_declared_not_written(house: House) -> None:
    run = house.send("told.unlucky")
    end = house.stream.end(run)
    assert (end.result, end.attempt) == (3, 3)
    waits = [
        (event.next_at - event.at).total_seconds()
        for event in house.stream.of(run)
        if event.kind == "run.retried"
    ]
    assert [round(wait) for wait in waits] == [1, 2]


def test_a_soft_limit_raises_in_the_job(house: House) -> None:
    end = house.stream.end(house.send("told.soft"))
    assert end.kind == "run.failed"
    assert end.error.startswith("SoftTimeLimitExceeded")


def test_a_job_whose_worker_is_killed_starts_again_on_another(house: House, tmp_path: Path) -> None:
    first = start_worker(house.settings, queues="doomed", app=IMPATIENT)
    mark = tmp_path / "mark"
    run = house.send("told.once_killed", str(mark), queue="doomed")
    wait_for(mark.exists, 20, "the job has begun")
    wait_for(lambda: not first.running(), 10, "the worker is dead")
    start_worker(house.settings, queues="doomed", app=IMPATIENT)
    assert house.stream.end(run, timeout=60).result == "again"
