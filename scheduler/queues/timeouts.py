"""How long Beat waits for a broker: never so long that its own lock ends meanwhile.

A server may be away without any error: packets are dropped, a name is not resolved, a Sentinel has
no primary. Time-outs of sockets bound some of that, each for itself. So a call to a broker runs in
a thread of its own, and is left there when it takes too long.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""Seconds that a broker may take to be connected to, and then for each answer; a lock lives for 3
seconds at least.
"""


def call_with_timeout(
    seconds: float, function: Callable[[], T], discard: Callable[[T], object]
) -> T:
    """The result of `function`, or what it raises; TimeoutError where it takes longer.

    A result that comes too late is given to `discard`, in the function's thread.
    """
    future: Future[T] = Future()
    Thread(target=_call, args=(future, function), name="beatdesk-asks", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        future.add_done_callback(lambda late: None if late.exception() else discard(late.result()))
        raise TimeoutError(f"no answer in {seconds:g} s") from None


def _call(future: "Future[T]", function: Callable[[], T]) -> None:
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        future.set_exception(error)
    else:
        future.set_result(result)
