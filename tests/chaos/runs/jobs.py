"""The job whose executions are counted. It tells an independent server what it does, so that the
account of the test is not Beatdesk's own.
"""

import json
import os
import select
import time

from celery import Task, shared_task
from redis import Redis

WITNESS_URL = "CHAOS_WITNESS"
"""The environment variable with the address of the independent server."""

EXECUTIONS = "executions"
"""The list of what the jobs reported: JSON with run, what (`start`, `end`), pid and time."""

JOB = "tests.chaos.work"

_witness: dict[int, "Redis"] = {}


@shared_task(bind=True, name=JOB)
def work(self: Task, seconds: float = 0.0) -> None:
    """Say that the run starts, work for a while, and say that it ends."""
    run = str(self.request.id)
    _say(run, "start")
    if seconds > 0:
        select.select([], [], [], seconds)
    _say(run, "end")


def _say(run: str, what: str) -> None:
    """Append to the independent server's list."""
    pid = os.getpid()
    if pid not in _witness:
        _witness.clear()
        _witness[pid] = Redis.from_url(os.environ[WITNESS_URL])
    event = {"run": run, "what": what, "pid": pid, "at": time.time()}  # noqa: TID251 - a root
    _witness[pid].rpush(EXECUTIONS, json.dumps(event))
