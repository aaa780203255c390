"""Jobs that end otherwise than by returning: by exit, by an interrupt, without memory, with their
process.
"""

from pathlib import Path
from typing import Any

import pytest

from scheduler.clock import utc_now
from scheduler.dispatch.message_options import options_for
from scheduler.rules.model.spec import Policies
from tests.support.builders import a_schedule
from tests.support.runs.house import House
from tests.support.runs.stream import Stream
from tests.support.waiting import stays, wait_for


def lines(mark: Path) -> list[str]:
    """What executions have left."""
    return mark.read_text().split() if mark.exists() else []


def send_tick(house: House, job: str, *args: Any, **policies: Any) -> str:
    """Send a tick of a schedule with these policies; the run's id."""
    schedule = a_schedule("due", job, args=list(args), policies=Policies(**policies))
    options = options_for(schedule, utc_now(), {})
    house.app.send_task(job, list(args), **options)
    return str(options["task_id"])


def begins(stream: Stream, run: str) -> int:
    """How many attempts have begun."""
    return stream.kinds(run).count("run.started")


@pytest.mark.parametrize("code", [0, None, False])
def test_a_job_that_exits_with_success_has_succeeded(house: House, code: Any) -> None:
    run = house.send("tests.exit", code)
    end = house.stream.end(run)
    assert (end.kind, end.result, end.attempt) == ("run.succeeded", None, 1)
    assert begins(house.stream, run) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (3, "JobExited: exit code 3"),
        (-1, "JobExited: exit code -1"),
        ("no such file", "JobExited: no such file"),
    ],
)
def test_a_job_that_exits_with_a_code_or_a_text_has_failed_with_it_in_one_attempt(
    house: House, code: Any, error: str
) -> None:
    run = house.send("tests.exit", code)
    end = house.stream.end(run)
    assert (end.kind, end.error, end.attempt) == ("run.failed", error, 1)
    assert "sys.exit(code)" in end.traceback
    assert begins(house.stream, run) == 1


def test_a_job_whose_arguments_argparse_refuses_has_failed_with_code_2(house: House) -> None:
    assert house.stream.end(house.send("tests.parse", "monday")).result == "monday"
    assert house.stream.end(house.send("tests.parse")).error == "JobExited: exit code 2"


def test_a_job_that_interrupts_itself_has_failed(house: House) -> None:
    end = house.stream.end(house.send("tests.interrupt"))
    assert (end.kind, end.attempt) == ("run.failed", 1)
    assert "KeyboardInterrupt" in end.error


def test_a_job_that_exits_is_tried_again_as_its_schedule_says(house: House) -> None:
    run = send_tick(house, "tests.exit", 3, retries=1, retry_backoff=0.1)
    end = house.stream.end(run)
    assert (end.error, end.attempt) == ("JobExited: exit code 3", 2)


def test_a_job_out_of_memory_has_failed_once_and_the_worker_lives(
    house: House, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    run = house.send("tests.out_of_memory", str(mark))
    end = house.stream.end(run)
    assert (end.kind, end.error.partition(":")[0]) == ("run.failed", "MemoryError")
    assert "bytearray" in end.traceback
    assert house.stream.end(house.send("tests.add", 1)).result == 2
    assert house.worker.running()
    assert lines(mark) == ["begin"]


def test_a_job_of_a_schedule_without_retries_that_ends_its_process_runs_once(
    house: House, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    run = send_tick(house, "tests.hard_exit", str(mark))
    end = house.stream.end(run, timeout=15)
    assert (end.kind, end.attempt) == ("run.failed", 1)
    assert end.error.startswith("WorkerLostError: ")
    assert "exitcode 3" in end.error
    assert "its schedule allows no further attempt (retries)" in end.error
    stays(lambda: lines(mark) == ["begin"], 2, "it is not run again")


def test_a_job_that_declares_nothing_and_ends_its_process_twice_has_failed_with_the_reason(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    run = house.send("tests.hard_exit", str(mark))
    end = house.stream.end(run, timeout=40)
    assert (end.kind, end.attempt) == ("run.failed", 2)
    assert "The job's process was lost 2 times; the job declares no retries." in end.error
    first = house.stream.one(run, "run.retried")
    assert "lost once; a further attempt follows" in first.error
    assert (first.next_at - first.at).total_seconds() == pytest.approx(10, abs=0.5)
    assert lines(mark) == ["begin", "begin"]


def test_a_job_has_the_attempts_after_lost_processes_that_it_declares(house: House) -> None:
    run = house.send("tests.hard_exit_twice")
    end = house.stream.end(run, timeout=40)
    assert (end.kind, end.attempt) == ("run.failed", 3)
    assert "lost 3 times; the job allows no further attempt (retries)" in end.error


def test_a_job_that_must_not_run_twice_is_not_tried_again(house: House, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    end = house.stream.end(house.send("tests.hard_exit_once", str(mark)))
    assert (end.kind, end.attempt) == ("run.failed", 1)
    assert "the job is not run again (on_lost)" in end.error
    assert lines(mark) == ["begin"]


def test_a_job_whose_process_ends_is_tried_again_as_its_schedule_says(house: House) -> None:
    run = send_tick(house, "tests.hard_exit", retries=1, retry_backoff=0.1, on_lost="fail")
    end = house.stream.end(run, timeout=40)
    assert (end.kind, end.attempt) == ("run.failed", 2)
    wait_for(house.worker.running, 5, "the worker lives")
