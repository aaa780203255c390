"""The fold of events into rows: the meaning of history. Pure: no SQL, no clock, no randomness.

`fold` gives the same rows for the same set of events, in any order, batches and repetitions;
`stamps` explains how a column chooses between events. Columns fall into groups with a stamp each:

| columns | source |
| --- | --- |
| state, reason, finished_at, result, error, traceback | the end, or else the newest event |
| job, schedule, tick, trigger, arguments ... | the newest move, or the first event with facts |
| worker | the end, or else the newest event, among events with a worker |
| progress_done, progress_total, progress_text | the newest event with progress |
| queued_at, received_at, started_at, first_at | the earliest moment in any event |
| lateness | from the due time of the run to the first start, never below zero |
| duration | of the attempt that ended the run, from the start of the attempt; never below zero |

Attempts follow the same rules, except that a failure with a retry, and a loss, end the attempt,
though not the run: a later attempt of a lost run makes the run queued or running again. The time
from the first start to the end is the difference of the columns started_at and finished_at.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from scheduler.events.schema import (
    OVERLAP_ACTOR,
    Event,
    ReportStored,
    RunEvent,
    RunExpired,
    RunFacts,
    RunFailed,
    RunLogged,
    RunLost,
    RunMoved,
    RunProgressed,
    RunQueued,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunSkipped,
    RunStarted,
    RunSucceeded,
    ScheduleEvent,
    ScheduleSaved,
    TicksEvent,
    TicksMissed,
)
from scheduler.history.recording.column_values import (
    earliest,
    integer,
    json_value,
    seconds,
    text,
    utc,
)
from scheduler.history.recording.rows import (
    AttemptRow,
    LogRow,
    ReportRow,
    RevisionRow,
    Rows,
    RunRow,
    UnfoldableEvent,
    run_of,
    storable_id,
)
from scheduler.history.recording.stamps import (
    ATTEMPT_OVER,
    CORRECTION,
    FINAL,
    GOING_ON,
    attempt_of,
    is_better,
    kind_of,
    stamp,
)
from scheduler.rules.model.run_states import RunState

_LOGS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/logs")
_REVISIONS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/revisions")


AGAIN = ("backfill", "rerun")
"""Triggers of runs started by somebody for a past tick: lateness counts from the queueing."""


_LEASE_EXPIRED = "nothing was heard of whoever had this run, for longer than its lease lasts"


class _Effect(NamedTuple):
    """State and level of a run and an attempt after an event of a kind."""

    run: RunState
    run_level: str
    attempt: RunState
    attempt_level: str


_EFFECTS: dict[type[Event], _Effect] = {
    RunQueued: _Effect(RunState.QUEUED, GOING_ON, RunState.QUEUED, GOING_ON),
    RunMoved: _Effect(RunState.QUEUED, GOING_ON, RunState.QUEUED, GOING_ON),
    RunReceived: _Effect(RunState.QUEUED, GOING_ON, RunState.QUEUED, GOING_ON),
    RunStarted: _Effect(RunState.RUNNING, GOING_ON, RunState.RUNNING, GOING_ON),
    RunProgressed: _Effect(RunState.RUNNING, GOING_ON, RunState.RUNNING, GOING_ON),
    RunRetried: _Effect(RunState.RETRYING, GOING_ON, RunState.FAILED, ATTEMPT_OVER),
    RunSucceeded: _Effect(RunState.SUCCEEDED, FINAL, RunState.SUCCEEDED, FINAL),
    RunFailed: _Effect(RunState.FAILED, FINAL, RunState.FAILED, FINAL),
    RunExpired: _Effect(RunState.EXPIRED, FINAL, RunState.EXPIRED, FINAL),
    RunSkipped: _Effect(RunState.SKIPPED, FINAL, RunState.SKIPPED, FINAL),
    RunRevoked: _Effect(RunState.REVOKED, FINAL, RunState.REVOKED, FINAL),
    # An end counts more, and so does any news of a later attempt.
    RunLost: _Effect(RunState.LOST, GOING_ON, RunState.LOST, ATTEMPT_OVER),
}


def fold(rows: Rows, events: Iterable[Event]) -> Rows:
    """Return the rows after the events.

    `rows` holds all stored rows touched by the events, and stays unchanged. Raises UnfoldableEvent
    for values that the tables cannot hold.
    """
    folding = _Folding(rows)
    for event in events:
        folding.take(event)
    return folding.done()


class _Folding:
    """A fold: copies each row at the first touch."""

    def __init__(self, rows: Rows) -> None:
        self._old = rows
        self._new = Rows()

    def take(self, event: Event) -> None:
        """Fold in an event."""
        if isinstance(event, RunEvent):
            self._run_event(event)
        elif isinstance(event, TicksEvent):
            _verdict(self._run(run_of(event) or ""), event)
        elif isinstance(event, ScheduleEvent):
            revision = _revision(event)
            self._new.revisions.setdefault(revision.id, revision)
        elif isinstance(event, ReportStored):
            self._report(_report(event))
        elif isinstance(event, RunLogged):
            log = _log(event)
            self._new.logs.setdefault(log.id, log)
        else:
            run_of(event)

    def done(self) -> Rows:
        """Return all rows, with the computed columns."""
        for row in self._new.runs.values():
            due = row.queued_at if row.trigger in AGAIN else row.due_at or row.tick or row.queued_at
            row.lateness = seconds(due, row.started_at)
            row.duration = seconds(self._last_start(row), row.finished_at)
        return Rows(
            runs={**self._old.runs, **self._new.runs},
            attempts={**self._old.attempts, **self._new.attempts},
            revisions={**self._old.revisions, **self._new.revisions},
            reports={**self._old.reports, **self._new.reports},
            logs={**self._old.logs, **self._new.logs},
        )

    def _last_start(self, row: RunRow) -> datetime | None:
        """Return the start of the attempt that decides the run's state.

        Where no such start is recorded, the start of the run.
        """
        key = (row.id, attempt_of(row.state_stamp))
        attempt = self._new.attempts.get(key) or self._old.attempts.get(key)
        began = None if attempt is None else attempt.started_at
        return began or row.started_at

    def _run_event(self, event: RunEvent) -> None:
        effect = _EFFECTS[type(event)]
        rank = stamp(event, event.seq)
        row = self._run(run_of(event) or "")
        _run_moments(row, event)
        if isinstance(event, RunQueued | RunReceived):
            _facts(row, event.facts, FINAL + rank)
        if isinstance(event, RunMoved):
            _facts(row, event.facts, CORRECTION + rank)
        # The event may be the only one with facts: the message may never have reached a queue.
        if isinstance(event, RunFailed | RunExpired | RunLost) and event.facts is not None:
            _facts(row, event.facts, ATTEMPT_OVER + rank)
        elif isinstance(event, RunLost) and row.facts_stamp is None:
            row.schedule = text(event.schedule, 255)
            row.schedule_uid = text(event.schedule_uid, 36)
        if isinstance(event, RunProgressed):
            _progress(row, event, GOING_ON + rank)
        _worker(row, event.worker, effect.run_level + rank)
        if is_better(effect.run_level + rank, row.state_stamp):
            row.state_stamp = effect.run_level + rank
            _run_state(row, event, effect)
        if not isinstance(event, RunQueued | RunMoved):
            self._attempt_event(event, effect, effect.attempt_level + rank)

    def _attempt_event(self, event: RunEvent, effect: _Effect, rank: str) -> None:
        row = self._attempt(event.run, integer(event.attempt, "attempt"))
        if isinstance(event, RunReceived):
            row.received_at = earliest(row.received_at, event.at)
        if isinstance(event, RunStarted):
            row.started_at = earliest(row.started_at, event.at)
        _worker(row, event.worker, rank)
        if is_better(rank, row.state_stamp):
            row.state_stamp = rank
            row.state = effect.attempt.value
            row.finished_at = None if effect.attempt_level == GOING_ON else utc(event.at)
            row.error, row.traceback = _error(event)

    def _report(self, row: ReportRow) -> None:
        stored = self._new.reports.get(row.id) or self._old.reports.get(row.id)
        if stored is None or row.stamp < stored.stamp:
            self._new.reports[row.id] = row

    def _run(self, run: str) -> RunRow:
        row = self._new.runs.get(run)
        if row is None:
            old = self._old.runs.get(run)
            row = self._new.runs[run] = RunRow(run) if old is None else replace(old)
        return row

    def _attempt(self, run: str, number: int) -> AttemptRow:
        row = self._new.attempts.get((run, number))
        if row is None:
            old = self._old.attempts.get((run, number))
            row = self._new.attempts[run, number] = (
                AttemptRow(run, number) if old is None else replace(old)
            )
        return row


def _run_moments(row: RunRow, event: RunEvent) -> None:
    """Set the earliest moments."""
    row.first_at = earliest(row.first_at, event.at)
    if isinstance(event, RunQueued):
        row.queued_at = earliest(row.queued_at, event.facts.queued_at or event.at)
    elif isinstance(event, RunReceived):
        row.queued_at = earliest(row.queued_at, event.facts.queued_at)
        row.received_at = earliest(row.received_at, event.at)
    elif isinstance(event, RunStarted):
        row.started_at = earliest(row.started_at, event.at)


def _run_state(row: RunRow, event: RunEvent, effect: _Effect) -> None:
    """Set all columns of the event that decides the run's state."""
    waits_again = event.attempt > 1 and effect.run is RunState.QUEUED
    row.state = RunState.RETRYING.value if waits_again else effect.run.value
    row.reason = _reason(event)
    row.finished_at = utc(event.at) if effect.run.is_final else None
    row.result = json_value(event.result) if isinstance(event, RunSucceeded) else None
    row.error, row.traceback = _error(event)


