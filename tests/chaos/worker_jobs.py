"""Jobs of the chaos of workers: each execution leaves its lines in a file of its own kind, which no
part of the product writes.
"""

import os
import threading
import time

from celery import Task, shared_task

from scheduler.clock import utc_now

WITNESS = "CHAOS_WITNESS"
"""Environment variable with the path of the witness's file."""


@shared_task(name="chaos.work", bind=True, max_retries=20, default_retry_delay=1)
def work(self: Task, seconds: float) -> None:
    """Write a line at the beginning and one at the end."""
    execution = f"{self.request.id} {os.getpid()}-{time.monotonic_ns()}"
    _write(f"begin {execution}")
    threading.Event().wait(seconds)
    _write(f"end {execution}")


def _write(line: str) -> None:
    """Append one line; a short line is written whole or not at all."""
    handle = os.open(os.environ[WITNESS], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{utc_now().timestamp():.6f} {line}\n".encode())
    finally:
        os.close(handle)
