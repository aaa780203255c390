"""Recording of lost runs: runs whose worker did not renew the lease."""

import logging
import threading
from datetime import datetime

from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.runs.lease_record import Lease
from scheduler.runs.leases import Leases

log = logging.getLogger(__name__)

WATCH_EVERY = 2.0
"""Seconds between two looks.

Two looks make a run lost, so a run is lost within a minute of the end of its worker:
`leases.HELD_SECONDS` and two looks.
"""


class LeaseWatch:
    """Recorder of lost runs, in a long-lived process. Any number of processes may have one."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._overdue_before: dict[str, Lease] = {}

    def run(self, stop: threading.Event) -> None:
        """Look every `WATCH_EVERY` seconds, until `stop` is set."""
        while not stop.wait(WATCH_EVERY):
            try:
                self.look(utc_now())
            except (RedisError, OSError) as error:
                log.warning("leases cannot be looked at: %s", error)
                self._overdue_before = {}
            except Exception:  # the thread must not end, or no run would count as lost any more
                log.exception("leases cannot be looked at")
                self._overdue_before = {}

    def look(self, now: datetime) -> None:
        """Look once for expired leases.

        A run is lost after two looks with an expired lease: after an outage workers first have time
        to renew leases.
        """
        overdue = self._leases.overdue()
        lost = {
            run: lease for run, lease in overdue.items() if self._overdue_before.get(run) == lease
        }
        self._leases.lose(lost, now)
        for run, lease in lost.items():
            log.warning("run %s of %s is lost: nothing was heard of it", run, lease.name)
        self._overdue_before = overdue
        self._leases.forget_old()
