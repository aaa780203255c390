"""Waiting for a fact, which is the only way in which a test waits. It never sleeps for a fixed
time.
"""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds that a broker may take for an answer, where a test is not about brokers that do not
answer.
"""

_SLOWER = 3
"""So many times slower than usual may a machine be that runs other tests too; only a test that
fails has to wait.
"""

_NEVER = Event()


def wait_for(fact: Callable[[], T], timeout: float = 10, what: str = "", every: float = 0.05) -> T:
    """Ask `fact` until it answers something true, and return that; fail with `what` and its last
    answer.

    `timeout` is how many seconds it may take on a machine that does nothing else; it gets three
    times as long. An AssertionError raised by `fact` counts as "not yet"; any other error is a
    fault of the test and is raised.
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
    """Watch that `fact` is true the whole time; the one place where a test has to let time pass."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        assert fact(), f"{what or fact} did not stay true for {seconds} s"
        _NEVER.wait(every)
