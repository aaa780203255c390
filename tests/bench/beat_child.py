"""One question to one contender, in a process of its own; the answer is JSON on standard output.

python -m tests.bench.beat_child CONTENDER QUESTION REDIS_URL FOLDER JSON
"""

import json
import logging
import resource
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Any

from scheduler.clock import utc_now
from tests.bench.beat_contenders import QUEUE, TASK, Contender, Plan, cpu_seconds
from tests.bench.beat_peers import CONTENDERS

FUTURE = timedelta(days=300)
_waiting = threading.Event()


def due_plans(count: int, at: str) -> list[Plan]:
    """Return plans that are all due since the same moment."""
    return [Plan(number, datetime.fromisoformat(at)) for number in range(count)]


def steady_plans(count: int, every: float, at: str) -> list[Plan]:
    """Return plans spread evenly over the interval."""
    start = datetime.fromisoformat(at)
    return [
        Plan(number, start + timedelta(seconds=every * number / count), every)
        for number in range(count)
    ]


def idle_plans(future: int, disabled: int, at: str) -> list[Plan]:
    """Return some plans due in months, and some disabled."""
    now = datetime.fromisoformat(at)
    coming = [Plan(number, now + FUTURE, FUTURE.total_seconds()) for number in range(future)]
    return [*coming, *(Plan(future + number, now, enabled=False) for number in range(disabled))]


def fill(contender: Contender, plans: str, **options: Any) -> dict[str, Any]:
    """Make schedules. Returns the seconds."""
    began = perf_counter()
    contender.fill(globals()[f"{plans}_plans"](**options))
    return {"seconds": perf_counter() - began}


class Meter:
    """Meter of resources since its creation.

    Seconds, processor time on both sides, the server's commands and reads.
    """

    def __init__(self, redis: Any) -> None:
        self._redis, self._before = redis, self._now(redis)

    @staticmethod
    def _now(redis: Any) -> dict[str, float]:
        cpu, stats = redis.info("cpu"), redis.info("stats")
        return {
            "client_cpu": cpu_seconds(),
            "server_cpu": float(cpu["used_cpu_user"] + cpu["used_cpu_sys"]),
            "commands": float(stats["total_commands_processed"]),
            "reads": float(stats["total_reads_processed"]),
            "seconds": perf_counter(),
        }

    def used(self) -> dict[str, float]:
        """Return the resources used since the creation."""
        now = self._now(self._redis)
        return {name: now[name] - before for name, before in self._before.items()}


def run_until(contender: Contender, done: Callable[[], bool], longest: float) -> bool:
    """Run turns until `done()`, for at most `longest` seconds. Returns whether `done()` came."""
    until = monotonic() + longest
    while not done():
        if monotonic() > until:
            return False
        wait = contender.turn()
        if wait > 0 and not done():
            _waiting.wait(min(wait, 0.02))
    return True


def due(
    contender: Contender, count: int, at: str, longest: float, warm: bool = True
) -> dict[str, Any]:
    """Send all due messages, cold, and again, warm; None for a pass beyond `longest` seconds."""

    def a_pass() -> dict[str, float] | None:
        meter = Meter(contender.redis)
        ended = run_until(contender, lambda: contender.redis.llen(QUEUE) >= count, longest)
        return meter.used() if ended else None

    contender.begin(0.001)
    answer: dict[str, Any] = {"cold": a_pass(), "warm": None}
    answer["sent"] = contender.redis.llen(QUEUE)
    if warm and answer["cold"] is not None:
        contender.redis.delete(QUEUE)
        contender.rearm(due_plans(count, at))
        answer["warm"] = a_pass()
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    contender.end()
    return answer


def idle(contender: Contender, turns: int, longest: float) -> dict[str, Any]:
    """Return the median and worst seconds of turns without a due schedule, after two turns."""
    contender.begin(-1.0)  # Beatdesk sleeps within a turn, others do not: here no contender sleeps
    contender.turn()
    contender.turn()
    taken: list[float] = []
    until = monotonic() + longest
    while len(taken) < turns and (monotonic() < until or not taken):
        began = perf_counter()
        contender.turn()
        taken.append(perf_counter() - began)
    contender.end()
    return {"median": median(taken), "worst": max(taken), "turns": len(taken)}


def static(contender: Contender, count: int) -> dict[str, Any]:
    """Start with `count` entries in the code, until the end of the first turn."""
    from celery.schedules import crontab

    app = contender.app()  # type: ignore[attr-defined]
    rule = crontab(minute="0", hour="0", day_of_month="1", month_of_year="1")
    entries = {
        f"static-{number:05}": {
            "task": TASK,
            "schedule": rule,
            "args": [number],
            "options": {"queue": QUEUE},
        }
        for number in range(count)
    }
    app.conf.beat_schedule = entries
    contender.app = lambda: app  # type: ignore[attr-defined]
    began = perf_counter()
    contender.begin(1e-6)
    contender.turn()
    seconds = perf_counter() - began
    contender.end()
    return {"seconds": seconds}


def steady(contender: Contender, seconds: float) -> dict[str, Any]:
    """Run turns at Celery's pace for `seconds` seconds, or until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: _waiting.set())
    contender.begin(1.0)
    meter, until = Meter(contender.redis), monotonic() + seconds
    while monotonic() < until and not _waiting.is_set():
        wait = contender.turn()
        if wait > 0:
            _waiting.wait(min(wait, max(until - monotonic(), 0)))
    used = meter.used()
    contender.end()
    return used


def edits(contender: Contender, count: int, pause: float) -> dict[str, Any]:
    """Make due schedules one by one. Returns the seconds from each edit to the message."""
    contender.redis.delete(QUEUE)
    contender.edit(0)
    contender.redis.brpop(QUEUE, 10)
    taken: list[float] = []
    for number in range(1, count + 1):
        _waiting.wait(pause * (0.5 + (number * 0.618) % 1))
        began = perf_counter()
        contender.edit(number)
        if contender.redis.brpop(QUEUE, 10) is None:
            return {"taken": taken, "lost": number}
        taken.append(perf_counter() - began)
    return {"taken": sorted(taken), "ended_at": utc_now().isoformat()}


QUESTIONS = {
    "fill": fill,
    "due": due,
    "idle": idle,
    "static": static,
    "steady": steady,
    "edits": edits,
}


def main(key: str, question: str, url: str, folder: str, options: str) -> None:
    """Answer one question, as JSON."""
    logging.disable(logging.WARNING)
    contender = CONTENDERS[key](url, Path(folder))
    answer = QUESTIONS[question](contender, **json.loads(options))  # type: ignore[operator]
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
