"""From what Celery tells about a run to the event that says it: the wording of history, in one
place.

Each method is one fact. It builds the event and gives it to the outbox: what ends an attempt is
delivered before the caller goes on (and so before the message is acknowledged), the rest is
offered. Knows no Celery signal, `signals` does; reads no clock, `now` is given.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from scheduler.events.bounds import bounded, bounded_text
from scheduler.events.schema import (
    RunEvent,
    RunExpired,
    RunFacts,
    RunFailed,
    RunQueued,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunSkipped,
    RunStarted,
    RunSucceeded,
    run_event,
)
from scheduler.runs.headers import Message, attempt_of, facts_of
from scheduler.worker.event_buffer import EventBuffer

ERROR_LIMIT = 2_000


class Reporter:
    """Says what happens to runs in one process. `limit` is the most bytes of a body that an event
    carries.
    """

    def __init__(self, outbox: EventBuffer, limit: int) -> None:
        self.outbox = outbox
        self._limit = limit

    def queued(self, message: Message, *, now: datetime) -> None:
        """A message was given to the broker."""
        facts = facts_of(message, self._limit, queued_at=now)
        self.outbox.deliver(run_event(RunQueued, message.run, 1, now, facts=facts))

    def received(self, message: Message, *, worker: str, now: datetime) -> None:
        """A worker took the message."""
        self.outbox.offer(self.taken(message, worker, now))

    def started(
        self, run: str, retries: Any, *, worker: str | None, pid: int, now: datetime
    ) -> None:
        """An attempt began."""
        self.outbox.offer(
            run_event(RunStarted, run, attempt_of(retries), now, worker=worker, pid=pid)
        )

    def succeeded(
        self,
        run: str,
        retries: Any,
        *,
        worker: str | None,
        result: Any,
        runtime: float | None,
        now: datetime,
    ) -> None:
        """The run ended well."""
        body = bounded(result, self._limit)
        self._end(RunSucceeded, run, retries, worker, now, result=body, runtime=runtime)

    def failed(
        self,
        run: str,
        retries: Any,
        *,
        worker: str | None,
        error: Any,
        traceback: str | None,
        now: datetime,
    ) -> None:
        """The run ended with an error."""
        trace = self._traceback(traceback)
        self._end(RunFailed, run, retries, worker, now, error=error_text(error), traceback=trace)

    def never_ran(self, run: str, facts: RunFacts, *, error: Any, now: datetime) -> None:
        """A run that others were to lead to will not come, because one of them failed."""
        self._end(RunFailed, run, 0, None, now, error=error_text(error), facts=facts)

    def retried(
        self,
        run: str,
        retries: Any,
        *,
        worker: str | None,
        error: Any,
        traceback: str | None,
        when: datetime | float | None,
        now: datetime,
    ) -> None:
        """An attempt failed and another follows."""
        after = now + timedelta(seconds=when) if isinstance(when, int | float) else when
        trace = self._traceback(traceback)
        self._end(
            RunRetried,
            run,
            retries,
            worker,
            now,
            error=error_text(error),
            traceback=trace,
            next_at=after,
        )

    def expired(self, run: str, retries: Any, *, worker: str | None, now: datetime) -> None:
        """The run came too late to start."""
        self._end(RunExpired, run, retries, worker, now)

    def revoked(
        self,
        run: str,
        retries: Any,
        *,
        worker: str | None,
        actor: str | None,
        terminated: bool,
        now: datetime,
    ) -> None:
        """The run was cancelled."""
        self._end(RunRevoked, run, retries, worker, now, actor=actor, terminated=terminated)

    def skipped(self, received: RunReceived, reason: Any, *, told: bool, now: datetime) -> None:
        """A policy keeps a run that was taken from its start. `told`: that it was taken is in the
        stream.
        """
        event = run_event(
            RunSkipped, received.run, received.attempt, now, worker=received.worker, reason=reason
        )
        self.outbox.deliver(*([] if told else [received]), event)

    def refused(self, message: Message, *, worker: str, why: str, now: datetime) -> None:
        """The worker cannot even begin with this message."""
        failed = run_event(
            RunFailed,
            message.run,
            message.attempt,
            now,
            worker=worker,
            error=bounded_text(why, ERROR_LIMIT),
        )
        self.outbox.deliver(self.taken(message, worker, now), failed)

    def taken(self, message: Message, worker: str, now: datetime) -> RunReceived:
        """The fact that a worker took the message."""
        facts = facts_of(message, self._limit)
        event = run_event(
            RunReceived, message.run, message.attempt, now, worker=worker, facts=facts
        )
        return cast(RunReceived, event)

    def _end(
        self,
        kind: type[RunEvent],
        run: str,
        retries: Any,
        worker: str | None,
        now: datetime,
        **facts: Any,
    ) -> None:
        self.outbox.deliver(run_event(kind, run, attempt_of(retries), now, worker=worker, **facts))

    def _traceback(self, text: str | None) -> str | None:
        return bounded_text(text, self._limit, keep="ends") if text else None


def error_text(error: Any) -> str:
    """`ValueError: the reason`, as the last line of a traceback has it."""
    if isinstance(error, str):
        return bounded_text(error, ERROR_LIMIT)
    try:
        said = str(error)
    except Exception as again:  # noqa: BLE001 - an exception's own __str__ may raise anything
        said = f"[cannot be shown: {type(again).__name__}]"
    name = type(error).__name__
    return bounded_text(f"{name}: {said}" if said else name, ERROR_LIMIT)
