"""The account of runs notices each fault that it is there for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.runs.account import Account, JobEvent, Row, Ticks, check

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVERY = timedelta(seconds=2)


def account(**changes: Any) -> Account:
    """Two runs without a fault: one executed at once, one again after its process was killed."""
    whole = Account(
        accepted={"a", "b"},
        job_events=[
            JobEvent("a", "start", 1, 10.0),
            JobEvent("a", "end", 1, 11.0),
            JobEvent("b", "start", 2, 10.0),
            JobEvent("b", "start", 3, 60.0),
            JobEvent("b", "end", 3, 61.0),
        ],
        deaths={2: 10.5},
        rows={
            "a": Row("a", "succeeded", 1, explained=False),
            "b": Row("b", "succeeded", 2, explained=False),
        },
        ticks=[Ticks("s", NOON, NOON, 1), Ticks("s", NOON + EVERY, NOON + 3 * EVERY, 3)],
        expected={"s": (NOON, NOON + 3 * EVERY, EVERY)},
    )
    return replace(whole, **changes)


def test_a_run_that_a_kill_repeated_is_no_fault() -> None:
    found = check(account())
    assert found.faults == []
    assert (found.runs, found.executions, found.repeated, found.lost) == (2, 3, 1, 0)


def test_a_run_without_a_message_needs_no_execution_and_a_reason() -> None:
    taken = account(accepted={"a", "b", "c"}, taken_away={"c"})
    taken.rows["c"] = Row("c", "lost", 0, explained=True)
    assert check(taken).faults == []
    taken.rows["c"] = Row("c", "lost", 0, explained=False)
    assert "verdict without a reason" in check(taken).faults[0]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (None, "has no row"),
        (Row("a", "running", 1, explained=False), "open for good"),
        (Row("a", "lost", 1, explained=True), "called something else"),
        (Row("a", "succeeded", 0, explained=False), "fewer attempts"),
    ],
)
def test_a_row_that_is_wrong_is_found(row: Row | None, fault: str) -> None:
    wrong = account()
    if row is None:
        del wrong.rows["a"]
    else:
        wrong.rows["a"] = row
    assert any(fault in text for text in check(wrong).faults)


def test_a_run_that_was_never_executed_is_lost() -> None:
    lost = account(accepted={"a", "b", "c"})
    lost.rows["c"] = Row("c", "lost", 0, explained=True)
    found = check(lost)
    assert found.lost == 1
    assert any("never executed" in text for text in found.faults)


def test_a_run_that_is_called_succeeded_without_an_end_is_found() -> None:
    job_events = [one for one in account().job_events if one.what == "start" or one.run != "a"]
    assert any(
        "never came to its end" in text for text in check(account(job_events=job_events)).faults
    )


def test_a_run_that_is_executed_twice_at_once_is_found() -> None:
    job_events = [
        *account().job_events,
        JobEvent("a", "start", 4, 10.5),
        JobEvent("a", "end", 4, 12.0),
    ]
    assert any("twice at once" in text for text in check(account(job_events=job_events)).faults)


def test_a_run_that_is_executed_again_after_its_end_is_found() -> None:
    job_events = [
        *account().job_events,
        JobEvent("a", "start", 4, 60.0),
        JobEvent("a", "end", 4, 61.0),
    ]
    faults = check(account(job_events=job_events)).faults
    assert any("again after its end" in text for text in faults)


def test_ticks_without_a_verdict_and_with_two_are_found() -> None:
    first, rest = account().ticks
    assert any("without a verdict" in text for text in check(account(ticks=[first])).faults)
    double = check(account(ticks=[first, first, rest])).faults
    assert any("with two verdicts" in text for text in double)
