"""Runs at an operator's word: start one now, cancel one.

Works from any process: jobs are named, never imported. A cancellation is also written down in Redis, because
Celery's own is a broadcast, which nobody hears while no worker runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scheduler.errors import Refused, Unavailable
from scheduler.events.bounds import bounded
from scheduler.events.schema import RunFacts, RunQueued, Trigger, run_event
from scheduler.events.stream import EventStream
from scheduler.rules.spec import Schedule
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.facts import headers_for

PUBLISH_RETRIES = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.2}
"""An operator waits for the answer: better a clear refusal soon than a page that hangs."""


class RunControl:
    """Starts and cancels runs."""

    def __init__(self, celery: Celery, events: EventStream, cancellations: Cancellations | None = None) -> None:
        self._celery = celery
        self._events = events
        self._cancellations = cancellations

    def start(
        self,
        schedule: Schedule,
        *,
        actor: str,
        trigger: Trigger = "manual",
        args: list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        now: datetime,
    ) -> str:
        """Send the schedule's job to its queue now, with its own arguments or these; the run's id.

        Does not move the schedule's next tick. The message comes first and the event second: a run that nobody
        heard of is found by its worker's events, a run that was announced and never sent would wait for ever.
        """
        run = str(uuid4())
        given = list(schedule.args if args is None else args), dict(schedule.kwargs if kwargs is None else kwargs)
        queue = schedule.queue or str(self._celery.conf.task_default_queue)
        facts = RunFacts(
            job=schedule.job,
            args=bounded(given[0], self._limit),
            kwargs=bounded(given[1], self._limit),
            schedule=schedule.name,
            schedule_uid=schedule.uid,
            revision=schedule.revision,
            trigger=trigger,
            actor=actor,
            queue=queue,
            queued_at=now,
        )
        with _answering():
            self._celery.send_task(
                schedule.job,
                args=given[0],
                kwargs=given[1],
                task_id=run,
                queue=queue,
                priority=schedule.priority,
                headers=headers_for(facts),
                retry=True,
                retry_policy=PUBLISH_RETRIES,
            )
            self._events.append(run_event(RunQueued, run, 1, now, facts=facts))
        return run

    def cancel(self, run_id: str, actor: str, now: datetime) -> None:
        """Ask for the run's end: a queued one does not start, a running one is terminated (SIGTERM to its process).

        The run is `revoked` when a worker has done so, which its event says; one that ends meanwhile keeps its end.
        """
        if not run_id or len(run_id) > 64:
            raise Refused(f"{run_id!r} is not the id of a run; `beatdesk runs list` shows them", field="run")
        with _answering():
            if self._cancellations is not None:
                self._cancellations.ask(run_id, actor, now)
            self._celery.control.revoke(run_id, terminate=True, signal="SIGTERM")

    @property
    def _limit(self) -> int:
        return int(self._celery.settings.event_body_limit)  # type: ignore[attr-defined]


@contextmanager
def _answering() -> Iterator[None]:
    """A server that does not answer is an Unavailable with the reason."""
    try:
        yield
    except (OperationalError, RedisError, OSError) as error:
        raise Unavailable(
            f"the broker does not answer ({error}); look at `beatdesk doctor`, and try again when it is back"
        ) from error
