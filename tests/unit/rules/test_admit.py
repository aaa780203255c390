"""The whole truth table of admission: what a worker asks before it starts a run."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from scheduler.rules.policies.admit import (
    START,
    Admission,
    decide,
    is_required,
)
from scheduler.rules.policies.overlap import Overlap
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
    *,
    late: bool,
    exists: bool,
    enabled: bool,
    skipped: bool,
    paused: bool,
    others: int,
    policy: Overlap,
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
    for late, exists, enabled, skipped, paused, others in product(
        truths, truths, truths, truths, truths, (0, 1, 5)
    ):
        found = decide(
            LATE,
            start_by=NOON if late else LATE + timedelta(seconds=1),
            exists=exists,
            enabled=enabled,
            skipped=skipped,
            paused=paused,
            overlap=policy,
            others_running=others,
        )
        assert found == expected(
            late=late,
            exists=exists,
            enabled=enabled,
            skipped=skipped,
            paused=paused,
            others=others,
            policy=policy,
        )


@pytest.mark.parametrize(
    ("trigger", "actor", "attempt", "required"),
    [
        ("schedule", None, 1, True),
        ("schedule", None, 2, False),
        ("schedule", "ada", 1, False),
        ("backfill", "ada", 1, False),
        ("manual", "ada", 1, False),
        ("rerun", "ada", 1, False),
        ("api", None, 1, False),
    ],
)
def test_only_the_first_attempt_of_what_the_schedule_itself_started_is_asked(
    trigger: str, actor: str | None, attempt: int, required: bool
) -> None:
    assert is_required(trigger=trigger, actor=actor, attempt=attempt) is required


@pytest.mark.parametrize(("start_by", "kind"), [(None, "start"), (NOON, "expire"), (LATE, "start")])
def test_a_run_may_start_up_to_its_deadline(start_by: datetime | None, kind: str) -> None:
    assert decide(LATE, start_by=start_by).kind == kind
