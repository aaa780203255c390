"""Behaviour of a worker's processes on signals to end, and at the end of the parent process."""

import ctypes
import logging
import os
import signal
import sys
from typing import Any

from celery import signals

from scheduler.celery_app import internals

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
"""Option of Linux's prctl(2): the process gets a signal when its parent ends."""


def connect() -> None:
    """Connect to Celery's signals of a worker's start and end."""
    signals.worker_init.connect(_prepare_second_signal, weak=False)
    signals.worker_process_init.connect(_end_with_parent, weak=False)


def _prepare_second_signal(sender: Any = None, **_: Any) -> None:
    """Let a second SIGTERM end the worker within `worker_soft_shutdown_timeout`.

    Celery ignores every SIGTERM after the first, and shuts down softly only on SIGQUIT.
    """

    def on_shutting_down(sig: str = "", how: str = "", **_: Any) -> None:
        if sig == "SIGTERM" and how == "Warm":
            internals.on_next_term_signal(sender, _end_soon)

    signals.worker_shutting_down.connect(on_shutting_down, weak=False)


def _end_soon(worker: Any) -> None:
    """Let jobs end for the soft shutdown's seconds, then stop the rest and give messages back."""
    internals.on_next_term_signal(worker, internals.end_now)  # a third signal does not wait
    internals.end_after_soft_shutdown(worker)


def _end_with_parent(**_: Any) -> None:
    """Let the kernel kill the process when the worker's main process ends.

    A job that outlives its worker would go on while another worker begins with the run, whose lease
    nobody renews any more. Linux only.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        log.warning("jobs may outlive this worker: prctl: %s", os.strerror(ctypes.get_errno()))
    elif os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
