"""A request under watch: its thread, its clocks, and how it is ended. See `watchdog`."""

import ctypes
import threading
import time
import traceback
from sys import _current_frames
from types import FrameType

from scheduler.history.database_use import DatabaseUse
from scheduler.storage.waiting_time import WaitingTime
from webadmin.budgets.table import Budget

HELD_IN = (
    "contextlib",
    "logging",
    "queue",
    "redis",
    "scheduler.history.database_use",
    "scheduler.storage.waiting_time",
    "sqlalchemy.pool",
    "sqlalchemy.util",
    "threading",
    "webadmin.budgets",
)
"""Modules and packages that take locks. An exception between a lock and the code that frees it
would hold the lock for ever, so no request is ended while its innermost function is in one."""


class OverBudget(BaseException):
    """Raised in the thread of a request whose processor time is used up.

    No Exception, so that what handles those does not take it for a fault of its own.
    """


class Watched:
    """A request that runs, or one piece of an answer that is written piece by piece."""

    def __init__(self, what: str, budget: Budget) -> None:
        self.what = what
        self.budget = budget
        self.time: WaitingTime | None = None
        self.use: DatabaseUse | None = None
        self._thread = threading.get_ident()
        self._clock = _cpu_clock(self._thread)
        self._begun = time.monotonic()
        self._cpu_begun = time.thread_time()
        self._is_raised = False
        self.is_late = False
        """Whether the wall time is over, so that no server answers any more."""

    def for_piece(self) -> "Watched":
        """Return what is watched while the calling thread makes one piece of the answer."""
        piece = Watched(self.what, self.budget)
        piece.time, piece.use = self.time, self.use
        return piece

    def wall(self) -> float:
        """Seconds since the begin."""
        return time.monotonic() - self._begun

    def cpu(self) -> float:
        """Seconds of processor time so far. Callable from every thread while this one lives.

        0 on a system without the clocks of other threads, such as macOS.
        """
        return 0.0 if self._clock is None else time.clock_gettime(self._clock) - self._cpu_begun

    def end_questions(self) -> None:
        """Let every question to a server fail, the one that waits for SQL too."""
        self.is_late = True
        if self.time is not None:
            self.time.use_up()
        if self.use is not None:
            self.use.end(f"the request took longer than {self.budget.wall:g} s")

    def stack(self) -> str:
        """Where the request is, as a traceback; empty where its thread has ended."""
        frame = _current_frames().get(self._thread)
        return "" if frame is None else "".join(traceback.format_stack(frame))

    def end(self) -> bool:
        """Raise OverBudget in the request's thread. Returns False where it must not be now.

        Called by the watchdog, which holds the interpreter's lock while it looks: the exception
        comes where the thread stands, or behind the call in C that it is in.
        """
        frame = _current_frames().get(self._thread)
        if frame is None or holds_a_lock(frame):
            return False
        _raise_in(self._thread, OverBudget)
        self._is_raised = True
        return True

    def clear(self) -> None:
        """Take back an exception that has not come yet. Called in the request's own thread."""
        if self._is_raised:
            _raise_in(self._thread, None)


def holds_a_lock(frame: FrameType) -> bool:
    """Whether a thread may hold a lock that an exception at this place would not free.

    An import holds one too, however deep the thread is in it.
    """
    if _is_of(frame, HELD_IN):
        return True
    outer: FrameType | None = frame
    while outer is not None:
        if _is_of(outer, ("importlib",)):
            return True
        outer = outer.f_back
    return False


def _is_of(frame: FrameType, modules: tuple[str, ...]) -> bool:
    name = str(frame.f_globals.get("__name__"))
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _cpu_clock(thread: int) -> int | None:
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return None if clock_of is None else int(clock_of(thread))


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    exception = ctypes.py_object() if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