def _reason(event: RunEvent) -> str | None:
    """Return the cause of a state: the policy, the cancelling side, or the reason of a loss.

    A policy skips or expires a run.
    """
    if isinstance(event, RunSkipped):
        return event.reason
    if isinstance(event, RunExpired):
        return "deadline"
    if isinstance(event, RunLost):
        return text(event.reason, 32)
    if not isinstance(event, RunRevoked) or not event.actor:
        return None
    return "overlap" if event.actor == OVERLAP_ACTOR else "operator"


def _error(event: RunEvent) -> tuple[str | None, str | None]:
    """Error and traceback of an event."""
    if isinstance(event, RunFailed | RunRetried):
        return text(event.error), text(event.traceback)
    if isinstance(event, RunRevoked) and event.actor:
        return text(f"cancelled by {event.actor}"), None
    if isinstance(event, RunExpired):
        return text(event.reason), None
    if isinstance(event, RunLost):
        return text(event.detail) or _LEASE_EXPIRED, None
    return None, None


def _facts(row: RunRow, facts: RunFacts, rank: str) -> None:
    """Set the facts of the message, from the first event with facts."""
    if not is_better(rank, row.facts_stamp):
        return
    row.facts_stamp = rank
    row.job = text(facts.job, 255)
    row.schedule = text(facts.schedule, 255)
    row.schedule_uid = text(facts.schedule_uid, 36)
    row.revision = integer(facts.revision, "revision")
    row.tick = utc(facts.tick)
    row.due_at = utc(facts.due_at)
    row.trigger = facts.trigger
    row.actor = text(facts.actor, 255)
    row.queue = text(facts.queue, 255)
    row.parent = text(facts.parent, 128)
    row.args = json_value(facts.args)
    row.kwargs = json_value(facts.kwargs)


