"""The whole truth table of admission: what a worker asks before it starts a run."""

from datetime import timedelta
from itertools import product

import pytest

from scheduler.rules.admit import START, Admission, decide
from scheduler.rules.overlap import Overlap
from tests.support.builders import NOON

LATE = NOON + timedelta(seconds=61)
DEADLINE = Admission("expire", "deadline")
OPERATOR = Admission("skip", "operator")
PAUSED = Admission("skip", "paused")
SKIPPED = Admission("skip", "overlap")
WAIT = Admission("wait", "overlap")

BY_OVERLAP: dict[Overlap, Admission] = {
    "skip": SKIPPED,
    "allow": START,
    "queue_one": WAIT,
    "queue_all": WAIT,
    "cancel_previous": WAIT,
}


def expected(
    *, late: bool, exists: bool, enabled: bool, skipped: bool, paused: bool, others: int, policy: Overlap
) -> Admission:
    """The rules in their order, as semantics.md has them."""
    if late:
        return DEADLINE
    if not (exists and enabled) or skipped:
        return OPERATOR
    if paused:
        return PAUSED
    return BY_OVERLAP[policy] if others else START


@pytest.mark.parametrize("policy", BY_OVERLAP)
def test_a_tick_of_the_schedule_is_asked_everything(policy: Overlap) -> None:
    truths = (True, False)
    for late, exists, enabled, skipped, paused, others in product(truths, truths, truths, truths, truths, (0, 1, 5)):
        found = decide(
            NOON,
            LATE,
            starting_deadline=60 if late else 62,
            exists=exists,
            enabled=enabled,
            skipped=skipped,
            paused=paused,
            overlap=policy,
            others_running=others,
        )
        assert found == expected(
            late=late, exists=exists, enabled=enabled, skipped=skipped, paused=paused, others=others, policy=policy
        )


@pytest.mark.parametrize("policy", BY_OVERLAP)
def test_what_an_operator_starts_is_held_by_its_deadline_alone(policy: Overlap) -> None:
    for exists, enabled, skipped, paused, others in product(*[(True, False)] * 4, (0, 2)):
        rest = {"exists": exists, "enabled": enabled, "skipped": skipped, "paused": paused}
        start = decide(None, LATE, scheduled=False, overlap=policy, others_running=others, **rest)
        assert start == START
        expire = decide(None, LATE, scheduled=False, queued_at=NOON, starting_deadline=60, overlap=policy, **rest)
        assert expire == DEADLINE


def test_a_retry_is_a_new_attempt_of_a_run_that_was_admitted() -> None:
    assert decide(NOON, LATE, attempt=2, starting_deadline=1, paused=True, enabled=False, others_running=3) == START


@pytest.mark.parametrize(("deadline", "kind"), [(None, "start"), (60, "expire"), (61, "start"), (3600, "start")])
def test_the_deadline_is_counted_from_the_tick(deadline: float | None, kind: str) -> None:
    assert decide(NOON, LATE, starting_deadline=deadline, queued_at=LATE).kind == kind
