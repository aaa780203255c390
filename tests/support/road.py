"""All processes beside one Valkey and one database, started by the commands of the
documentation.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from scheduler.clock import utc_now
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.services.services import Services
from tests.support.console import Console, Page
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

BEAT = ("celery", "-A", "scheduler", "beat", "-S", "redbeat.RedBeatScheduler")
WORKER = ("celery", "-A", "scheduler", "worker")
RECORDER = ("beatdesk", "recorder")
EMAIL = "ada@example.org"
PASSWORD = "a long enough phrase"


class Road:
    """Beat, worker, recorder and web as processes of their own. Only `supervise` restarts a
    process.
    """

    def __init__(self, services: Services, valkey: ValkeyServer) -> None:
        self.services = services
        self.valkey = valkey
        self.env = env_of(services.settings)
        self.port = free_port()
        self.beat = self._start("beat", *BEAT)
        self.worker = self._start("worker", *WORKER)
        self.recorder = self._start("recorder", *RECORDER)
        self.web = self._start(
            "web",
            "gunicorn",
            "webadmin:create_app()",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--threads",
            "4",
            "--no-control-socket",
            "--no-control-socket",
        )

    def wait_until_open(self) -> Console:
        """The console, logged in, when the workers' jobs are offered."""
        self.services.accounts.create(EMAIL, PASSWORD, "admin", now=utc_now())
        wait_for(lambda: listens(self.port), 60, "the console listens")
        console = Console(f"http://127.0.0.1:{self.port}")
        console.login(EMAIL, PASSWORD)
        wait_for(
            lambda: self.services.catalogue.get("tests.echo"), 60, "a worker has published its jobs"
        )
        return console

    def supervise(self) -> bool:
        """Restart Beat after its end, like a supervisor: stock Beat ends when its lock is gone."""
        if not self.beat.running():
            self.beat = self._start("beat", *BEAT)
        return True

    def restart_recorder(self) -> None:
        """Start a new recorder in place of an ended or killed one."""
        self.recorder = self._start("recorder", *RECORDER)

    def end(self) -> None:
        """End all processes, producers of work first."""
        for process in (self.beat, self.web, self.worker, self.recorder):
            process.terminate()
        for process in (self.beat, self.web, self.worker, self.recorder):
            process.forget()

    def runs(self, schedule: str, **more: Any) -> list[RunView]:
        """Every recorded run of a schedule, oldest first."""
        found: list[RunView] = []
        after: str | None = None
        while True:
            page = self.services.history.runs(
                RunFilter(schedule=schedule, **more), after=after, limit=100
            )
            found += page.items
            after = page.next
            if after is None:
                return found[::-1]

    def done(self, schedule: str) -> list[RunView]:
        """The successful runs."""
        return self.runs(schedule, state="succeeded")

    def wait_for_runs(
        self, schedule: str, more_than: int = 0, timeout: float = 60
    ) -> list[RunView]:
        """The schedule's successful runs, when more than `count` are recorded."""
        what = f"{schedule} has more than {more_than} successful runs"

        def enough() -> list[RunView]:
            self.supervise()
            done = self.done(schedule)
            return done if len(done) > more_than else []

        return wait_for(enough, timeout, what, every=0.2)

    def _start(self, name: str, *command: str) -> Process:
        return Process(*command, env=self.env, name=name, keep=True)


def save(console: Console, name: str, **fields: str) -> Page:
    """Fill in the form of a new schedule and send it."""
    return console.submit("/schedules/new", "crontab", name=name, arguments="json", **fields)


def edit(console: Console, name: str, **fields: str) -> Page:
    """Change fields of a saved schedule."""
    return console.submit(f"/schedules/{name}/edit", "crontab", arguments="json", **fields)


def delete(console: Console, name: str) -> Page:
    """Delete a schedule by its confirmation page."""
    return console.submit(f"/schedules/{name}/delete", "revision")


def gaps(runs: Iterable[RunView], every: float) -> list[tuple[datetime, datetime]]:
    """Ticks without a verdict, between the first and the last tick: neither a run nor a range of
    missed ticks.
    """
    spans = sorted((run.tick, run.tick_to or run.tick) for run in runs if run.tick is not None)
    step = timedelta(seconds=every)
    return [(end, start) for (_, end), (start, _) in pairwise(spans) if start - end > step]


def twice(runs: Iterable[RunView]) -> list[datetime]:
    """Ticks with more than one run or range."""
    ticks = [run.tick for run in runs if run.tick is not None]
    return sorted({tick for tick in ticks if ticks.count(tick) > 1})
