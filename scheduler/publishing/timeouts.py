"""How long Beat waits for a broker: never so long that its own lock ends meanwhile.

A server may be away in a way that says nothing: packets are swallowed, a name is not looked up, a
Sentinel knows nobody. The time-outs of sockets bound some of it, each for itself. So what needs a
broker is asked in a thread of its own, and left there when it takes too long.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""How long a broker may take to be connected to, and then for each answer: a lock lives for 3
seconds at least.
"""


def within(seconds: float, question: Callable[[], T], leave: Callable[[T], object]) -> T:
    """The answer, or what the question raises; TimeoutError where it takes longer.

    An answer that comes too late is given to `leave`, in the question's thread.
    """
    future: Future[T] = Future()
    Thread(target=_ask, args=(future, question), name="beatdesk-asks", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        future.add_done_callback(lambda late: None if late.exception() else leave(late.result()))
        raise TimeoutError(f"no answer in {seconds:g} s") from None


def _ask(future: "Future[T]", question: Callable[[], T]) -> None:
    try:
        answer = question()
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it
        future.set_exception(error)
    else:
        future.set_result(answer)
