"""Slow entries share a budget in each pass; an entry that was quick before is planned in any case."""

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.work_budget import QUICK, SECONDS, SLOW, WorkBudget


def entry(name: str, definition: bytes = b"{}") -> DueEntry:
    key = name.encode()
    return DueEntry(key, key, b"0", definition, None, None, 0, 0, (), None)


def test_many_quick_entries_spend_nothing() -> None:
    budget = WorkBudget()
    for number in range(1000):
        budget.record(entry(f"quick-{number}"), SLOW)
    assert budget.admits(entry("new"))


def test_a_spent_budget_admits_only_what_was_quick_until_the_next_pass() -> None:
    budget = WorkBudget()
    budget.record(entry("quick"), QUICK)
    budget.record(entry("slow"), SECONDS)
    assert budget.admits(entry("quick"))
    assert not budget.admits(entry("new"))
    assert not budget.admits(entry("slow"))
    budget.begin_pass()
    assert budget.admits(entry("slow"))


def test_an_edited_entry_is_a_new_one() -> None:
    budget = WorkBudget()
    budget.record(entry("edited"), 0.0)
    budget.record(entry("slow"), SECONDS)
    assert not budget.admits(entry("edited", b'{"task": "other"}'))
