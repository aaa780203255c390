"""A worker's heartbeat: the offered jobs at its start, and every few seconds a sign of life.

One thread in the worker's main process. Not a timer on the event loop, which stands still while a
worker drains: a worker that finishes a long job must neither look dead nor lose its claim on the
message.
"""

import logging
import os
import socket
import threading
from typing import Any

from celery import signals
from celery.worker import state
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.catalogue.catalogue import Job, Worker
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.worker import captured, retrying, runtime
from scheduler.worker.claims import renew
from scheduler.worker.introspect import jobs_of
from scheduler.worker.parts import parts_for
from scheduler.worker.signals import RunSignals

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


class WorkerHeartbeat:
    """The heartbeat's thread. It also renews leases and claims, and flushes the event buffer of
    `run_signals` once Redis is back.
    """

    def __init__(self, app: BeatdeskApp, run_signals: RunSignals) -> None:
        self._app = app
        self._signals = run_signals
        self._stop = threading.Event()
        self._jobs: list[Job] = []
        self._published = False
        self._worker_name = ""
        self._runtime_by_process: tuple[int, runtime.Runtime] | None = None

    def connect(self) -> None:
        """Connect to Celery's signals of a worker's start and end."""
        signals.worker_init.connect(self.prepare, weak=False)
        signals.worker_process_init.connect(self.prepare, weak=False)
        signals.worker_ready.connect(self.begin, weak=False)
        signals.worker_shutdown.connect(self.end, weak=False)

    def prepare(self, sender: Any = None, **_: Any) -> None:
        """Wrap the jobs of this process, before the first of them runs."""
        hostname = sender if isinstance(sender, str) else None
        retrying.install(self._app, hostname)
        runtime.install(self._app, hostname, self._runtime)
        captured.install(self._app.settings.run_log_level)

    def _runtime(self) -> runtime.Runtime:
        """The runtime of jobs in this process."""
        if self._runtime_by_process is None or self._runtime_by_process[0] != os.getpid():
            made = runtime.Runtime(self._app, self._signals.reporter().events)
            self._runtime_by_process = (os.getpid(), made)
        return self._runtime_by_process[1]

    def begin(self, sender: Any = None, **_: Any) -> None:
        """Start the thread; the worker is connected, and takes its first message afterwards."""
        self._load_cancellations()
        self._jobs = jobs_of(self._app)
        threading.Thread(
            target=self._run, args=(sender,), name="beatdesk-heartbeat", daemon=True
        ).start()

    def end(self, **_: Any) -> None:
        """Stop the thread and leave the catalogue; the worker has drained."""
        self._stop.set()
        try:
            self._signals.reporter().events.flush()
            parts_for(self._app).catalogue.leave(self._worker_name)
        except (RedisError, BeatdeskError) as error:
            log.warning("the worker's leave cannot be written down: %s", error)

    def _load_cancellations(self) -> None:
        """Tell Celery which runs were cancelled while no worker listened."""
        try:
            state.revoked.update(parts_for(self._app).cancellations.runs())
        except (RedisError, ValueError, KeyError) as error:
            log.warning("the list of cancelled runs cannot be read: %s", error)

    def _run(self, consumer: Any) -> None:
        self._worker_name = consumer.hostname
        while True:
            self.beat(consumer)
            if self._stop.wait(EVERY_SECONDS):
                return

    def beat(self, consumer: Any) -> None:
        """Make one heartbeat. A step that fails is tried again with the next heartbeat."""
        now = utc_now()
        steps = (
            self._renew_leases,
            lambda: self._publish(consumer, now),
            lambda: renew(consumer, now),
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

    def _renew_leases(self) -> None:
        """Renew the leases of this worker's runs."""
        parts_for(self._app).leases.renew(self._signals.runs_taken())

    def _flush_events(self) -> None:
        events = self._signals.reporter().events
        if events.waiting:
            events.flush()

    def _publish(self, consumer: Any, now: Any) -> None:
        catalogue = parts_for(self._app).catalogue
        worker = self._worker_record(consumer, now)
        if self._published:
            catalogue.heartbeat(worker)
            return
        catalogue.publish(self._jobs, worker, now)
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
        )
