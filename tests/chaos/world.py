"""A server, three Beats, schedules that fire each second, a witness and an editor: the target of
faults.
"""

import os
import signal
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from redis.exceptions import RedisError

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.redbeat import waiting
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Policies, Spec
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.chaos.checker import Account, Verdict
from tests.chaos.editor import Editor
from tests.chaos.witness import QUEUE, Witness
from tests.support.processes import env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.zygote import Zygote

OUR_BEAT = "scheduler.beat.Scheduler"
STOCK = "redbeat.RedBeatScheduler"
BEATS = 3
TTL = 3
"""Seconds for which a dead leader's lock remains."""

SECOND = timedelta(seconds=1)
JOB = "chaos.job"
"""One that Beat does not know: it checks the arguments of those it does, and edits give this one
another each time.
"""
EDITED = 8
REGARDLESS = Policies(overlap="allow")
POLICIES = {
    0: Policies(overlap="queue_one"),
    1: Policies(overlap="queue_all", queue_limit=10_000, catch_up="all", catch_up_window=86_400),
}
"""Of each ten schedules; the others start regardless, and only their newest tick after an absence.
"""

BAD = {
    "bad-json": {"definition": "{", "meta": "{}"},
    "bad-minute": {
        "definition": '{"name": "bad-minute", "task": "x", "schedule": {"__type__": "crontab", "minute": "61"}}'
    },
    "bad-type": {
        "definition": '{"name": "bad-type", "task": "x", "schedule": {"__type__": "pickle"}}',
        "meta": "{}",
    },
}


class World:
    """`schedules` fire each second at the same moment; a few more wait for each other, or are
    edited.
    """

    def __init__(
        self, folder: Path, binary: Path, *, scheduler: str = OUR_BEAT, schedules: int, seed: int
    ) -> None:
        self.server, self.scheduler, self._folder = (
            ValkeyServer(folder / "valkey", binary),
            scheduler,
            folder,
        )
        self.server.start()
        self.settings = Settings(
            data_dir=folder,
            redis_url=self.server.url,
            secret_key="s" * 40,
            beat_lock_timeout=TTL,
            log_level="WARNING",
        )
        self.services = Services(self.settings)
        self.redis: Any = self.services.redis
        self.account = Account()
        self.beats: set[int] = set()
        self._expected: set[int] = set()
        self._zygote = Zygote("tests.chaos.zygote", env_of(self.settings), self._restart)
        self.kills = 0
        self.witness = Witness(self.services, self.account, self._fill(schedules))
        names = [f"edited-{number}" for number in range(EDITED)]
        self.editor = Editor(self.services, names, self._spec("born", self.anchor), seed)

    def start(self) -> None:
        """Start the world, and wait until a Beat leads."""
        self.witness.start()
        for _ in range(BEATS):
            self.start_beat()
        wait_for(lambda: self.redis.exists(keys.BEAT_LOCK), 30, "a Beat leads")
        self.editor.start()

    def start_beat(self) -> None:
        """One more."""
        self.beats.add(self._zygote.start(self._folder / "beats.log", [self.scheduler], timeout=20))

    def kill(self, pid: int) -> None:
        """SIGKILL to a Beat, and another in its place."""
        self._expected.add(pid)
        self.beats.discard(pid)
        self.kills += 1
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.start_beat()

    def leader(self) -> int | None:
        """The leading process, as far as its lock tells; None for stock's lock."""
        try:
            token = self.redis.get(keys.BEAT_LOCK)
        except RedisError:
            return None
        parts = (token or "").split(":")
        pid = int(parts[2]) if len(parts) == 4 and parts[2].isdigit() else None
        return pid if pid in self.beats else None

    def wait_for_a_leader(self) -> None:
        """Return when some Beat has the lock, or soon."""
        with suppress(AssertionError):
            wait_for(self._is_led, TTL + 2)

    def finish(self) -> None:
        """Wait for verdicts on due ticks, end all in order, and complete the account."""
        self.editor.finish()
        wait_for(self._nothing_overdue, 60, "everything that is due has been dealt with")
        self._expected |= self.beats
        for pid in self.beats:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(map(_lives, self.beats)), 30, "the Beats have ended")
        self.witness.finish()
        self.account.edits_undone = self.editor.undone()
        listed = self.redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True)
        self.account.not_set_aside = [key for key, score in listed if "bad-" in key and score != -1]
        for name in self.services.schedules.names():
            found = None if name in BAD else self.services.schedules.listed(name)
            if found is not None and found.schedule is not None and found.last_run_at is not None:
                self.account.reached[found.schedule.uid] = found.last_run_at
        for uid in self.account.reached:
            for text in self.redis.zrange(keys.WAITING_PREFIX + uid, 0, -1):
                tick = waiting.read(text).tick
                self.account.verdicts.append(Verdict(uid, tick, tick, 1, "waits"))

    def end(self) -> None:
        """Throw it away."""
        self._zygote.kill()
        for pid in self.beats:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.redis.close()
        self.server.stop()

    def _restart(self, pid: int, code: int) -> None:
        """Start a Beat again that ended by itself, which is a finding."""
        if pid in self._expected:
            return
        self.beats.discard(pid)
        self.account.died.append(f"exit code {code}")
        Thread(target=self.start_beat, daemon=True).start()

    def _fill(self, schedules: int) -> set[str]:
        """Create the schedules; returns the uids of schedules whose ticks wait for the run
        before.
        """
        now = utc_now()
        offered = Job(name=JOB, parameters=[Parameter(name="n", required=False)])
        self.services.catalogue.publish(
            [offered], Worker(name="w", pid=1, host="h", at=now, jobs=[JOB]), now
        )
        self.anchor = now.replace(microsecond=0) + SECOND
        finishing = set()
        for number in range(schedules):
            policies = POLICIES.get(number % 10, REGARDLESS)
            uid = self._create(self._spec(f"steady-{number:04}", self.anchor, policies), now)
            if policies.overlap != "allow":
                finishing.add(uid)
        for number in range(EDITED):
            self._create(self._spec(f"edited-{number}", self.anchor), now)
        for name, fields in BAD.items():
            self.redis.hset(keys.entry(name), mapping=fields)
            self.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): now.timestamp()})
        return finishing

    def _create(self, spec: Spec, now: datetime) -> str:
        saved = self.services.schedules.create(spec, edit=Edit(actor="chaos", now=now))
        self.account.begun[saved.uid], self.account.every[saved.uid] = self.anchor, SECOND
        return saved.uid

    def _spec(self, name: str, anchor: datetime, policies: Policies = REGARDLESS) -> Spec:
        when = IntervalWhen(every=SECOND.total_seconds(), anchor=anchor)
        return Spec(name=name, job=JOB, when=when, queue=QUEUE, policies=policies)

    def _is_led(self) -> bool:
        try:
            return bool(self.redis.exists(keys.BEAT_LOCK)) and (
                self.scheduler != OUR_BEAT or self.leader() is not None
            )
        except RedisError:
            return False

    def _nothing_overdue(self) -> bool:
        """Whether a leader is there and keeps up."""
        try:
            seconds, micros = self.redis.time()
            late = self.redis.zrange(
                keys.SCHEDULE_ZSET, 0, seconds + micros / 1e6 - 1.5, byscore=True
            )
            return not late and bool(self.redis.exists(keys.BEAT_LOCK))
        except RedisError:
            return False


def _lives(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
