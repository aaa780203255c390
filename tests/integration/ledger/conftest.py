"""A store whose catalogue knows one job, and a watcher of its ledger."""

from tests.support.ledger.watching import watched
from tests.support.schedules.store import store

__all__ = ["store", "watched"]
