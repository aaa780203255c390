"""Jobs that show what a worker's pool can do."""

import logging
import threading
from pathlib import Path

from celery import shared_task

log = logging.getLogger("shop.pools")


@shared_task(name="pool.talks")
def talks(seconds: float = 0.5) -> str:
    """Log two lines."""
    log.info("begins")
    threading.Event().wait(seconds)
    log.info("ends")
    return "two lines"


@shared_task(name="pool.limited", soft_time_limit=1, time_limit=2)
def limited(seconds: float = 4.0) -> str:
    """Take longer than the limits."""
    threading.Event().wait(seconds)
    return "waited"


@shared_task(name="pool.blocks")
def blocks(mark: str, release: str) -> str:
    """Compute, without giving way to anything else, until the file `release` is there."""
    with Path(mark).open("a") as file:
        file.write("begin\n")
    while not Path(release).exists():
        sum(range(10_000))
    return "computed"
