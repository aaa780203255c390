"""One look of the message audit.

1. Wait until SQL has all events up to now. Otherwise there is no look.
2. Read the unfinished runs without a new event for `GRACE`.
3. Look for each run in the outbox, with the broker, and among the leases that workers hold.
4. Wait until SQL has all events up to the end of step 3: a run may have ended meanwhile.
5. A run without a trace is remembered. A run still without a trace at a later look, and without an
   event in between, gets a verdict, in one script that checks the run's lease once more.

The order of 2, 3 and 4 makes a look safe: a run moves from the outbox to a queue, from there to a
worker and to the end, and is read in the same order. A broker that only counts messages is asked
for a minute before a verdict, because the count leaves out a message in a worker's hands.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.errors import Unavailable
from scheduler.events.schema import RunRevoked
from scheduler.history import outage
from scheduler.history.queries.open_runs import OpenRun, OpenRuns
from scheduler.publishing.outbox import FIELD, entry_of
from scheduler.queues.presence import Presence, read_others, read_presence
from scheduler.queues.unread import UnreadQueues
from scheduler.reconciling.verdicts import verdict_on
from scheduler.rules.model.run_states import RunState
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.lease_record import lease_of
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.catalogue.records import Worker

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=5)
"""Time after a run's newest event without a look for the run: two hosts' clocks may differ."""

BETWEEN = timedelta(seconds=8)
"""Time without a trace before a verdict, where the broker lists messages."""

BETWEEN_COUNTS = timedelta(seconds=60)
"""Time without a trace before a verdict, where the broker only counts messages."""

PATIENCE = 20.0
"""Seconds that a look waits until SQL has the events."""

PART = 500

MOST_LOGGED = 10
"""Log lines about the verdicts of one part."""

_POLL = 0.1


class Behind(Unavailable):
    """SQL does not have all events yet: the unrecorded end of a run would look like a loss."""


class Suspect(NamedTuple):
    """A run without a trace: stamp and lease record at the first look, and that look's moment."""

    stamp: str
    record: str
    since: datetime


class Found(NamedTuple):
    """Result of a look: runs with a verdict, runs without a trace so far, number of runs."""

    ended: list[str]
    suspects: list[str]
    looked_at: int