def _progress(row: RunRow, event: RunProgressed, rank: str) -> None:
    """Set the progress of the newest event."""
    if is_better(rank, row.progress_stamp):
        row.progress_stamp = rank
        row.progress_done = event.done
        row.progress_total = event.total
        row.progress_text = text(event.text, 255)


def _worker(row: RunRow | AttemptRow, worker: str | None, rank: str) -> None:
    """Set the worker of the end, or else of the newest event."""
    if worker is not None and is_better(rank, row.worker_stamp):
        row.worker_stamp = rank
        row.worker = text(worker, 255)


def _verdict(row: RunRow, event: TicksEvent) -> None:
    """Set a range of ticks as a run that never began: the ticks could not run, or were skipped."""
    rank = FINAL + stamp(event)
    row.first_at = earliest(row.first_at, event.at)
    if not is_better(rank, row.state_stamp):
        return
    row.state_stamp = row.facts_stamp = rank
    row.state = (RunState.MISSED if isinstance(event, TicksMissed) else RunState.SKIPPED).value
    row.trigger = "schedule"
    row.reason = event.reason
    row.actor = text(event.actor, 255)
    row.finished_at = utc(event.at)
    row.job = text(event.job, 255)
    row.schedule = text(event.schedule, 255)
    row.schedule_uid = text(event.schedule_uid, 36)
    row.revision = integer(event.revision, "revision")
    row.tick = utc(event.tick_from)
    row.tick_to = utc(event.tick_to)
    row.ticks = integer(event.ticks, "ticks")


def _revision(event: ScheduleEvent) -> RevisionRow:
    """Return the row of a change of a schedule. The id is derived from the whole event."""
    return RevisionRow(
        id=str(uuid5(_REVISIONS, f"{event.uid} {stamp(event)}")),
        schedule_uid=text(event.uid, 36),
        revision=integer(event.revision, "revision"),
        name=text(event.schedule.name, 255),
        action=event.action if isinstance(event, ScheduleSaved) else kind_of(type(event)),
        at=utc(event.at),
        actor=text(event.actor, 255),
        comment=text(event.comment),
        definition=json_value(event.schedule.to_json()),
    )


def _log(event: RunLogged) -> LogRow:
    """The row of log lines. Log lines need no recorded run."""
    return LogRow(
        id=str(uuid5(_LOGS, f"{storable_id(event.run)} {stamp(event)}")),
        run_id=event.run,
        attempt=integer(event.attempt, "attempt"),
        first=integer(event.first, "first"),
        left_out=integer(event.left_out, "left_out"),
        at=utc(event.at),
        lines=json_value([line.model_dump(mode="json") for line in event.lines]),
    )


def _report(event: ReportStored) -> ReportRow:
    if (
        not 0 < len(event.report) <= 36
        or not 0 < len(event.path) <= 512
        or not 0 <= event.size < 2**63
    ):
        raise UnfoldableEvent(
            "a report has an id of up to 36 characters, a path of up to 512 and a size, not "
            f"{event.report[:80]!r}, {event.path[:80]!r}, {event.size}"
        )
    return ReportRow(
        id=text(event.report),
        run_id=text(event.run, 128),
        title=text(event.title, 255),
        path=text(event.path),
        media_type=text(event.media_type, 127),
        size=event.size,
        sha256=text(event.sha256, 64),
        created_at=utc(event.at),
        keep_until=utc(event.keep_until),
        stamp=stamp(event),
    )
