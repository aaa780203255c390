"""Waiting for a fact, the only way in which a test waits. Tests never sleep for a fixed time."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds for a broker's answer, in tests that are not about silent brokers."""

_SLOWER = 3
"""Factor for a machine with other tests beside; only failing tests have to wait so long."""

_NEVER = Event()


def wait_for(fact: Callable[[], T], timeout: float = 10, what: str = "", every: float = 0.05) -> T:
    """Call `fact` until its answer is true, and return the answer; fail with `what` and the last
    answer.

    `timeout` counts seconds on an idle machine; tests get three times as long. An AssertionError
    raised by `fact` counts as "not yet"; any other error is a fault of the test and is raised.
    """
    patience = _SLOWER * timeout
    deadline = monotonic() + patience
    while True:
        try:
            answer = fact()
            if answer:
                return answer
            last = repr(answer)
        except AssertionError as error:
            last = f"{type(error).__name__}: {error}"
        if monotonic() > deadline:
            raise AssertionError(
                f"{what or fact} did not come true in {patience:g} s; last answer: {last[:2000]}"
            )
        _NEVER.wait(every)


def stays(fact: Callable[[], object], seconds: float, what: str = "", every: float = 0.05) -> None:
    """Check that `fact` is true the whole time; the only place where a test lets time pass."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        assert fact(), f"{what or fact} did not stay true for {seconds} s"
        _NEVER.wait(every)
