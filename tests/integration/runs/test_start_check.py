"""What a worker is answered that asks whether a tick's run may start: asked of a real server,
question by question.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.dispatch.start_check import Answer
from scheduler.events.schema import RunReceived, RunSucceeded, decode, run_event
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.rules.policies.admit import START, Admission
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import HELD_SECONDS
from scheduler.schedules.operations import Operations
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_spec, every, facts_of
from tests.support.schedules.store import store  # noqa: F401 - the same store, with the same job

SKIPPED, WAITS = Admission("skip", "overlap"), Admission("wait", "overlap")
PAUSED, BY_OPERATOR = Admission("skip", "paused"), Admission("skip", "operator")
HOUR = timedelta(hours=1)


class Door:
    """A schedule whose ticks are sent, and the workers that ask about their runs."""

    def __init__(self, services: Services) -> None:
        self.services, self.redis = services, services.redis
        self.first = utc_now().replace(microsecond=0) - HOUR / 2
        self.schedule: Schedule

    def has(self, **policies: Any) -> "Door":
        """Make the schedule."""
        spec = a_spec("due", when=every(3600, self.first - HOUR), policies=Policies(**policies))
        self.schedule = self.services.schedules.create(
            spec, edit=Edit(actor="ada", now=self.first - HOUR)
        )
        return self

    def tick(self, number: int) -> datetime:
        """A tick of it."""
        return self.first + number * HOUR

    def sent(self, number: int = 0, **known: Any) -> str:
        """The run of a tick, in its queue."""
        run = run_id(self.schedule.uid, self.tick(number))
        self.services.leases.announce(run, owner_text(self.schedule.uid, "due", **known))
        return run

    def asks(
        self,
        run: str,
        number: int = 0,
        *,
        again: bool = False,
        start_by: datetime | None = None,
        worker: str = "w@h",
    ) -> Answer:
        """A worker has the message."""
        facts = facts_of(self.schedule, self.tick(number))
        event = run_event(RunReceived, run, 1, utc_now(), worker=worker, facts=facts)
        assert isinstance(event, RunReceived)
        return self.services.start_check.ask(event, again=again, start_by=start_by)

    def received(self) -> list[str]:
        """The runs of which it is told that a worker has them."""
        told = [decode(fields) for _, fields in self.redis.xrange(keys.EVENTS_STREAM)]
        return [event.run for event in told if isinstance(event, RunReceived)]


@pytest.fixture
def door(services: Services, store: object) -> Door:  # noqa: F811 - the fixture
    """Nothing yet; the test says what the schedule is like."""
    return Door(services)


def test_a_run_that_may_start_is_its_workers_from_that_moment_on(door: Door) -> None:
    run = door.has(pause_after_failures=3).sent(pause_after=3, expires=door.tick(5))
    assert door.asks(run) == Answer(START, is_recorded=True)
    lease = door.services.leases.get(run)
    assert lease is not None
    assert (lease.uid, lease.attempt, lease.worker, lease.name) == (
        door.schedule.uid,
        1,
        "w@h",
        "due",
    )
    assert (lease.text.split(" ")[3], lease.expires) == ("3", door.tick(5).timestamp())
    for key in (keys.LEASES_ZSET, keys.ALIVE_PREFIX + door.schedule.uid):
        end: Any = door.redis.zscore(key, run)
        assert HELD_SECONDS - 10 < end - utc_now().timestamp() <= HELD_SECONDS
    assert door.received() == [run]


@pytest.mark.parametrize(
    ("overlap", "admission"),
    [
        ("skip", SKIPPED),
        ("queue_one", WAITS),
        ("queue_all", WAITS),
        ("cancel_previous", WAITS),
        ("allow", START),
    ],
)
def test_beside_a_run_that_a_worker_has_the_policy_decides_and_nothing_is_told_or_written(
    door: Door, overlap: str, admission: Admission
) -> None:
    first, second = door.has(overlap=overlap).sent(0), door.sent(1)
    door.asks(first)
    assert door.asks(second, 1, worker="v@h") == Answer(admission, is_recorded=False)
    lease = door.services.leases.get(second)
    assert lease is not None
    assert lease.worker is None
    assert door.received() == [first]


def queued_only(door: Door, run: str) -> None:
    """No worker has it yet."""


def run_out(door: Door, run: str) -> None:
    """Its worker was not heard of for too long."""
    door.asks(run)
    door.redis.zadd(keys.LEASES_ZSET, {run: 1})
    door.redis.zadd(keys.ALIVE_PREFIX + door.schedule.uid, {run: 1})


def over(door: Door, run: str) -> None:
    """It has ended."""
    door.asks(run)
    door.services.events.append(run_event(RunSucceeded, run, 1, utc_now(), worker="w@h"))


@pytest.mark.parametrize("become", [queued_only, run_out, over])
def test_a_run_that_is_in_no_workers_hands_holds_up_nobody(
    door: Door, become: Callable[[Door, str], None]
) -> None:
    become(door.has(), door.sent(0))
    assert door.asks(door.sent(1), 1) == Answer(START, is_recorded=True)


def test_a_run_that_was_let_in_is_not_asked_again_whoever_has_its_message_now(door: Door) -> None:
    run = door.has().sent()
    door.asks(run)
    Operations(door.services.schedules).pause(
        "due", reason="r", edit=Edit(actor="ada", now=utc_now())
    )
    assert door.asks(run, again=True, worker="v@h") == Answer(START, is_recorded=True)
    assert door.asks(run, worker="v@h") == Answer(START, is_recorded=True)


def test_a_run_that_was_let_in_goes_on_though_its_schedule_is_deleted(door: Door) -> None:
    run = door.has().sent()
    door.asks(run)
    door.services.schedules.delete("due", edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(run, again=True, worker="v@h") == Answer(START, is_recorded=True)


def test_a_message_that_comes_again_before_anybody_asked_is_asked(door: Door) -> None:
    run = door.has().sent()
    Operations(door.services.schedules).pause(
        "due", reason="r", edit=Edit(actor="ada", now=utc_now())
    )
    assert door.asks(run, again=True).admission == PAUSED


def test_an_operator_holds_an_entry_that_code_owns_too(door: Door) -> None:
    run = door.has().sent()
    door.redis.sadd(keys.STATICS_SET, "due")
    door.services.schedules.set_enabled("due", False, edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(run).admission == BY_OPERATOR


def test_a_run_without_memory_was_let_in_if_its_message_comes_again_and_is_asked_if_it_comes_first(
    door: Door,
) -> None:
    run = run_id(door.has().schedule.uid, door.tick(0))
    Operations(door.services.schedules).pause(
        "due", reason="r", edit=Edit(actor="ada", now=utc_now())
    )
    assert door.asks(run) == Answer(PAUSED, is_recorded=True)
    other = run_id(door.schedule.uid, door.tick(1))
    assert door.asks(other, 1, again=True) == Answer(START, is_recorded=True)


def test_what_changed_while_the_message_was_in_its_queue_counts(door: Door) -> None:
    schedules = door.has().services.schedules
    operations = Operations(schedules)
    runs = [door.sent(number) for number in range(4)]
    operations.pause("due", reason="r", edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(runs[0]).admission == PAUSED
    door.services.events.forget(runs[0])
    operations.resume("due", missed="skip", edit=Edit(actor="ada", now=utc_now()))
    operations.skip("due", tick=door.tick(1), edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(runs[1], 1).admission == BY_OPERATOR
    door.services.events.forget(runs[1])
    assert door.asks(runs[2], 2).admission == START
    schedules.set_enabled("due", False, edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(runs[3], 3).admission == BY_OPERATOR, (
        "rather than because of the run before it"
    )


def test_a_schedule_of_the_same_name_that_was_made_since_is_another_one(door: Door) -> None:
    run = door.has().sent()
    door.services.schedules.delete("due", edit=Edit(actor="ada", now=utc_now()))
    door.services.schedules.create(door.schedule.spec(), edit=Edit(actor="ada", now=utc_now()))
    assert door.asks(run) == Answer(BY_OPERATOR, is_recorded=True)


@pytest.mark.parametrize(
    ("late", "admission"), [(False, BY_OPERATOR), (True, Admission("expire", "deadline"))]
)
def test_where_the_schedule_is_gone_nothing_is_told_since_a_recorder_may_put_it_back(
    door: Door, late: bool, admission: Admission
) -> None:
    run = door.has().sent()
    door.redis.delete(keys.entry("due"))
    start_by = utc_now() - HOUR if late else None
    assert door.asks(run, start_by=start_by) == Answer(admission, is_recorded=False, gone=True)
    assert door.received() == []


def test_where_neither_run_nor_schedule_is_known_the_run_starts(door: Door) -> None:
    run = run_id(door.has().schedule.uid, door.tick(0))
    door.redis.delete(keys.entry("due"))
    assert door.asks(run) == Answer(START, is_recorded=True)


def spoilt(redis: Redis) -> None:
    redis.hset(keys.entry("due"), "definition", "{")


def no_hash(redis: Redis) -> None:
    redis.delete(keys.entry("due"))
    redis.set(keys.entry("due"), "no hash")


def test_an_entry_that_cannot_be_read_lets_its_run_start(door: Door) -> None:
    run = door.has().sent()
    spoilt(door.redis)
    assert door.asks(run) == Answer(START, is_recorded=True)


def test_a_key_that_is_no_entry_is_taken_for_one_that_is_gone(door: Door) -> None:
    run = door.has().sent()
    no_hash(door.redis)
    assert door.asks(run).gone
