"""Many chunks of one pass, which is looked at while the one before it is planned and fired."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from redis import Redis

from scheduler.beat import Scheduler, dispatch_loop
from scheduler.beat.due_entries import DueBatch, DueEntry, PendingBatch
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.planner import Planner
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.store import ScheduleStore
from tests.support.beat.ours import queued
from tests.support.schedules.late import first_run, hourly

GOOD, BROKEN = "good", "broken"


def some_are_stuck(store: ScheduleStore, redis: Redis) -> list[Schedule]:
    """Twenty that are due, four of them for a queue that takes nothing."""
    redis.set(BROKEN, "no list")
    return [
        hourly(store, f"due-{number:02}", queue=BROKEN if number % 5 == 1 else GOOD)
        for number in range(20)
    ]


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_whatever_comes_before_the_chunks_of_a_pass_or_stays_there_each_run_is_sent_once(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", chunk)
    saved = some_are_stuck(store, redis)
    plan, planned, early = Planner.entry_writes, [], iter(range(8))

    def watched(
        self: Planner, entries: Iterable[DueEntry], now: datetime, *limits: Any
    ) -> list[EntryWrite]:
        entries = list(entries)
        planned.extend(one.name for one in entries)
        made = plan(self, entries, now, *limits)
        for number in islice(
            early, 1
        ):  # entries that are due since the same time come in the order of their names
            saved.append(hourly(store, f"a-early-{number}", queue=GOOD))
        return made

    monkeypatch.setattr(Planner, "entry_writes", watched)
    beat.tick()
    beat.tick()
    good = [one for one in saved if one.queue == GOOD]
    assert len(good) == 24
    assert sorted(queued(redis)) == sorted(map(first_run, good))
    assert redis.llen(GOOD) == len(good)
    assert [one.name for one in good if planned.count(one.name) != 1] == []


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_a_pass_reads_each_entry_once_the_longest_due_first(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(dispatch_loop, "BATCH_SIZE", chunk)
    saved = some_are_stuck(store, redis)
    look, read = PendingBatch.wait, []

    def watched(self: PendingBatch) -> DueBatch:
        found = look(self)
        read.extend(one.name for one in found.entries)
        return found

    monkeypatch.setattr(PendingBatch, "wait", watched)
    beat.tick()
    assert read == [one.name for one in saved]
