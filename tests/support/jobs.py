"""Jobs for tests: workers get this module by BEATDESK_JOBS."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore

from scheduler.job import job


@shared_task(name="tests.add")
def add(x: int, y: int = 1) -> int:
    """Add two numbers.

    The rest of the docstring.
    """
    return x + y


@shared_task(name="tests.fail")
def fail(message: str = "no such luck") -> None:
    """Raise."""
    raise ValueError(message)


@shared_task(name="tests.wait")
def wait(seconds: float = 1.0, mark: str | None = None) -> str:
    """Write a line to the file `mark` at the beginning and at the end, so that a test can count
    executions.
    """
    _mark(mark, "begin")
    threading.Event().wait(seconds)
    _mark(mark, "end")
    return "waited"


@shared_task(name="tests.retry", bind=True, max_retries=2)
def retry(self: Task, failures: int = 1) -> int:
    """Fail the first `failures` attempts."""
    if self.request.retries < failures:
        raise self.retry(exc=RuntimeError(f"attempt {self.request.retries + 1}"), countdown=0)
    return self.request.retries + 1


@shared_task(name="tests.retry_later", bind=True, max_retries=1)
def retry_later(self: Task, seconds: float) -> int:
    """Fail in the first attempt, and ask for another after so many seconds."""
    if self.request.retries == 0:
        raise self.retry(exc=RuntimeError("not yet"), countdown=seconds)
    return self.request.retries + 1


@shared_task(name="tests.priority", bind=True, max_retries=1)
def priority(self: Task) -> Any:
    """Fail in the first attempt, then return the message's priority."""
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    return self.request.delivery_info["priority"]


@shared_task(
    name="tests.autoretry", autoretry_for=(KeyError,), default_retry_delay=0, max_retries=1
)
def autoretry() -> None:
    """Fail in each attempt."""
    raise KeyError("always")


@shared_task(name="tests.flaky", bind=True)
def flaky(self: Task, failures: int) -> str:
    """Raise in the first `failures` attempts, without asking for another."""
    if self.request.retries < failures:
        raise RuntimeError("not yet")
    return "at last"


@shared_task(name="tests.die")
def die(mark: str | None = None) -> None:
    """Kill the job's own process."""
    _mark(mark, "begin")
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(name="tests.die_for_good", max_retries=0)
def die_for_good(mark: str | None = None) -> None:
    """Kill the job's own process, without another attempt."""
    die(mark)


@shared_task(name="tests.exit")
def exit_with(code: Any = None) -> None:
    """Leave as a program does."""
    sys.exit(code)


@shared_task(name="tests.parse")
def parse(day: str = "") -> str:
    """Read arguments as a program does: complain, and leave with 2."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", required=True)
    return str(parser.parse_args(["--day", day] if day else []).day)


@shared_task(name="tests.interrupt")
def interrupt() -> None:
    """Interrupt oneself."""
    raise KeyboardInterrupt


@shared_task(name="tests.out_of_memory")
def out_of_memory(mark: str | None = None) -> None:
    """Ask for more memory than there is."""
    _mark(mark, "begin")
    bytearray(1 << 60)


@shared_task(name="tests.hard_exit")
def hard_exit(mark: str | None = None, code: int = 3) -> None:
    """End the job's own process without a word."""
    _mark(mark, "begin")
    os._exit(code)


@shared_task(name="tests.hard_exit_twice", max_retries=2, default_retry_delay=0)
def hard_exit_twice() -> None:
    """End the job's own process in each attempt, and declare two further ones."""
    os._exit(3)


@job("tests.hard_exit_once", on_lost="fail")
def hard_exit_once(mark: str | None = None) -> None:
    """End the job's own process, and declare that the job must not run twice."""
    hard_exit(mark)


@shared_task(name="tests.die_without_end", max_retries=None, default_retry_delay=0)
def die_without_end() -> None:
    """Kill the job's own process in each attempt."""
    die()


@shared_task(name="tests.echo")
def echo(value: Any = None) -> Any:
    """Return the argument."""
    return value


@shared_task(name="tests.odd")
def odd() -> Any:
    """Return a value that is not JSON."""
    return {1, 2}, object


@shared_task(name="tests.ignore")
def ignore() -> None:
    """End on purpose."""
    raise Ignore


@shared_task(name="tests.send")
def send(x: int) -> str:
    """Send another job; returns the id of the run."""
    return str(add.delay(x).id)


@shared_task(name="tests.tick", bind=True)
def tick(self: Task) -> Any:
    """Return the run's tick."""
    return getattr(self.request, "tick", None)


@shared_task(name="tests.slow_limit", time_limit=1)
def slow_limit() -> None:
    """Run longer than the time limit."""
    threading.Event().wait(30)


def _mark(path: str | None, word: str) -> None:
    if path:
        with Path(path).open("a") as file:
            file.write(f"{word}\n")


@shared_task(name="tests.lengths")
def lengths(values: list[Any]) -> list[int]:
    """The length of each value; 1 for a plain number."""
    return [
        len(value["password"])
        if isinstance(value, dict)
        else len(value)
        if isinstance(value, str)
        else 1
        for value in values
    ]


@job("tests.for_admins", least_role="admin")
def for_admins(days: int = 30, mark: str | None = None) -> int:
    """Return the days, for administrators only; write a line to the file `mark`."""
    _mark(mark, "begin")
    return days


@job("tests.sends_for_admins")
def sends_for_admins(mark: str) -> str:
    """Send the job for administrators from a job's function. Returns the run's id."""
    return str(for_admins.delay(1, mark=mark).id)
