"""Time limits for Beat's calls to a broker: a wait never lasts until Beat's own lock ends.

A server may be away without any error: packets are dropped, a name is not resolved, a Sentinel has
no primary. Each time-out of a socket bounds only a part of the wait. So a call to a broker runs in
a thread of its own, and the thread is left behind when the call takes too long.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""Seconds for connecting to a broker, and then for each answer; a lock lives for 3 s at least."""


def call_with_timeout(
    seconds: float, function: Callable[[], T], discard: Callable[[T], object]
) -> T:
    """Return the result of `function`, or raise the function's error; TimeoutError after `seconds`.

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
