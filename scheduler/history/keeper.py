"""The recorder's retention: the setting `HISTORY_KEEP`, applied again and again.

A batch is a separate transaction and takes about 40 ms in any database; after each batch, the
writers get at least as long. So no write of a recorder waits for more than a few batches. Runs are
exported before the deletion where `HISTORY_EXPORT` names a folder. Several recorders may apply the
retention at once: in PostgreSQL each passes over rows locked by another, SQLite has one writer.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.history import outage
from scheduler.history.export import Export
from scheduler.history.retention import BatchSize, Selected, delete_runs
from scheduler.settings.keeping import Selection

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
FIRST_AFTER = timedelta(seconds=30)
"""Wait after the start of a recorder, which has a backlog to record first."""

LEAST_PAUSE = 0.03
"""Seconds between two batches at least: longer than a writer of SQLite sleeps between two tries."""


class Keeper:
    """Applies the retention of a history."""

    def __init__(
        self, engine: Engine, selections: Sequence[Selection], export: Export | None = None
    ) -> None:
        self._engine = engine
        self._selections = selections
        self._export = export

    def run(self, stop: threading.Event) -> None:
        """Apply until `stop` is set. Survives outages of SQL and of the export folder."""
        wait = FIRST_AFTER
        while self._selections and not stop.wait(wait.total_seconds()):
            wait = EVERY
            try:
                with outage.answering():
                    deleted = self.run_once(utc_now(), stop)
                if deleted:
                    log.info("%d old runs are deleted, as HISTORY_KEEP says", deleted)
            except Unavailable as error:
                log.warning("old runs are not deleted: %s", error)
            except Exception:
                log.exception("old runs could not be deleted; tried again")

    def run_once(self, now: datetime, stop: threading.Event | None = None) -> int:
        """Delete the runs that are old enough now. Returns the number of runs.

        Raises Unavailable where the runs cannot be exported, and SQLAlchemy's errors.
        """
        stop = stop or threading.Event()
        size = BatchSize()

        def export(connection: Connection, runs: list[str]) -> None:
            if self._export is not None:
                self._export.write(connection, runs, now.date())

        deleted = 0
        for one in self._selections:
            selected = Selected(now - one.age, one.states, one.schedule, one.exempt)
            for count in delete_runs(self._engine, selected, size, export):
                deleted += count
                if stop.wait(max(LEAST_PAUSE, size.took)):
                    return deleted
        return deleted
