"""Events of runs, built from Celery's reports: the wording of history, in one place.

Each method records a single fact. The end of an attempt is delivered before the method returns (and
so before the message is acknowledged); every other event is offered to the buffer. Celery's signals
are connected in `signals`; the clock is read there too, `now` is an argument here.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from scheduler.errors import readable_text
from scheduler.events.bounds import bounded, bounded_text
from scheduler.events.schema import (
    RunEvent,
    RunExpired,
    RunFacts,
    RunFailed,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunSkipped,
    RunStarted,
    RunSucceeded,
    run_event,
)
from scheduler.runs.headers import Message, attempt_of, facts_of
from scheduler.runs.own_header import moment_in
from scheduler.worker.event_buffer import EventBuffer

ERROR_LIMIT = 2_000


class Reporter:
    """Recorder of the events of runs in a process.

    `limit` is the most bytes of arguments, result or traceback in an event.
    """

    def __init__(self, events: EventBuffer, limit: int) -> None:
        self.events = events
        self._limit = limit

    def received(self, message: Message, *, worker: str, now: datetime) -> None:
        """Record that a worker took the message."""
        self.events.offer(self.received_event(message, worker, now))

    def started(
        self, run: str, retries: Any, *, worker: str | None, pid: int, now: datetime
    ) -> None:
        """Record that an attempt began."""
        self.events.offer(
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
        """Record that the run ended well; `runtime` in seconds."""
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
        """Record that the run ended with an error."""
        trace = self._traceback(traceback)
        self._end(RunFailed, run, retries, worker, now, error=error_text(error), traceback=trace)

    def never_ran(self, run: str, facts: RunFacts, *, error: Any, now: datetime) -> None:
        """Record that a run will not come, because an earlier run of the workflow failed."""
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
        redelivered: bool = False,
        now: datetime,
    ) -> None:
        """Record that an attempt failed and another follows; `when` as a moment or in seconds.

        `redelivered`: the attempt was stopped, and its own message comes back.
        """
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
            redelivered=redelivered,
        )

    def expired(
        self,
        message: Message,
        retries: Any,
        *,
        worker: str | None,
        waited_for: str,
        now: datetime,
    ) -> None:
        """Record that the run came too late to start.

        `waited_for` describes the wait until the deadline passed: "in the queue default".
        """
        deadline = moment_in(message.headers.get("expires"))
        time = f", {deadline:%Y-%m-%d %H:%M:%S %Z}," if deadline else ""
        self._end(
            RunExpired,
            message.run,
            retries,
            worker,
            now,
            deadline=deadline,
            reason=bounded_text(
                f"its deadline{time} passed while it waited {waited_for}", ERROR_LIMIT
            ),
            facts=facts_of(message, self._limit),
        )

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
        """Record that the run was cancelled."""
        self._end(RunRevoked, run, retries, worker, now, actor=actor, terminated=terminated)

    def skipped(
        self, received: RunReceived, reason: Any, *, is_recorded: bool, now: datetime
    ) -> None:
        """Record that a policy keeps a run from starting.

        `is_recorded`: the event `run.received` is in the stream already.
        """
        event = run_event(
            RunSkipped, received.run, received.attempt, now, worker=received.worker, reason=reason
        )
        self.events.deliver(*([] if is_recorded else [received]), event)

    def refused(self, message: Message, *, worker: str, reason: str, now: datetime) -> None:
        """Record that the worker cannot begin with a message."""
        failed = run_event(
            RunFailed,
            message.run,
            message.attempt,
            now,
            worker=worker,
            error=bounded_text(reason, ERROR_LIMIT),
        )
        self.events.deliver(self.received_event(message, worker, now), failed)

    def received_event(self, message: Message, worker: str, now: datetime) -> RunReceived:
        """Return the event that a worker took the message."""
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
        self.events.deliver(run_event(kind, run, attempt_of(retries), now, worker=worker, **facts))

    def _traceback(self, text: str | None) -> str | None:
        return bounded_text(text, self._limit, keep="ends") if text else None


def error_text(error: Any) -> str:
    """Text of an error, `ValueError: the reason`, as in the last line of a traceback.

    Cut at `ERROR_LIMIT` bytes.
    """
    if isinstance(error, str):
        return bounded_text(error, ERROR_LIMIT)
    text = readable_text(error)
    name = type(error).__name__
    return bounded_text(f"{name}: {text}" if text else name, ERROR_LIMIT)
