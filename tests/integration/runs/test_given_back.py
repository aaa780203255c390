"""A worker gives back what it has and has not begun: whoever gets the message next need not wait
for its lease.
"""

from uuid import uuid4

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.events.schema import RunFacts, RunReceived, run_event
from scheduler.runs.leases import HeldRun, LeaseState
from scheduler.services.services import Services
from scheduler.storage import keys

RUN = "6f1c1a52-9d57-5f0e-8f5a-3d1de6a0c111"
HOLDER = "one@here"


@pytest.fixture
def held(services: Services) -> Services:
    """A worker has the second attempt of a run."""
    facts = RunFacts(job="tests.add", trigger="schedule", schedule="s", schedule_uid=str(uuid4()))
    services.events.append(run_event(RunReceived, RUN, 2, utc_now(), worker=HOLDER, facts=facts))
    assert services.leases.standing(RUN, 2) is LeaseState.ALIVE
    return services


def test_what_is_given_back_is_nobodys_and_still_counts(held: Services, redis: Redis) -> None:
    told = redis.xlen(keys.EVENTS_STREAM)
    held.events.give_back({RUN: 2}, HOLDER)
    assert held.leases.standing(RUN, 2) is LeaseState.OVER
    assert held.leases.known([RUN]) == {RUN}
    lease = held.leases.get(RUN)
    assert lease is not None
    assert (lease.worker, lease.attempt, lease.name) == (None, 2, "s")
    assert held.leases.renew([HeldRun(RUN, 1, 0, "")], HOLDER).renewed == 0, (
        "whoever had it renews it no more"
    )
    assert held.leases.overdue() == {}
    assert redis.xlen(keys.EVENTS_STREAM) == told


@pytest.mark.parametrize(("attempt", "worker"), [(2, "another@here"), (1, HOLDER), (3, HOLDER)])
def test_what_another_has_by_now_stays_its_own(held: Services, attempt: int, worker: str) -> None:
    held.events.give_back({RUN: attempt}, worker)
    assert held.leases.standing(RUN, 2) is LeaseState.ALIVE


def test_what_is_over_is_not_brought_back(held: Services) -> None:
    held.events.forget(RUN)
    held.events.give_back({RUN: 2, "unheard-of": 1}, HOLDER)
    assert held.leases.known([RUN, "unheard-of"]) == set()
