"""Growth of the console's memory over thousands of pages, while the history grows.

python -m tests.bench.console_memory REDIS_URL [ROUNDS]

The server must be a throw-away one: all data is deleted. In each round a run is recorded and every
kind of page is asked for, searches with ever other words too. The first rounds fill the caches; the
aim is a flat line afterwards.
"""

import gc
import logging
import resource
import sys
from datetime import timedelta
from pathlib import Path

import click

from scheduler.history.recording.writer import write_events
from tests.bench.figures import machine, table
from tests.bench.healing import fill
from tests.bench.list_page import logged_in
from tests.bench.throw_away import throw_away_services
from tests.support.builders import NOON, a_run_history, a_schedule

SCHEDULES = 60
FIRST_ROUNDS = 60
PAGES = (
    "/",
    "/schedules/",
    "/runs/",
    "/runs/?state=failed",
    "/runs/?q=run-{round}",
    "/runs/?q=job-{few}",
    "/runs/run-{round}",
    "/changes/",
)


def resident() -> int:
    """Return the resident memory of this process in kB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def main(redis_url: str, rounds: str = "600") -> None:
    """Print the growth after each tenth of the rounds."""
    logging.disable(logging.CRITICAL)
    with throw_away_services(redis_url) as services:
        fill(services, SCHEDULES)
        client = logged_in(services)
        rows, before = [], 0
        for number in range(FIRST_ROUNDS + int(rounds)):
            schedule = a_schedule(f"job-{number % SCHEDULES:05}")
            tick = NOON + timedelta(seconds=number)
            write_events(
                services.engine, a_run_history(f"run-{number}", schedule=schedule, tick=tick)
            )
            for page in PAGES:
                client.get(page.format(round=number, few=number % 9))
            done = number + 1 - FIRST_ROUNDS
            if done >= 0 and done % max(1, int(rounds) // 10) == 0:
                gc.collect()
                before = before or resident()
                rows.append([f"{done * len(PAGES)} pages", f"{resident() - before} kB"])
        click.echo(machine())
        table("resident memory of the console", ["after", "growth"], rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
