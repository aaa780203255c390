"""Waiting for a fact, which is the only way in which a test waits. It never sleeps for a fixed time."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_NEVER = Event()


def wait_for(fact: Callable[[], T], timeout: float = 10, what: str = "", every: float = 0.05) -> T:
    """Ask `fact` until it answers something true, and return that; fail with `what` and its last answer.

    An AssertionError raised by `fact` counts as "not yet"; any other error is a fault of the test and is raised.
    """
    deadline = monotonic() + timeout
    while True:
        try:
            answer = fact()
            if answer:
                return answer
            last = repr(answer)
        except AssertionError as error:
            last = f"{type(error).__name__}: {error}"
        if monotonic() > deadline:
            raise AssertionError(f"{what or fact} did not come true in {timeout} s; last answer: {last[:2000]}")
        _NEVER.wait(every)


def stays(fact: Callable[[], object], seconds: float, what: str = "", every: float = 0.05) -> None:
    """Watch that `fact` is true the whole time; the one place where a test has to let time pass."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        assert fact(), f"{what or fact} did not stay true for {seconds} s"
        _NEVER.wait(every)
