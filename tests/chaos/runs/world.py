"""Two servers, workers, recorders, a Beat, and a producer: what the faults are done to.

The second server is the witness's: no fault touches it, and nothing of Beatdesk's knows it.
"""

import json
import os
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import func, select

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.events.schema import RunFacts
from scheduler.history import schema_version
from scheduler.history.models import Attempt, Run, RunDetail
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Policies, Spec
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.chaos.runs.account import OPEN, Account, JobEvent, Row, Ticks
from tests.chaos.runs.jobs import EXECUTIONS, JOB, WITNESS_URL
from tests.support.processes import env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.zygote import Zygote

QUEUE = "chaos"
EVERY = timedelta(seconds=2)
POLICIES = (
    Policies(),
    Policies(overlap="allow"),
    Policies(overlap="queue_one"),
    Policies(overlap="queue_all", queue_limit=10_000, catch_up="all", catch_up_window=86_400),
)
QUIET = 240.0
"""Seconds after the last fault in which every run must have come to its end."""

_TAKE_AWAY = """
local taken = {}
for at = 1, #KEYS do
  for _, message in ipairs(redis.call('LRANGE', KEYS[at], 0, -1)) do
    taken[#taken + 1] = message
  end
  redis.call('DEL', KEYS[at])
end
return taken
"""


