"""Waiting messages of a schedule go to another queue: each once, in order, and the history tells."""

import json

import pytest

from scheduler.errors import Refused
from scheduler.queues.contents import lists_of
from scheduler.services.services import Services
from tests.support.builders import a_schedule
from tests.support.processes import start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.runs.audited import QUEUE, Audited
from tests.support.runs.house import with_jobs
from tests.support.waiting import wait_for


def order(audited: Audited, queue: str) -> list[str]:
    """Runs in the order in which workers take them."""
    return [
        json.loads(text)["headers"]["id"]
        for key in lists_of(queue)
        for text in reversed(audited.redis.lrange(key, 0, -1))
    ]


def test_messages_of_the_schedule_are_moved_and_no_others(audited: Audited) -> None:
    runs = [audited.sent(priority) for priority in (None, 3, None, 9, 3) for _ in range(60)]
    other = audited.by_name(headers={"about": audited.schedule.uid})
    moves = audited.services.message_moves
    before = [run for run in order(audited, QUEUE) if run != other]
    assert moves.waiting(audited.schedule.uid, "default") == {QUEUE: len(runs)}
    assert moves.move(audited.schedule.uid, "default", audited.now) == len(runs)
    assert order(audited, "default") == before
    assert order(audited, QUEUE) == [other]
    assert moves.waiting(audited.schedule.uid, "default") == {}
    assert moves.move(audited.schedule.uid, "default", audited.now) == 0
    assert audited.looks() == ([], [], len(runs) + 1)
    assert {audited.row(run).queue for run in runs} == {"default"}
    assert audited.row(other).queue == QUEUE


def test_a_moved_run_is_moved_back_and_named_by_its_last_queue(audited: Audited) -> None:
    run = audited.sent()
    audited.services.message_moves.move(audited.schedule.uid, "default", audited.now)
    audited.looks()
    audited.services.message_moves.move(audited.schedule.uid, "bulk", audited.now)
    audited.looks()
    row = audited.row(run)
    assert (row.queue, row.state, row.actor, row.trigger) == ("bulk", "queued", "ada", "manual")


def test_a_moved_run_runs_in_its_new_queue_and_goes_back_to_it(audited: Audited) -> None:
    audited.schedule = a_schedule("moved", "tests.add", queue=QUEUE, args=[1], kwargs={"y": 2})
    run = audited.sent()
    audited.services.message_moves.move(audited.schedule.uid, "default", audited.now)
    assert audited.taken("default") == run
    audited.given_back(run)
    assert order(audited, "default") == [run]
    start_worker(with_jobs(audited.services.settings), queues="default")

    def is_done() -> bool:
        audited.looks(after=0)
        return bool(audited.row(run).state == "succeeded")

    wait_for(is_done, 30, "it ran")
    assert (audited.row(run).queue, audited.row(run).result) == ("default", 3)


def test_on_another_broker_nothing_is_moved_and_the_remedy_is_told(
    services: Services, rabbit: RabbitServer
) -> None:
    there = Services(services.settings.model_copy(update={"broker_url": rabbit.url}))
    with pytest.raises(Refused, match="only where the broker is Redis"):
        there.message_moves.waiting("u", "default")