class MessageAudit:
    """Looks for the messages of unfinished runs. Not for several threads."""

    def __init__(
        self,
        redis: "Redis",
        app: "Celery",
        *,
        open_runs: OpenRuns,
        stream: LeasedStream,
        leases: Leases,
        cancellations: Cancellations,
        catalogue: "Catalogue",
        history_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Make an audit that remembers no run without a trace yet.

        `history_problem` returns why the database is not the history into which runs were recorded:
        in an older copy, runs that have ended look unfinished.
        """
        self._history_problem = history_problem
        self._redis = redis
        self._app = app
        self._open_runs = open_runs
        self._stream = stream
        self._leases = leases
        self._cancellations = cancellations
        self._catalogue = catalogue
        self._unread = UnreadQueues(redis)
        self._suspects: dict[str, Suspect] = {}
        self.stop = threading.Event()
        """Event whose setting ends a wait for SQL."""

        self.patience = PATIENCE

    def forget(self) -> None:
        """Begin anew: the next look is the first one for every run."""
        self._suspects = {}

    def look(self, now: datetime) -> Found:
        """Look once. Raises Unavailable where a server does not answer, or SQL is behind."""
        try:
            with answering(), outage.answering():
                return self._look(now)
        except (KombuError, AMQPError, OSError) as error:
            raise Unavailable(f"the broker does not answer: {error}") from error

    def _look(self, now: datetime) -> Found:
        problem = self._history_problem()
        if problem is not None:
            raise Unavailable(f"nothing is decided about runs: {problem}")
        self._wait_for_history()
        runs = {run.id: run for run in self._open_runs.unchanged_since(now - GRACE)}
        if not runs:
            self.forget()
            self._unread.record({}, (), now)
            return Found([], [], 0)
        workers = self._catalogue.workers(now)
        published = self._in_outbox()
        queues = self._queues(runs.values(), workers)
        presence = read_presence(self._app, queues)
        read = {queue for worker in workers for queue in worker.queues}
        self._unread.record(presence.waiting, read, now)
        absent = [
            run
            for run in runs.values()
            if run.id not in published and presence.is_absent(run.id, run.queue)
        ]
        if absent and presence.can_list:
            others = read_others(self._app, queues)
            absent = [run for run in absent if run.id not in others]
        suspects = self._without_worker(absent, presence, workers)
        self._wait_for_history()
        return self._judge(runs, suspects, presence, now)

    def _judge(
        self,
        runs: Mapping[str, OpenRun],
        records: Mapping[str, str],
        presence: Presence,
        now: datetime,
    ) -> Found:
        """Remember the runs without a trace, and end the runs without a trace for long enough."""
        stamps = self._open_runs.stamps(sorted(records))
        before = self._suspects
        self._suspects = {}
        for run, record in records.items():
            if stamps.get(run) == runs[run].stamp:
                suspect = before.get(run)
                is_same = suspect is not None and suspect[:2] == (runs[run].stamp, record)
                since = suspect.since if suspect is not None and is_same else now
                self._suspects[run] = Suspect(runs[run].stamp, record, since)
        between = BETWEEN if presence.can_list else BETWEEN_COUNTS
        due = [run for run, suspect in self._suspects.items() if now - suspect.since >= between]
        for start in range(0, len(due), PART):
            self._end([runs[run] for run in due[start : start + PART]], presence, now)
        return Found(due, [run for run in self._suspects if run not in set(due)], len(runs))

    def _end(self, runs: Sequence[OpenRun], presence: Presence, now: datetime) -> None:
        """Record the verdicts, except on runs whose lease has changed since the look."""
        cancellers = self._cancellations.actors([run.id for run in runs])
        endings = []
        for run in runs:
            event = verdict_on(
                run,
                cancellers.get(run.id),
                has_queue=run.queue not in presence.missing_queues,
                now=now,
            )
            effect = "cancel" if isinstance(event, RunRevoked) else "gone"
            endings.append((event, effect, self._suspects[run.id].record))
        self._stream.tell(endings)
        for event, _, _ in endings[:MOST_LOGGED]:
            log.warning("run %s has neither message nor worker, and ends", event.run)
        if len(endings) > MOST_LOGGED:
            log.warning("and %d further runs", len(endings) - MOST_LOGGED)

    def _without_worker(
        self, runs: Sequence[OpenRun], presence: Presence, workers: Sequence["Worker"]
    ) -> dict[str, str]:
        """Return the lease records of runs without a worker, by run id; "" stands for no lease."""
        alive = {worker.name for worker in workers}
        records: dict[str, str] = {}
        for start in range(0, len(runs), PART):
            part = runs[start : start + PART]
            leases = self._leases.records([run.id for run in part])
            for run in part:
                record = leases.get(run.id, "")
                # A broker that only counts says nothing of a message in a worker's hands.
                is_counted = not presence.can_list and run.state == RunState.RUNNING
                if not _is_held(record) and not (is_counted and run.worker in alive):
                    records[run.id] = record
        return records

    def _in_outbox(self) -> set[str]:
        """Return the runs in the outbox. The outbox is read before the broker's messages."""
        runs: set[str] = set()
        start = "-"
        while True:
            entries: Any = self._redis.xrange(keys.OUTBOX_STREAM, min=start, count=PART)
            for id_, fields in entries:
                start = f"({id_}"
                if FIELD in fields:
                    runs.add(_run_in(id_, fields))
            if len(entries) < PART:
                return runs

    @staticmethod
    def _queues(runs: Iterable[OpenRun], workers: Iterable["Worker"]) -> set[str]:
        """Return the queues in which the runs' messages may be."""
        named = {run.queue for run in runs if run.queue}
        read = {queue for worker in workers for queue in worker.queues}
        return named | read | {*QUEUES, CELERYS_QUEUE}

    def _wait_for_history(self) -> None:
        """Wait until SQL has all events up to now. Raises Behind."""
        end = self._stream.end()
        for _ in range(max(int(self.patience / _POLL), 1)):
            if not self._stream.waiting(end, 1):
                return
            if self.stop.wait(_POLL):
                break
        raise Behind("events wait that SQL does not have, so that nothing is decided about runs")


def _is_held(record: str) -> bool:
    """Return whether a worker holds the lease of a record; False for a malformed record."""
    try:
        return bool(record) and lease_of(record).worker is not None
    except ValueError:
        return False


def _run_in(id_: str, fields: Mapping[str, str]) -> str:
    """Return the run of an entry of the outbox; "" for an unreadable entry."""
    try:
        return entry_of(id_, fields).run
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
