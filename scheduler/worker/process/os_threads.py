"""Threads of the operating system, in a process whose threads are greenlets (gevent, eventlet).

A blocking job keeps all greenlets waiting, and with them the renewal of the worker's leases:
another worker would get runs that are still running. A real thread goes on.

A real thread must touch only connections and locks of its own: the connections and locks of other
threads belong to their hub.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple


class OsThreads(NamedTuple):
    """The unpatched functions of the process."""

    start: Callable[[Callable[[], None]], object]
    """Starts a daemon thread."""

    sleep: Callable[[float], None]


def unpatched() -> OsThreads | None:
    """Functions for real threads; None where the process's threads are real in any case."""
    if "gevent.monkey" in sys.modules:
        from gevent import monkey

        if monkey.is_module_patched("threading"):
            start = monkey.get_original("_thread", "start_new_thread")
            return OsThreads(lambda run: start(run, ()), monkey.get_original("time", "sleep"))
    if "eventlet.patcher" in sys.modules:
        from eventlet import patcher

        if patcher.is_monkey_patched("thread"):
            threading = patcher.original("threading")
            return OsThreads(
                lambda run: threading.Thread(target=run, daemon=True).start(),
                patcher.original("time").sleep,
            )
    return None
