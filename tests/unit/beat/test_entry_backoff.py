"""An entry that cannot be moved on is left alone for a while, longer each time, unless somebody
edits it.
"""

from types import SimpleNamespace

import pytest

from scheduler.beat import entry_backoff
from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_backoff import FIRST, LONGEST, EntryBackoff


class Clock:
    """This process's clock, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(entry_backoff, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def due_entry(name: str = "due", definition: str = "{}") -> DueEntry:
    """An entry, as Beat sees it."""
    return DueEntry(
        b"redbeat:" + name.encode(),
        name.encode(),
        b"1",
        definition.encode(),
        None,
        None,
        0,
        0,
        [],
        None,
    )


def test_each_wait_is_twice_the_one_before_up_to_the_longest(clock: Clock) -> None:
    backoff = EntryBackoff()
    waits = [backoff.record_failure(due_entry()) for _ in range(9)]
    assert waits == [FIRST * 2**number for number in range(7)] + [LONGEST] * 2


def test_it_is_looked_at_when_its_wait_is_over_and_no_sooner(clock: Clock) -> None:
    backoff = EntryBackoff()
    assert backoff.is_allowed(due_entry())
    wait = backoff.record_failure(due_entry())
    clock.now += wait * 0.9
    assert not backoff.is_allowed(due_entry())
    assert backoff.is_allowed(due_entry("another"))
    clock.now += wait * 0.2
    assert backoff.is_allowed(due_entry())


def test_one_that_was_edited_is_looked_at_at_once_and_waits_as_if_for_the_first_time(
    clock: Clock,
) -> None:
    backoff = EntryBackoff()
    for _ in range(5):
        backoff.record_failure(due_entry())
    assert backoff.is_allowed(due_entry(definition='{"args": []}'))
    assert backoff.record_failure(due_entry(definition='{"args": []}')) == FIRST


def test_one_that_has_moved_on_is_held_no_more(clock: Clock) -> None:
    backoff = EntryBackoff()
    backoff.record_failure(due_entry())
    backoff.record_failure(due_entry())
    backoff.clear(b"redbeat:due")
    assert (backoff.is_allowed(due_entry()), backoff.count) == (True, 0)
    assert backoff.record_failure(due_entry()) == FIRST


def test_beat_sleeps_no_longer_than_until_the_first_may_be_looked_at_again(clock: Clock) -> None:
    backoff = EntryBackoff()
    assert backoff.seconds_until_next() == LONGEST
    for _ in range(3):
        backoff.record_failure(due_entry("slow"))
    backoff.record_failure(due_entry("quick"))
    assert backoff.seconds_until_next() == pytest.approx(FIRST)
    clock.now += FIRST * 2
    assert backoff.seconds_until_next() == pytest.approx(FIRST * 2), (
        "the first one's time has come already"
    )


def test_one_that_was_not_heard_of_for_a_minute_is_forgotten_and_no_sooner(clock: Clock) -> None:
    backoff = EntryBackoff()
    wait = backoff.record_failure(due_entry())
    clock.now += wait + 59
    backoff.seconds_until_next()
    assert backoff.count == 1
    clock.now += 2
    backoff.seconds_until_next()
    assert backoff.count == 0
