"""A worker's sign of life: what it offers when it starts, and every few seconds that it is still
there.

One thread in the worker's main process. Not a timer on its event loop: that stands still while a
worker drains, and a worker that finishes a long job must neither look dead nor lose its claim on
the message.
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
    """The thread, and what it says. `run_signals` has the outbox that it empties when Redis is
    back.
    """

    def __init__(self, app: BeatdeskApp, run_signals: RunSignals) -> None:
        self._app = app
        self._signals = run_signals
        self._stop = threading.Event()
        self._jobs: list[Job] = []
        self._published = False
        self._made: tuple[int, runtime.Runtime] | None = None

    def connect(self) -> None:
        """Listen for the worker's beginning and end."""
        signals.worker_init.connect(self.prepare, weak=False)
        signals.worker_process_init.connect(self.prepare, weak=False)
        signals.worker_ready.connect(self.begin, weak=False)
        signals.worker_shutdown.connect(self.end, weak=False)

    def prepare(self, sender: Any = None, **_: Any) -> None:
        """Before the first job: what schedules ask of any job, and what every job gets."""
        hostname = sender if isinstance(sender, str) else None
        retrying.install(self._app, hostname)
        runtime.install(self._app, hostname, self._parts)
        captured.install(self._app.settings.run_log_level)

    def _parts(self) -> runtime.Runtime:
        """What jobs use in this process."""
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), runtime.Runtime(self._app, self._signals.reporter().outbox))
        return self._made[1]

    def begin(self, sender: Any = None, **_: Any) -> None:
        """The worker is connected, and takes its first message after this."""
        self._recall()
        self._jobs = jobs_of(self._app)
        threading.Thread(
            target=self._run, args=(sender,), name="beatdesk-pulse", daemon=True
        ).start()

    def end(self, **_: Any) -> None:
        """The worker has drained."""
        self._stop.set()
        try:
            self._signals.reporter().outbox.flush()
            parts_for(self._app).catalogue.leave(self._name)
        except (RedisError, BeatdeskError) as error:
            log.warning("the worker's leave cannot be written down: %s", error)

    def _recall(self) -> None:
        """Learn which runs were cancelled while nobody listened."""
        try:
            state.revoked.update(parts_for(self._app).cancellations.runs())
        except (RedisError, ValueError, KeyError) as error:
            log.warning("the list of cancelled runs cannot be read: %s", error)

    _name = ""

    def _run(self, consumer: Any) -> None:
        self._name = consumer.hostname
        while True:
            self.beat(consumer)
            if self._stop.wait(EVERY_SECONDS):
                return

    def beat(self, consumer: Any) -> None:
        """One sign of life. Whatever fails is tried again with the next."""
        now = utc_now()
        steps = (
            self._keep_runs,
            lambda: self._say(consumer, now),
            lambda: renew(consumer, now),
            self._empty,
        )
        for step in steps:
            try:
                step()
            except (RedisError, KombuError, BeatdeskError, OSError, RuntimeError) as error:
                log.warning(
                    "a sign of life failed, the next follows in %g s: %s", EVERY_SECONDS, error
                )
            except Exception:  # or the thread ends, and a worker that lives counts as dead
                log.exception("a sign of life failed, the next follows in %g s", EVERY_SECONDS)

    def _keep_runs(self) -> None:
        """The runs that this worker has are alive."""
        parts_for(self._app).leases.renew(self._signals.held())

    def _empty(self) -> None:
        outbox = self._signals.reporter().outbox
        if outbox.waiting:
            outbox.flush()

    def _say(self, consumer: Any, now: Any) -> None:
        catalogue = parts_for(self._app).catalogue
        worker = self._worker(consumer, now)
        if self._published:
            catalogue.heartbeat(worker)
            return
        catalogue.publish(self._jobs, worker, now)
        self._published = True

    def _worker(self, consumer: Any, now: Any) -> Worker:
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
