"""A watcher of the ledger that looks when the test wants, at the time that the test names."""

import threading
from datetime import datetime

import pytest

from scheduler.history.queries.views import RunFilter, RunView
from scheduler.ledger.watcher import Watcher
from scheduler.services import watches
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.history.recording import record


class Watched:
    """The ledger of the test's services."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.watcher: Watcher = watches.ledger_watcher(services)
        self._stop = threading.Event()

    def lead(self) -> None:
        """A Beat leads."""
        self.services.redis.set(keys.BEAT_LOCK, "the test's Beat")

    def stop_leading(self) -> None:
        """No Beat leads."""
        self.services.redis.delete(keys.BEAT_LOCK)

    def look(self, now: datetime) -> int:
        """Record what happened, then look once."""
        record(self.services)
        written = self.watcher.run_once(now, self._stop)
        record(self.services)
        return written

    def look_unrecorded(self, now: datetime) -> int:
        """Look once while events wait in the stream."""
        self._stop.set()
        written = self.watcher.run_once(now, self._stop)
        self._stop.clear()
        return written

    def rows(self, name: str) -> list[RunView]:
        """The rows of a schedule, the oldest tick first."""
        page = self.services.history.runs(RunFilter(schedule=name), limit=1000)
        return sorted(page.items, key=_tick)

    def words(self, name: str) -> list[tuple[str, str | None, datetime | None, int]]:
        """State, reason, first tick and number of ticks of each row, the oldest first."""
        return [(row.state, row.reason, row.tick, row.ticks) for row in self.rows(name)]


def _tick(row: RunView) -> datetime:
    assert row.tick is not None
    return row.tick


@pytest.fixture
def watched(services: Services) -> Watched:
    """The ledger of the test's services, with a Beat that leads."""
    watched = Watched(services)
    watched.lead()
    return watched
