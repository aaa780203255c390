"""A worker's heartbeat: the offered jobs at the start, and every few seconds a sign of life.

A thread in the worker's main process. Not a timer on the event loop, which stands still while a
worker drains: a worker that finishes a long job must neither look dead nor lose the claim on the
job's message.
"""

import logging
import os
import socket
import threading
import time
from datetime import datetime, timedelta
from typing import Any

from celery import signals
from celery.worker import state
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.catalogue.records import Job, Worker
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.worker import retrying
from scheduler.worker.claims import renew
from scheduler.worker.execution import captured, own_jobs, runtime
from scheduler.worker.held_runs import forget_messages, held_runs
from scheduler.worker.introspect import jobs_of
from scheduler.worker.parts import parts_for
from scheduler.worker.process.lifeline import Lifeline
from scheduler.worker.process.os_threads import unpatched
from scheduler.worker.process.pools import PREFORK, abilities_of
from scheduler.worker.signals import RunSignals

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0

GIVE_UP_SECONDS = 45.0
"""Seconds without a renewal of leases after which a worker stops its jobs.

Shorter than a lease (`leases.HELD_SECONDS`): the jobs end before another worker begins with the
runs.
"""

FENCE_SECONDS = 1.0
"""Seconds between two looks at the age of the newest renewal."""


CANCELLED_OVERLAP = timedelta(seconds=30)
"""Overlap of two reads of the cancelled runs: hosts' clocks may differ."""


