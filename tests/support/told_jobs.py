"""Jobs for tests of the run's own tools. Plain `@shared_task` functions where nothing else is
needed.
"""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from celery import current_task, shared_task
from pydantic import BaseModel, Field

from scheduler.job import job, run

log = logging.getLogger("shop.tasks")


class Wish(BaseModel):
    """Parameters."""

    days: int = Field(1, ge=1, le=31, description="How many days")
    names: list[str] = []


@shared_task(name="told.steps")
def steps(total: int = 4, hold: str | None = None) -> dict[str, Any]:
    """Report progress, log, and wait for the file `hold`."""
    for step in range(1, total + 1):
        run.progress(step, total, f"step {step}")
        log.info("step %d of %d", step, total)
    if hold:
        _wait_for(Path(hold))
    tick = run.tick
    return {
        "id": run.id,
        "attempt": run.attempt,
        "schedule": run.schedule,
        "tick": None if tick is None else tick.isoformat(),
    }


@shared_task(name="told.lines")
def lines(count: int) -> None:
    """Log very much."""
    for number in range(count):
        log.info("line %d", number)


@shared_task(name="told.secret")
def secret(password: str, header: str = "", way: str = "return") -> Any:
    """Leak the secret in every possible way."""
    log.warning("the password is %s", password)
    run.progress(1, 2, f"with {password}")
    if way == "raise":
        try:
            raise KeyError(password)
        except KeyError as error:
            raise ValueError(f"{header} is wrong") from error
    if way == "file":
        Path(header).write_text(password)
        return None
    return {"header": header, "all": [password]}


@job("told.wish", params=Wish, retry_for=(Exception,), retries=2, retry_backoff=1)
def wish(wanted: Wish) -> int:
    """Return the days."""
    return wanted.days


@shared_task(
    name="told.unlucky",
    autoretry_for=(OSError,),
    max_retries=2,
    retry_backoff=1,
    retry_jitter=False,
)
def unlucky() -> int:
    """Fail twice, by declaration alone."""
    if run.attempt < 3:
        raise OSError("refused")
    return run.attempt


@shared_task(name="told.once_killed")
def once_killed(mark: str) -> str:
    """Kill the whole worker at the first time, like a power cut."""
    begun = Path(mark)
    if not begun.exists():
        begun.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return "again"


@shared_task(name="told.soft", soft_time_limit=1, time_limit=20)
def soft() -> None:
    """Take longer than the soft limit."""
    threading.Event().wait(30)


@job("told.with_flask", flask=True)
def with_flask() -> None:
    """Ask for a Flask application."""


@job("told.hurried", queue="bulk", priority=2)
def hurried() -> Any:
    """Return the message's queue and priority."""
    info = current_task.request.delivery_info
    return [info["routing_key"], info["priority"]]


@job("told.urgent", queue="critical")
def urgent(again: bool = True) -> str:
    """Send the same job once more; returns the id of the run."""
    return str(urgent.delay(again=False).id) if again else "sent"


def _wait_for(path: Path) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if path.exists():
            return
        waiting.wait(0.05)
    raise TimeoutError(f"{path} was not made")
