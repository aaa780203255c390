"""Messages that a worker keeps without a connection to the broker, and while stopping.

Redis knows nothing of connections: a message stays unacknowledged, and the run's lease the
worker's, as long as message and lease are renewed. So jobs go on while Redis is away, and the next
connection acknowledges the jobs' messages. Messages of unbegun runs go back.
"""

from collections.abc import Iterable
from typing import Any

from celery.worker import state

from scheduler.celery_app import internals
from scheduler.worker.held_runs import qos_of
from scheduler.worker.transport.qos import KeptMessage, QoS

UNDECIDED_SECONDS = 5.0
"""Seconds in which the pool reports the start of a given job."""


class KeptMessages:
    """The messages of a consumer, between two of the consumer's connections."""

    def __init__(self) -> None:
        self._messages: list[KeptMessage] = []
        self._requests: dict[str, Any] = {}

    def keep(self, consumer: Any) -> None:
        """Keep the messages of a lost connection."""
        qos = qos_of(consumer)
        if qos is None:
            return
        self._requests |= requests_by_tag()
        self._messages += qos.hand_over()

    def hand_to(self, consumer: Any, qos: QoS) -> None:
        """Go on with the messages of begun jobs by a new connection, and give back the others."""
        messages, self._messages = self._messages, []
        requests, self._requests = self._requests, {}
        undecided = []
        for kept in messages:
            request = requests.get(kept.tag)
            is_with_pool = request is not None and internals.is_with_pool(request)
            if request is not None and (request in state.active_requests or is_with_pool):
                qos.take_over(kept)
                if request not in state.active_requests:
                    undecided.append((kept.tag, request))
            else:
                qos.give_back(kept.tag)
        if undecided:
            consumer.timer.call_after(UNDECIDED_SECONDS, _give_back_idle, (qos, undecided))


def give_back_unbegun(consumer: Any) -> int:
    """Give back the messages that a stopping worker has not begun. Returns the number."""
    qos = qos_of(consumer)
    if qos is None:
        return 0
    if consumer.controller.semaphore:
        consumer.controller.semaphore.clear()  # what waits for a place in the pool never gets one
    requests = requests_by_tag()
    given_back = 0
    for tag in qos.unacknowledged():
        request = requests.get(tag)
        is_run = tag in qos.claims and qos.claims[tag].run is not None
        # A message without a request may be one that is about to be acknowledged. One that comes
        # back to another worker is dropped there, if it is a run's.
        if (request is None and is_run) or (
            request is not None and not internals.is_with_pool(request)
        ):
            given_back += qos.give_back(tag)
            qos.let_go(tag)
    return given_back


def requests_by_tag() -> dict[str, Any]:
    """Return Celery's requests of the worker, by the messages' delivery tags."""
    requests: Iterable[Any] = list(state.requests.values())
    return {request.message.delivery_tag: request for request in requests}


def _give_back_idle(qos: QoS, undecided: list[tuple[str, Any]]) -> None:
    """Give back messages with whose jobs the pool has not begun after all."""
    for tag, request in undecided:
        if request not in state.active_requests and tag in qos.unacknowledged():
            qos.give_back(tag)
            qos.let_go(tag)
