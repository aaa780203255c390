"""The judge of a call before a job begins: the least role of the job, and its arguments.

Both were judged when the schedule was saved or the run started. Here they are judged again, because
whoever writes to Redis or to the broker passes by the console.

A job for administrators needs an approval (`runs.approvals`) in the message. Trusted without one
are calls by code: an entry of `beat_schedule` as this worker's own configuration has it, and what a
running job's function sends or calls. What Celery sends for a message, such as the next part of a
chain, is not: the message may name any job there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import signals

from scheduler.catalogue.call_check import check_arguments, filled_names
from scheduler.catalogue.records import ADMIN, Job
from scheduler.catalogue.secret_rights import references, refuse_forbidden
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.errors import NotPermitted
from scheduler.runs.approvals import Approvals, Call
from scheduler.runs.own_header import HEADER, OwnHeader, decode, raw_parts
from scheduler.worker.execution.current import current
from scheduler.worker.introspect import describe, uses_of


class CallJudge:
    """The judge of the calls in a worker's process."""

    def __init__(self, app: BeatdeskApp) -> None:
        self._app = app
        self._approvals = Approvals(app.settings.secret_key)
        self._described: dict[str, Job] = {}

    def check(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Check the call of a received message.

        A job with a model of its parameters judges values itself. Raises NotPermitted, or
        BadArguments for arguments that the job does not take, or with a secret that the job may not
        use.
        """
        own = decode(task.request.headers or {})
        if is_for_admins(task):
            self._check_role(own, Call(task.name, args, kwargs, own.schedule_uid))
        if own.trigger is not None and getattr(task, "params", None) is None:
            check_arguments(self._description(task), args, kwargs)
        elif references([args, kwargs]):
            described = self._description(task)
            placed = zip(filled_names(described, args), args, strict=True)
            refuse_forbidden(
                task.name,
                [*placed, *kwargs.items()],
                described.secret_uses,
                is_guarded=described.is_guarded,
            )

    def check_direct_call(self, task: Any) -> None:
        """Check that code calls a job for administrators, and not Celery for what a message says.

        Celery itself calls jobs for `map`, `starmap` and error callbacks. Raises NotPermitted.
        """
        if is_for_admins(task) and current() is None:
            raise NotPermitted(
                f"the job {task.name} is for administrators: it runs by its own message, or is "
                "called by another job's function, and not by a callback or `map` of a message"
            )

    def approve_sent(
        self, sender: Any = None, headers: Any = None, body: Any = None, **_: Any
    ) -> None:
        """Approve what a running job's function sends: a receiver of `before_task_publish`."""
        task = self._app.tasks.get(sender)
        if current() is None or task is None or not is_for_admins(task):
            return
        args, kwargs = body[:2]
        call = Call(task.name, args, kwargs, decode(headers).schedule_uid)
        headers[HEADER] = {**raw_parts(headers), "approval": self._approvals.approve(call)}

    def connect(self) -> None:
        """Connect the receiver, in a worker's process."""
        signals.before_task_publish.connect(
            self.approve_sent,
            weak=False,
            dispatch_uid=f"approvals by running jobs of {id(self._app)}",
        )

    def _check_role(self, own: OwnHeader, call: Call) -> None:
        if self._is_in_code(own.schedule, call):
            return
        fault = self._approvals.fault_in(own.approval, call)
        if fault is not None:
            raise NotPermitted(fault)

    def _is_in_code(self, schedule: str | None, call: Call) -> bool:
        """Whether an entry of `beat_schedule` has this call."""
        entry = (self._app.conf.beat_schedule or {}).get(schedule)
        if not isinstance(entry, Mapping):
            return False
        args, kwargs = entry.get("args") or (), entry.get("kwargs") or {}
        return call.is_equal(Call(entry.get("task", ""), args, kwargs, call.schedule_uid))

    def _description(self, task: Any) -> Job:
        found = self._described.get(task.name)
        if found is None:
            uses = [list(use) for use in uses_of(self._app)]
            found = describe(task.name, task).model_copy(update={"secret_uses": uses})
            self._described[task.name] = found
        return found


def is_for_admins(task: Any) -> bool:
    """Whether only administrators may have a job run."""
    return getattr(task, "least_role", None) == ADMIN
