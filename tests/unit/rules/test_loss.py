"""Whether an attempt follows on a job's process that died."""

import pytest

from scheduler.rules.policies.loss import OnLost, ProcessLoss, after_process_loss, stricter

MOST = 3


def rule(
    schedule: int | None = None,
    task: int | None = None,
    *,
    unlimited: bool = False,
    retries: int = 0,
    losses: int = 0,
    on_lost: OnLost = "again",
) -> str:
    """The rule that allows a further attempt."""
    loss = ProcessLoss(schedule, task, unlimited, retries, losses, on_lost)
    return after_process_loss(loss, MOST).rule


def test_a_schedule_with_attempts_left_decides_first() -> None:
    assert rule(schedule=1, task=0, losses=4) == "schedule"
    assert rule(schedule=1, on_lost="fail") == "schedule"


@pytest.mark.parametrize("losses", [0, 1, 5])
def test_a_schedule_without_retries_allows_none(losses: int) -> None:
    assert rule(schedule=0, losses=losses) == rule(schedule=0, task=0, losses=losses) == "none"


def test_the_attempts_that_a_task_declares_come_after_those_of_the_schedule() -> None:
    assert rule(schedule=0, task=2, retries=1) == rule(task=2, retries=1) == "task"
    assert rule(schedule=0, task=2, retries=2) == rule(task=2, retries=2) == "none"


def test_a_task_that_declares_no_retries_has_none() -> None:
    assert rule(task=0) == "none"


def test_a_task_without_an_end_of_attempts_has_a_few() -> None:
    assert [rule(unlimited=True, retries=n, losses=n) for n in range(MOST + 1)] == [
        "task",
        "task",
        "task",
        "none",
    ]


def test_a_job_that_declares_nothing_is_tried_once_more_and_not_twice() -> None:
    assert rule() == "first loss"
    assert rule(retries=4) == "first loss"
    assert rule(retries=1, losses=1) == "none"


def test_a_job_that_must_not_run_twice_is_not_tried_again() -> None:
    assert rule(on_lost="fail") == "none"


def test_the_reason_counts_the_lost_processes() -> None:
    loss = ProcessLoss(None, None, False, retries=1, losses=1)
    verdict = after_process_loss(loss, MOST)
    assert verdict.reason == "lost 2 times; the job declares no retries"
    first = after_process_loss(ProcessLoss(0, None, False, 0, 0), MOST)
    assert first.reason == "lost once; its schedule allows no further attempt (retries)"


def test_a_run_fails_if_its_schedule_or_its_job_says_so() -> None:
    assert stricter("again", "fail") == stricter("fail", None) == "fail"
    assert stricter(None, None) == stricter("again", None) == "again"
