"""Runs that a worker has: runs in the worker's hands, and runs of taken messages."""

from typing import Any

from celery.worker import state

from scheduler.runs.headers import Message, attempt_of, facts_of, is_run, queue_of
from scheduler.runs.lease_record import received_text
from scheduler.runs.leases import HeldRun, schedule_of
from scheduler.runs.own_header import deliveries_of
from scheduler.worker.transport.qos import QoS


def held_runs(consumer: Any, unknown: frozenset[str] = frozenset()) -> list[HeldRun]:
    """Return the runs whose leases a worker renews.

    Runs in `unknown`, without a record in Redis at the last heartbeat either, get a record for a
    new lease, if the worker is still at work on the run: Redis has lost the old lease.
    """
    held = {
        request.id: _of_request(request, consumer.hostname, request.id in unknown)
        for request in list(state.requests.values())
        if is_run(request.request_dict)
    }
    for run in list(consumer.waiting_runs.values()):
        held.setdefault(run.run, run)
    for claim in _claims(consumer):
        if claim.run is not None:
            held.setdefault(claim.run, HeldRun(claim.run, claim.retries, claim.begun, ""))
    return [run for run in held.values() if run.run not in consumer.stopped_runs]


def forget_messages(consumer: Any, runs: frozenset[str]) -> None:
    """Let go of the messages of runs that the worker has lost."""
    qos = qos_of(consumer)
    if qos is not None:
        for tag, claim in list(qos.claims.items()):
            if claim.run in runs:
                qos.let_go(tag)


def qos_of(consumer: Any) -> QoS | None:
    """The unacknowledged messages of a consumer with the claiming transport; None for others."""
    channel = getattr(consumer.task_consumer, "channel", None)
    qos = getattr(channel, "qos", None)
    return qos if isinstance(qos, QoS) else None


def _claims(consumer: Any) -> list[Any]:
    qos = qos_of(consumer)
    return [] if qos is None else list(qos.claims.values())


def _of_request(request: Any, worker: str, is_unknown: bool) -> HeldRun:
    headers = request.request_dict
    retries = attempt_of(headers.get("retries")) - 1
    begun = deliveries_of(headers)
    record = ""
    if is_unknown:
        facts = facts_of(Message(headers, [], {}, queue_of(request.delivery_info)), 0)
        uid, name = schedule_of(facts) or (None, facts.job)
        record = received_text(uid, name, retries + begun + 1, worker)
    return HeldRun(request.id, retries, begun, record)
