"""The whole truth table of overlap."""

from itertools import product

import pytest

from scheduler.rules.policies.overlap import Overlap, Verdict, decide

SKIP, SEND, HOLD, CANCEL = "skip", "send", "hold", "cancel_and_hold"

TABLE: dict[Overlap, dict[tuple[int, int], Verdict]] = {
    # by (alive, waiting), with room for three
    "skip": {
        (0, 0): SEND,
        (1, 0): SKIP,
        (2, 0): SKIP,
        (0, 1): SKIP,
        (1, 1): SKIP,
        (1, 2): SKIP,
        (1, 3): SKIP,
    },
    "allow": {
        (0, 0): SEND,
        (1, 0): SEND,
        (2, 0): SEND,
        (0, 1): SEND,
        (1, 1): SEND,
        (1, 2): SEND,
        (1, 3): SEND,
    },
    "queue_one": {
        (0, 0): SEND,
        (1, 0): HOLD,
        (2, 0): HOLD,
        (0, 1): SKIP,
        (1, 1): SKIP,
        (1, 2): SKIP,
        (1, 3): SKIP,
    },
    "queue_all": {
        (0, 0): SEND,
        (1, 0): HOLD,
        (2, 0): HOLD,
        (0, 1): HOLD,
        (1, 1): HOLD,
        (1, 2): HOLD,
        (1, 3): SKIP,
    },
    "cancel_previous": {
        (0, 0): SEND,
        (1, 0): CANCEL,
        (2, 0): CANCEL,
        (0, 1): CANCEL,
        (1, 1): CANCEL,
        (1, 2): CANCEL,
        (1, 3): CANCEL,
    },
}

ROWS = [
    (policy, counts, verdict) for policy, row in TABLE.items() for counts, verdict in row.items()
]


@pytest.mark.parametrize(("policy", "counts", "verdict"), ROWS)
def test_the_verdict_on_a_tick(policy: Overlap, counts: tuple[int, int], verdict: Verdict) -> None:
    assert decide(policy, *counts, queue_limit=3) == verdict


def test_with_skip_there_is_never_a_pile() -> None:
    """Workers that were down all night find at most one message of a schedule."""
    alive = 0
    for _ in range(1000):
        alive += decide("skip", alive, 0) == "send"
    assert alive == 1


def test_queue_all_keeps_a_hundred_unless_told_otherwise() -> None:
    verdicts = [decide("queue_all", 1, waiting) for waiting in range(102)]
    assert verdicts == ["hold"] * 100 + ["skip"] * 2


def test_what_is_held_is_not_overtaken() -> None:
    for policy, waiting in product(
        ("skip", "queue_one", "queue_all", "cancel_previous"), range(1, 5)
    ):
        assert decide(policy, 0, waiting) != "send"
