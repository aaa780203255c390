"""Control of runs by operators: start, rerun, cancel.

Works from any process: jobs are named, never imported.
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
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.runs import limits
from scheduler.runs.approvals import Call
from scheduler.runs.canceller import Cancelled, Canceller
from scheduler.runs.headers import headers_for
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import Leases
from scheduler.runs.past_run import PastRun
from scheduler.runs.rerun import rerun_arguments, rerun_facts
from scheduler.storage.availability import BROKER, answering

PUBLISH_RETRIES = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.2}
"""Kombu's retry policy for publishing.

For a waiting operator a refusal after a second is better than a hanging page.
"""


class RunControl:
    """Control of runs.

    `queue_of` returns the queue in the decorator of a job, or None; `has_message` returns whether
    the broker has a message of a run, by the run's id and queue; `can_stop_jobs` returns whether
    the pool of a worker, by name, can stop a running job; `approve` returns the approval of a call
    where its job needs one: the caller has judged the actor's role.
    """

    def __init__(
        self,
        celery: Celery,
        events: EventStream,
        canceller: Canceller,
        leases: Leases,
        *,
        queue_of: Callable[[str], str | None] = lambda job: None,
        has_message: Callable[[str, str | None], bool] = lambda run, queue: False,
        can_stop_jobs: Callable[[str], bool] = lambda worker: True,
        approve: Callable[[Call], str | None] = lambda call: None,
    ) -> None:
        self._celery = celery
        self._events = events
        self._canceller = canceller
        self._leases = leases
        self._queue_of = queue_of
        self._has_message = has_message
        self._can_stop_jobs = can_stop_jobs
        self._approve = approve

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
        """Send a schedule's job to its queue now. Returns the run's id.

        `args` and `kwargs` replace the schedule's own arguments; `tick` is the nominal time of the
        run, `parent` the repeated run. The schedule's next tick does not move. Raises Unavailable
        where the broker or Redis does not answer.
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
        return self.send(
            facts,
            list(schedule.args if args is None else args),
            dict(schedule.kwargs if kwargs is None else kwargs),
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
        """Send a run with the given facts and arguments. Returns the run's id.

        1. The run of a schedule gets a lease, so that no tick overtakes the run.
        2. The message is sent.
        3. The event `run.queued` is written. Not before the message: a run without the event is
           found by the worker's events, but an announced run without a message would wait for
           ever.

        Raises Unavailable where the broker or Redis does not answer.
        """
        run = run or str(uuid4())
        arguments = {"args": bounded(args, self._limit), "kwargs": bounded(kwargs, self._limit)}
        facts = facts.model_copy(update=arguments)
        limited = policies or Policies()
        parts = limits.facts_of(limited)
        with answering(server=BROKER):
            approval = self._approve(Call(facts.job, args, kwargs, facts.schedule_uid))
        headers = headers_for(facts, parts, approval=approval)
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
        anyway: bool = False,
        now: datetime,
    ) -> str:
        """Send the job of a past run once more. Returns the new run's id.

        `args` and `kwargs` replace the run's own arguments. `schedule` is the run's schedule, None
        for a deleted one; `check` raises for arguments that the job cannot take. Raises Refused
        where nothing ran, where the history has the arguments cut or with secrets hidden, and,
        unless `anyway`, for a lost run whose message comes back by itself; Unavailable where the
        broker or Redis does not answer.
        """
        facts = rerun_facts(run, actor=actor, now=now)
        if not anyway:
            self._refuse_doubling(run)
        arguments = rerun_arguments(run, schedule, self._limit, args=args, kwargs=kwargs)
        check_arguments(*arguments)
        check(run.job, *arguments)
        priority = schedule.priority if schedule is not None else None
        return self.send(facts, *arguments, priority=priority, now=now)

    def _refuse_doubling(self, run: PastRun) -> None:
        """Raise Refused for a lost run whose message is still with the broker."""
        if run.state != RunState.LOST:
            return
        with answering(server=BROKER):
            comes_back = self._has_message(run.id, run.queue)
        if comes_back:
            raise Refused(
                f"run {run.id} is lost, and its message is still with the broker: a worker gets it "
                "again within about a minute. Running it again would run it twice; add --anyway "
                "if that is wanted",
                field="anyway",
            )

    def cancel(
        self, run_id: str, actor: str, now: datetime, *, queue: str | None = None
    ) -> Cancelled:
        """Cancel a run: a queued run does not start, the process of a running one gets SIGTERM.

        `queue` is the run's recorded queue, or None. Returns the effect at the moment: a queued run
        has ended; a running one is `revoked` when the worker reports the end, and a run that ends
        meanwhile keeps its own end. Raises Refused for an impossible id, Unavailable where the
        broker or Redis does not answer.
        """
        if not run_id or len(run_id) > 64:
            raise Refused(
                f"{run_id!r} is not the id of a run; `beatdesk runs list` shows them", field="run"
            )
        with answering(server=BROKER):
            queues = [] if queue is None else [queue]
            effect = self._canceller.cancel([run_id], actor, now, queues)[run_id]
            if effect is not Cancelled.STOPPING:
                return effect
            lease = self._leases.get(run_id)
            is_stuck = lease is not None and lease.worker and not self._can_stop_jobs(lease.worker)
            return Cancelled.UNSTOPPABLE if is_stuck else effect

    @contextmanager
    def _alive(self, run: str, facts: RunFacts) -> Iterator[None]:
        """Give the run of a schedule a lease, and withdraw the lease where the run is not sent."""
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
