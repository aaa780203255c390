"""Jobs to try Beatdesk out with."""

import threading

from celery import shared_task

LONGEST = 3600


@shared_task(name="demo.long_task")
def long_task(duration: int = 12) -> dict[str, int]:
    """A job that takes its time.

    Works for `duration` seconds (0 to 3600) and returns how long it took.
    """
    if isinstance(duration, bool) or not isinstance(duration, int) or not 0 <= duration <= LONGEST:
        raise ValueError(f"duration is a whole number of seconds from 0 to {LONGEST}, not {duration!r}")
    threading.Event().wait(duration)
    return {"duration": duration}
