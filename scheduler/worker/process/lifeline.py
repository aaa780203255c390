"""The sign of life of a worker whose pool runs greenlets: renewed from a real thread.

Renews leases, claims and the worker's heartbeat with connections of its own, while a blocking job
keeps the usual heartbeat (`worker.heartbeat`) waiting. Decides nothing: changes in the worker's
runs are dealt with by the usual heartbeat.
"""

from collections.abc import Callable
from typing import Any

from scheduler.catalogue.records import Worker
from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.worker.claims import renew_by
from scheduler.worker.held_runs import held_runs
from scheduler.worker.parts import WorkerParts
from scheduler.worker.process.os_threads import OsThreads


class Lifeline:
    """Renewal from a thread of the operating system, every `every` seconds until `is_over`."""

    def __init__(
        self,
        app: BeatdeskApp,
        consumer: Any,
        record: Callable[[], Worker],
        every: float,
        is_over: Callable[[], bool],
    ) -> None:
        self._app = app
        self._consumer = consumer
        self._record = record
        self._every = every
        self._is_over = is_over
        self._broker: Any = None

    def start(self, threads: OsThreads) -> None:
        """Start the thread."""
        threads.start(lambda: self._run(threads.sleep))

    def _run(self, sleep: Callable[[float], None]) -> None:
        parts: WorkerParts = self._app.parts.fresh()
        while not self._is_over():
            sleep(self._every)
            for step in (self._renew_leases, self._renew_claims, self._publish):
                try:
                    step(parts)
                except Exception:  # noqa: BLE001 - a log's lock may belong to another hub
                    self._broker = None

    def _renew_leases(self, parts: WorkerParts) -> None:
        held = held_runs(self._consumer)
        if held:
            parts.leases.renew(held, self._consumer.hostname)

    def _renew_claims(self, _parts: WorkerParts) -> None:
        unacked = internals.unacked_messages(self._consumer)
        if unacked is None or not unacked.tags:
            return
        if self._broker is None:
            self._broker = self._app.connection_for_read()
        renew_by(self._broker.default_channel, unacked)

    def _publish(self, parts: WorkerParts) -> None:
        parts.catalogue.heartbeat(self._record())