class WorkerHeartbeat:
    """The heartbeat's thread.

    Also renews leases and claims, and flushes the event buffer of `run_signals` once Redis is back.
    """

    def __init__(self, app: BeatdeskApp, run_signals: RunSignals) -> None:
        self._app = app
        self._signals = run_signals
        self._stop = threading.Event()
        self._jobs: list[Job] = []
        self._published = False
        self._worker_name = ""
        self._renewed_at = 0.0
        self._unknown: frozenset[str] = frozenset()
        self._cancelled_until: datetime | None = None
        self._pool = PREFORK
        self._runtime_by_process: tuple[int, runtime.Runtime] | None = None

    def connect(self) -> None:
        """Connect to Celery's signals of a worker's start and end."""
        signals.worker_init.connect(self.prepare, weak=False)
        signals.worker_process_init.connect(self.prepare, weak=False)
        signals.worker_ready.connect(self.begin, weak=False)
        signals.worker_shutdown.connect(self.end, weak=False)

    def prepare(self, sender: Any = None, **_: Any) -> None:
        """Wrap the jobs of the process, before the first job runs."""
        hostname = sender if isinstance(sender, str) else None
        retrying.install(self._app, hostname)
        runtime.install(self._app, hostname, self._runtime)
        captured.install(self._app.settings.run_log_level)

    def _runtime(self) -> runtime.Runtime:
        """The runtime of jobs in the process."""
        if self._runtime_by_process is None or self._runtime_by_process[0] != os.getpid():
            made = runtime.Runtime(self._app, self._signals.reporter().events, self._pool)
            self._runtime_by_process = (os.getpid(), made)
        return self._runtime_by_process[1]

    def begin(self, sender: Any = None, **_: Any) -> None:
        """Start the thread; the worker is connected, and takes the first message afterwards."""
        self._load_cancellations()
        self._jobs = jobs_of(self._app)
        self._pool = abilities_of(sender.pool)
        if self._pool is not PREFORK:
            self._prepare_jobs_in_this_process(sender)
        self._renewed_at = time.monotonic()
        threads = {"beatdesk-heartbeat": self._run, "beatdesk-fence": self._watch_renewals}
        for name, run in threads.items():
            threading.Thread(target=run, args=(sender,), name=name, daemon=True).start()

    def _prepare_jobs_in_this_process(self, consumer: Any) -> None:
        """Capture log lines where jobs run in the worker's own process; log the pool's limitations.

        The worker has set up logging since `prepare`, and thereby replaced the handlers.
        """
        captured.install(self._app.settings.run_log_level)
        log.warning(
            "the pool %s cannot %s; for jobs that need this, start a worker with the pool prefork",
            self._pool.name,
            ", and cannot ".join(self._pool.lacks),
        )
        threads = unpatched()
        if threads is not None:
            Lifeline(
                self._app,
                consumer,
                lambda: self._worker_record(consumer, utc_now()),
                EVERY_SECONDS,
                self._stop.is_set,
            ).start(threads)

    def end(self, **_: Any) -> None:
        """Stop the thread and leave the catalogue; the worker has drained."""
        self._stop.set()
        try:
            self._signals.reporter().events.flush()
            parts_for(self._app).catalogue.leave(self._worker_name)
        except (RedisError, BeatdeskError) as error:
            log.warning("the worker's leave cannot be written down: %s", error)

    def _load_cancellations(self) -> None:
        """Tell Celery the runs that were cancelled while no worker listened."""
        try:
            state.revoked.update(parts_for(self._app).cancellations.runs())
        except (RedisError, ValueError, KeyError) as error:
            log.warning("the list of cancelled runs cannot be read: %s", error)

    def _load_new_cancellations(self, now: datetime) -> None:
        """Tell Celery the runs that were cancelled lately: a broadcast may not have arrived."""
        since = self._cancelled_until or now
        new = parts_for(self._app).cancellations.since(since - CANCELLED_OVERLAP)
        state.revoked.update(new)
        self._cancelled_until = now

    def _run(self, consumer: Any) -> None:
        self._worker_name = consumer.hostname
        self._renewed_at = time.monotonic()
        while True:
            self.beat(consumer)
            if self._stop.wait(EVERY_SECONDS):
                return

    def beat(self, consumer: Any) -> None:
        """Make a heartbeat. A failed step is tried again with the next heartbeat."""
        now = utc_now()
        steps = (
            lambda: self._renew_leases(consumer),
            lambda: renew(consumer),
            lambda: self._settle(consumer),
            lambda: self._publish(consumer, now),
            lambda: self._load_new_cancellations(now),
            self._flush_events,
        )
        for step in steps:
            try:
                step()
            except (RedisError, KombuError, BeatdeskError, OSError, RuntimeError) as error:
                log.warning(
                    "a sign of life failed, the next follows in %g s: %s", EVERY_SECONDS, error
                )
            except Exception:  # the thread must not end, or a living worker counts as dead
                log.exception("a sign of life failed, the next follows in %g s", EVERY_SECONDS)

    def _renew_leases(self, consumer: Any) -> None:
        """Renew the leases of the worker's runs, and stop the jobs with a lost lease."""
        held = held_runs(consumer, self._unknown)
        renewal = parts_for(self._app).leases.renew(held, consumer.hostname)
        self._renewed_at = time.monotonic()
        self._unknown = frozenset(renewal.unknown)
        taken_away = frozenset(renewal.taken_away)
        if taken_away:
            events = self._signals.reporter().events
            own_jobs.stop(consumer, events, own_jobs.TAKEN_AWAY, taken_away.__contains__)
            forget_messages(consumer, taken_away)

    def _watch_renewals(self, consumer: Any) -> None:
        """Stop all jobs where no lease could be renewed for `GIVE_UP_SECONDS`.

        A thread of its own: each step of a heartbeat may wait ten seconds for a silent server, and
        leases end soon after the give-up.
        """
        while not self._stop.wait(FENCE_SECONDS):
            try:
                self._stop_unrenewed(consumer)
            except Exception:  # the thread must not end: it keeps a run from running twice
                log.exception("jobs without leases could not be stopped, tried again at once")

    def _stop_unrenewed(self, consumer: Any) -> None:
        if time.monotonic() - self._renewed_at >= GIVE_UP_SECONDS:
            events = self._signals.reporter().events
            reason = own_jobs.UNRENEWED.format(seconds=GIVE_UP_SECONDS)
            consumer.stopped_runs.update(request.id for request in list(state.active_requests))
            own_jobs.stop(consumer, events, reason, lambda _run: True)

    def _settle(self, consumer: Any) -> None:
        """Forget the ends of runs whose messages another broker than Redis has acknowledged."""
        settled = [consumer.settled.popleft() for _ in range(len(consumer.settled))]
        try:
            parts_for(self._app).deliveries.settle(settled, consumer.hostname)
        except (RedisError, OSError):
            consumer.settled.extendleft(reversed(settled))
            raise

    def _flush_events(self) -> None:
        events = self._signals.reporter().events
        if events.waiting:
            events.flush()

    def _publish(self, consumer: Any, now: Any) -> None:
        catalogue = parts_for(self._app).catalogue
        worker = self._worker_record(consumer, now)
        if self._published and catalogue.heartbeat(worker):
            return
        catalogue.publish(self._jobs, worker, now)
        if self._published:
            log.warning("Redis had lost the catalogue; this worker's jobs are published again")
            catalogue.note_refill(worker, now)
        self._published = True

    def _worker_record(self, consumer: Any, now: Any) -> Worker:
        return Worker(
            name=consumer.hostname,
            pid=os.getpid(),
            host=socket.gethostname(),
            at=now,
            queues=sorted(self._app.amqp.queues.consume_from),
            concurrency=consumer.controller.concurrency or 1,
            jobs=[job.name for job in self._jobs],
            active=len(state.active_requests),
            pool=self._pool.name,
            stops_jobs=self._pool.stops_jobs,
        )
