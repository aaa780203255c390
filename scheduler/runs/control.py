"""Runs at an operator's word: start one now, cancel one.

Works from any process: jobs are named, never imported. A cancellation is also written down in
Redis, because Celery's own is a broadcast, which nobody hears while no worker runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from celery import Celery

from scheduler.errors import Refused
from scheduler.events.bounds import bounded
from scheduler.events.schema import RunFacts, RunQueued, Trigger, run_event
from scheduler.events.stream import EventStream
from scheduler.rules.check import check_arguments
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.runs import limits
from scheduler.runs import rerun as again
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.headers import headers_for
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import Leases
from scheduler.runs.past_run import PastRun
from scheduler.storage.availability import BROKER, answering

PUBLISH_RETRIES = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.2}
"""An operator waits for the answer: better a clear refusal soon than a page that hangs."""


class RunControl:
    """Starts and cancels runs. `queue_of` knows the queue that a job has named for itself."""

    def __init__(
        self,
        celery: Celery,
        events: EventStream,
        cancellations: Cancellations,
        leases: Leases,
        queue_of: Callable[[str], str | None] = lambda job: None,
    ) -> None:
        self._celery = celery
        self._events = events
        self._cancellations = cancellations
        self._leases = leases
        self._queue_of = queue_of

    def start(
        self,
        schedule: Schedule,
        *,
        actor: str,
        trigger: Trigger = "manual",
        args: list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        tick: datetime | None = None,
        run: str | None = None,
        parent: str | None = None,
        now: datetime,
    ) -> str:
        """Send the schedule's job to its queue now, with its own arguments or these; the run's id.

        Does not move the schedule's next tick. `tick` is the one that the run stands for, `parent`
        the run that it repeats.
        """
        with answering(server=BROKER):
            queue = (
                schedule.queue
                or self._queue_of(schedule.job)
                or str(self._celery.conf.task_default_queue)
            )
        facts = RunFacts(
            job=schedule.job,
            schedule=schedule.name,
            schedule_uid=schedule.uid,
            revision=schedule.revision,
            tick=tick,
            trigger=trigger,
            actor=actor,
            queue=queue,
            queued_at=now,
            parent=parent,
        )
        given = (
            list(schedule.args if args is None else args),
            dict(schedule.kwargs if kwargs is None else kwargs),
        )
        return self.send(
            facts,
            *given,
            run=run or str(uuid4()),
            priority=schedule.priority,
            policies=schedule.policies,
            now=now,
        )

    def send(
        self,
        facts: RunFacts,
        args: list[Any],
        kwargs: dict[str, Any],
        *,
        run: str | None = None,
        priority: int | None = None,
        policies: Policies | None = None,
        now: datetime,
    ) -> str:
        """Send a run that is what `facts` say, with these arguments; its id.

        The message comes first and the event second: a run that nobody heard of is found by its
        worker's events, a run that was announced and never sent would wait for ever. Before both, a
        run of a schedule counts as alive, so that no tick overtakes it.
        """
        run = run or str(uuid4())
        told = {"args": bounded(args, self._limit), "kwargs": bounded(kwargs, self._limit)}
        facts = facts.model_copy(update=told)
        limited = policies or Policies()
        headers = headers_for(facts, limits.facts_of(limited))
        with answering(server=BROKER), self._alive(run, facts):
            self._celery.send_task(
                facts.job,
                args=args,
                kwargs=kwargs,
                task_id=run,
                queue=facts.queue,
                priority=priority,
                headers=headers,
                **limits.options_of(limited),
                retry=True,
                retry_policy=PUBLISH_RETRIES,
            )
            self._events.append(run_event(RunQueued, run, 1, now, facts=facts))
        return run

    def rerun(
        self,
        run: PastRun,
        schedule: Schedule | None,
        check: Callable[[str, list[Any], dict[str, Any]], None],
        *,
        actor: str,
        args: list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        now: datetime,
    ) -> str:
        """Send what a run did once more, with its own arguments or these; the new run's id.

        `schedule` is the one that the run belongs to, if it still exists; `check` refuses what the
        job cannot take.
        """
        facts = again.facts_again(run, actor=actor, now=now)
        given = again.arguments_again(run, schedule, self._limit, args=args, kwargs=kwargs)
        check_arguments(*given)
        check(run.job, *given)
        return self.send(
            facts, *given, priority=schedule.priority if schedule is not None else None, now=now
        )

    def cancel(self, run_id: str, actor: str, now: datetime) -> None:
        """Ask for the run's end: a queued one does not start, a running one is terminated (SIGTERM
        to its process).

        The run is `revoked` when a worker has done so, which its event says; one that ends
        meanwhile keeps its end.
        """
        if not run_id or len(run_id) > 64:
            raise Refused(
                f"{run_id!r} is not the id of a run; `beatdesk runs list` shows them", field="run"
            )
        with answering(server=BROKER):
            self._cancellations.ask(run_id, actor, now)
            self._celery.control.revoke(run_id, terminate=True, signal="SIGTERM")

    @contextmanager
    def _alive(self, run: str, facts: RunFacts) -> Iterator[None]:
        """The run counts as one of its schedule's that is not final, unless it could not be
        sent.
        """
        if facts.schedule is None or facts.schedule_uid is None:
            yield
            return
        self._leases.announce(run, owner_text(facts.schedule_uid, facts.schedule, facts=facts))
        try:
            yield
        except Exception:
            self._leases.withdraw(run)
            raise

    @property
    def _limit(self) -> int:
        return int(self._celery.settings.event_body_limit)  # type: ignore[attr-defined]
