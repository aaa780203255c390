"""A job for trying Beatdesk out."""

import logging
import threading

from celery import shared_task

from scheduler.job import run

LONGEST = 3600

log = logging.getLogger(__name__)


@shared_task(name="demo.long_task")
def long_task(duration: int = 12) -> dict[str, int]:
    """Work for a while.

    Works for `duration` seconds (0 to 3600), reports its progress each second, and returns the
    duration.
    """
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 <= duration <= LONGEST:
        raise ValueError(
            f"duration is a whole number of seconds from 0 to {LONGEST}, not {duration!r}"
        )
    log.info("working for %d seconds", duration)
    for second in range(duration):
        run.progress(second, duration, f"second {second + 1}")
        threading.Event().wait(1)
    log.info("done")
    return {"duration": duration}
