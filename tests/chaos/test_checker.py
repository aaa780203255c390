"""The checker finds what does not hold, and nothing where all does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.chaos.checker import Account, Verdict, check
from tests.support.builders import NOON

SECOND = timedelta(seconds=1)


def queued(number: int, run: str | None = None) -> Verdict:
    tick = NOON + SECOND * number
    return Verdict("a", tick, tick, 1, "queued", run or f"run-{number}")


def skipped(first: int, last: int, count: int | None = None) -> Verdict:
    count = last - first + 1 if count is None else count
    return Verdict(
        "a", NOON + SECOND * first, NOON + SECOND * last, count, "ticks.skipped: overlap"
    )


def aside(verdict: Verdict) -> Verdict:
    """The same half a second later, which is no tick."""
    return replace(verdict, first=verdict.first + SECOND / 2, last=verdict.last + SECOND / 2)


def swap(account: Account) -> None:
    """The third run was sent before the second."""
    account.verdicts[1:3] = account.verdicts[2:0:-1]


def asleep(account: Account) -> None:
    """Another schedule went on for a while."""
    account.begun["b"], account.every["b"], account.reached["b"] = NOON, SECOND, NOON + SECOND * 41


def whole() -> Account:
    """Ten ticks: three runs, five skipped, two runs."""
    runs = [1, 2, 3, 9, 10]
    account = Account(begun={"a": NOON}, every={"a": SECOND}, reached={"a": NOON + SECOND * 10})
    account.messages.update(f"run-{number}" for number in runs)
    account.verdicts = [*map(queued, runs), skipped(4, 8)]
    return account


def test_a_whole_account_has_no_faults() -> None:
    found = check(whole())
    assert found.faults == []
    assert (found.ticks, found.sent, found.ruled, found.lost, found.double) == (10, 5, 5, 0, 0)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda account: account.messages.pop("run-3"), "I1: a run is told of"),
        (lambda account: account.messages.update(["run-11"]), "I1: a message starts"),
        (lambda account: account.messages.update(["run-3"]), "I2: a run was sent twice"),
        (lambda account: account.edits_undone.append("x"), "I3"),
        (lambda account: account.died.append("exit code 1"), "I4"),
        (lambda account: account.not_set_aside.append("bad"), "I5"),
        (
            lambda account: account.verdicts.remove(skipped(4, 8)),
            "I9: a tick has no verdict: a 12:00:04",
        ),
        (
            lambda account: account.verdicts.append(skipped(8, 8)),
            "I9: a tick has two verdicts: a 12:00:08",
        ),
        (lambda account: account.verdicts.append(skipped(11, 12, 3)), "I9: a range"),
        (
            lambda account: account.verdicts.remove(queued(10)),
            "I9: a tick has no verdict: a 12:00:10",
        ),
        (
            lambda account: account.verdicts.remove(queued(1)),
            "I9: a tick has no verdict: a 12:00:01",
        ),
        (
            lambda account: account.verdicts.append(queued(3, "another")),
            "I9: a tick has two verdicts: a 12:00:03",
        ),
        (
            lambda account: account.verdicts.append(queued(11)),
            "I1: a tick has a verdict that its entry was not moved past",
        ),
        (
            lambda account: account.verdicts.append(skipped(11, 11)),
            "I1: a tick has a verdict that its entry was not moved",
        ),
        (lambda account: account.verdicts.append(queued(0)), "I9: a verdict is on what is no tick"),
        (
            lambda account: account.verdicts.append(skipped(-3, -1)),
            "I9: a verdict is on what is no tick",
        ),
        (
            lambda account: account.verdicts.append(aside(queued(5))),
            "I9: a verdict is on what is no tick",
        ),
        (
            lambda account: account.verdicts.reverse(),
            "a run was sent after that of a later tick: a 12:00:09",
        ),
        (
            lambda account: account.begun.update(b=NOON),
            "I9: a schedule is gone, or was left behind: b",
        ),
        (lambda account: account.reached.clear(), "I9: a schedule is gone, or was left behind: a"),
        (asleep, "I9: a schedule is gone, or was left behind: a"),
        (swap, "a run was sent after that of a later tick: a 12:00:02"),
    ],
)
def test_each_harm_is_found(harm: Callable[[Account], object], says: str) -> None:
    account = whole()
    harm(account)
    found = check(account)
    assert any(fault.startswith(says) for fault in found.faults), found.faults


def test_what_is_lost_and_what_is_double_is_counted() -> None:
    account = whole()
    account.messages.update(["run-1", "run-1"])
    account.messages.pop("run-2")
    account.verdicts.remove(queued(9))
    found = check(account)
    assert (found.lost, found.double) == (2, 2)