class World:
    """`workers` workers with two processes each, two recorders and a Beat."""

    def __init__(
        self, folder: Path, binary: Path, *, workers: int, seed: int, database: str | None = None
    ) -> None:
        self.dice = Random(seed)  # noqa: S311 - chance, not a secret
        self.folder = folder
        self.server = ValkeyServer(folder / "valkey", binary)
        self.server.start()
        self._witness = ValkeyServer(folder / "witness", binary)
        self._witness.start()
        self.settings = Settings(
            data_dir=folder,
            redis_url=self.server.url,
            database_url=database,
            secret_key="s" * 40,
            jobs=("tests.chaos.runs.jobs",),
            log_level="WARNING",
        )
        self.services = Services(self.settings)
        schema_version.upgrade(self.services.engine)
        self.redis: Any = self.services.redis
        self.redis.config_set("appendfsync", "always")
        self.account = Account()
        self.living: dict[int, list[str]] = {}
        """The words with which each process was started, by process id."""

        self._workers = workers
        self._expected: set[int] = set()
        environment = {**env_of(self.settings), WITNESS_URL: self._witness.url}
        self._zygote = Zygote("tests.chaos.runs.zygote", environment, self._restart)
        self._over = Event()
        self._producer = Thread(target=self._produce, daemon=True)
        self.pace = 20.0
        """Runs sent by name in a second."""

        self.limit = 1_000_000
        """Runs sent by name, at most."""

    def start(self) -> None:
        """Start all processes and the producer."""
        self._offer()
        for number in range(self._workers):
            self.start_worker(f"w{number}")
        for number in range(2):
            self.start_process(["recorder", f"r{number}"])
        self.start_process(["beat", "--loglevel=WARNING"])
        wait_for(lambda: self.redis.hlen(keys.WORKERS_HASH) >= self._workers, 60, "workers live")
        self._schedule()
        self._producer.start()

    def start_worker(self, name: str) -> int:
        """One more worker with two processes."""
        words = ["worker", "-c", "2", "-Q", QUEUE, "-n", f"{name}@chaos", "--loglevel=WARNING"]
        return self.start_process(words)

    def start_process(self, words: list[str]) -> int:
        """One more process; returns its id."""
        pid = self._zygote.start(self.folder / f"{words[0]}.log", words)
        self.living[pid] = words
        return pid

    def of(self, kind: str) -> list[int]:
        """Ids of the living processes of a kind: `worker`, `recorder`, `beat`."""
        return [pid for pid, words in self.living.items() if words[0] == kind]

    def children(self, pid: int) -> list[int]:
        """Ids of a process's children."""
        try:
            return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
        except OSError:
            return []

    def kill(self, pid: int, *, whole: bool = True) -> None:
        """SIGKILL to a process with its children (`whole`) or alone, and another in its place."""
        words = self.living.pop(pid, None)
        self._expected.add(pid)
        victims = [pid, *self.children(pid)] if whole else [pid]
        for victim in victims:
            self.kill_one(victim)
        if words is not None:
            self.start_process(words)

    def kill_one(self, pid: int) -> None:
        """SIGKILL to one process."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.account.deaths[pid] = time.time()  # noqa: TID251 - compared with the witness's

    def take_away_messages(self) -> None:
        """Delete the queue, and note which runs were in it."""
        with suppress(RedisError):
            names = [QUEUE, *(f"{QUEUE}\x06\x16{priority}" for priority in (3, 6, 9))]
            taken = self.redis.eval(_TAKE_AWAY, len(names), *names)
            runs = {json.loads(message)["headers"]["id"] for message in taken}
            self.account.taken_away |= runs

    def finish(self) -> None:
        """Stop producing, wait until every run has come to its end, and complete the account."""
        self._over.set()
        self._producer.join()
        for name in self.services.schedules.names():
            self.services.schedules.set_enabled(name, False, edit=self._edit())
        with suppress(AssertionError):  # what is still open then is a finding
            wait_for(self._is_quiet, QUIET, "every run is over")
        self._read_account()

    def end(self) -> None:
        """Throw it away."""
        self._zygote.kill()
        for pid in list(self.living):
            for victim in (*self.children(pid), pid):
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        self.redis.close()
        self.services.engine.dispose()
        self.server.stop()
        self._witness.stop()

    def logs(self) -> str:
        """The last lines of the processes."""
        return "\n".join(
            f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}"
            for path in self.folder.glob("*.log")
        )

    def _produce(self) -> None:
        """Send runs by name, as the console does, and note which were accepted."""
        while not self._over.wait(1 / self.pace) and len(self.account.accepted) < self.limit:
            now = utc_now()
            facts = RunFacts(job=JOB, trigger="manual", actor="chaos", queue=QUEUE, queued_at=now)
            seconds = self.dice.choice((0.0, 0.0, 0.01, 0.1, 1.5))
            with suppress(BeatdeskError, RedisError, OSError):
                run = self.services.control.send(facts, [], {"seconds": seconds}, now=now)
                self.account.accepted.add(run)

    def _offer(self) -> None:
        """Name the job to the catalogue, before a worker does."""
        now = utc_now()
        offered = Job(name=JOB, parameters=[Parameter(name="seconds", required=False)])
        worker = Worker(name="none", pid=1, host="h", at=now, jobs=[JOB])
        self.services.catalogue.publish([offered], worker, now)

    def _schedule(self) -> None:
        """A schedule for each policy."""
        for number, policies in enumerate(POLICIES):
            spec = Spec(
                name=f"steady-{number}",
                job=JOB,
                when=IntervalWhen(every=EVERY.total_seconds()),
                kwargs={"seconds": 0.3},
                queue=QUEUE,
                policies=policies,
            )
            saved = self.services.schedules.create(spec, edit=self._edit())
            anchor = saved.when.anchor  # type: ignore[union-attr] # an interval
            assert anchor is not None
            self.account.expected[saved.uid] = (anchor + EVERY, anchor, EVERY)

    @staticmethod
    def _edit() -> Edit:
        return Edit(actor="chaos", now=utc_now())

    def _is_quiet(self) -> bool:
        """Whether nothing waits anywhere and every row is final."""
        with self.services.engine.connect() as connection:
            is_open = Run.state.in_(sorted(OPEN))
            rows = connection.scalar(select(func.count()).where(is_open)) or 0
        lists = self.redis.llen(QUEUE) + self.redis.hlen("unacked")
        return rows == 0 and lists == 0 and self.services.events.length() == 0

    def _read_account(self) -> None:
        """What the witness and the history say."""
        witness = self._witness.client()
        for text in witness.lrange(EXECUTIONS, 0, -1):  # type: ignore[union-attr] # a list
            self.account.job_events.append(JobEvent(**json.loads(text)))
        witness.close()
        counts = select(Attempt.run_id, func.count()).group_by(Attempt.run_id)
        joined = select(Run.__table__, RunDetail.error).outerjoin_from(
            Run, RunDetail, RunDetail.run_id == Run.id
        )
        with self.services.engine.connect() as connection:
            attempts: dict[str, int] = dict(connection.execute(counts).tuples().all())
            for row in connection.execute(joined):
                self._take_row(row, attempts.get(row.id, 0))
        for uid, (first, _, every) in list(self.account.expected.items()):
            ticks = [ticks for ticks in self.account.ticks if ticks.uid == uid]
            last = max((one.first + (one.count - 1) * every for one in ticks), default=first)
            self.account.expected[uid] = (first, last, every)

    def _take_row(self, row: Any, attempts: int) -> None:
        explained = bool(row.reason or row.error)
        if row.tick is not None and row.schedule_uid in self.account.expected:
            last = row.tick_to or row.tick
            self.account.ticks.append(Ticks(row.schedule_uid, row.tick, last, row.ticks))
        if row.tick_to is None and row.state != "missed":
            self.account.rows[row.id] = Row(row.id, row.state, attempts, explained)

    def _restart(self, pid: int, _code: int) -> None:
        """Start a process again that ended by itself."""
        if pid in self._expected:
            return
        words = self.living.pop(pid, None)
        if words is not None and not self._over.is_set():
            Thread(target=self.start_process, args=[words], daemon=True).start()
