"""The usual form of `fire.lua` does what the whole form does: the same keys, the same results, and
an entry that is refused or no longer as it was read is left alone in both.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from redis import Redis

from scheduler.beat.due_entries import DueEntry, DueEntryReader
from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.fast.decoded_entries import decode
from scheduler.beat.leader import Leader
from scheduler.beat.planner import Planner
from scheduler.beat.script_pipeline import ScriptPipeline
from scheduler.beat.transaction import DONE, STALE, Transaction
from scheduler.publishing.kombu_commands import Renderer
from scheduler.redbeat.codec import Meta
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.due_entries import due_entry
from tests.support.beat.whole_form import whole_form
from tests.support.builders import NOON, a_schedule, every
from tests.support.waiting import PATIENCE

QUEUES = ("default", "other", "broken")
NOW = NOON + timedelta(seconds=61)
CHANGES = (
    "none",
    "none",
    "none",
    "definition",
    "meta",
    "extra",
    "no extra",
    "deleted",
    "another type",
    "runs are no set",
    "runs already",
)
"""What happens to an entry between its read and the script."""

ENTRIES = st.lists(
    st.tuples(st.sampled_from(QUEUES), st.sampled_from(CHANGES), st.booleans()),
    min_size=1,
    max_size=7,
)


class Beat:
    """The parts of a leading Beat that carry out a batch."""

    def __init__(self, services: Services) -> None:
        self.redis: Redis = services.redis
        names = keys.Names()
        self.leader = Leader(self.redis, names.lock, 60.0)
        pipeline = ScriptPipeline(self.redis)
        self.transaction = Transaction(pipeline, self.leader, names)
        self.reader = DueEntryReader(pipeline, self.leader, names)
        self.renderer = Renderer(services.celery, PATIENCE)
        self.planner = Planner(services.celery, self.redis, self.renderer, 2000)
        for queue in QUEUES[:2]:
            first = a_schedule("first", "job", when=every(60, NOON), queue=queue)
            self.planner.entry_writes([due_entry(first, Meta(NOON))], NOW)

    def carry_out(self, writes: list[EntryWrite]) -> list[str]:
        """The results of the writes."""
        return self.transaction.carry_out(writes).wait()


@pytest.fixture
def beat(services: Services) -> Iterator[Beat]:
    made = Beat(services)
    yield made
    made.renderer.reset()


def store(redis: Redis, entry: DueEntry, change: str, run: str) -> None:
    """Write an entry, changed since it was read."""
    alive = f"{keys.ALIVE_PREFIX}{uid_of(entry)}"
    values = {"definition": entry.definition, "meta": entry.meta, "beatdesk": entry.extra}
    fields: Any = {name: value for name, value in values.items() if value is not None}
    if change in {"definition", "meta"}:
        fields[change] += b" "
    elif change == "extra":
        fields["beatdesk"] = (entry.extra or b"") + b" "
    elif change == "no extra":
        fields.pop("beatdesk", None)
    redis.zadd(keys.SCHEDULE_ZSET, {entry.key: 5.0})
    if change == "another type":
        redis.set(entry.key, "text")
    elif change != "deleted":
        redis.hset(entry.key, mapping=fields)
    if change == "runs are no set":
        redis.set(alive, "text")
    elif change == "runs already":
        redis.zadd(alive, {run: 7.0, "another": 8.0})


def uid_of(entry: DueEntry) -> str:
    """The uid of an entry, as its own field or its name has it."""
    return decode(entry).schedule.uid


def contents(redis: Redis) -> dict[str, Any]:
    """All that is in Redis; of the events only what they say."""
    readers = {
        "hash": redis.hgetall,
        "list": lambda key: redis.lrange(key, 0, -1),
        "set": redis.smembers,
        "string": redis.get,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "stream": lambda key: [fields for _, fields in redis.xrange(key)],
    }
    return {key: readers[redis.type(key)](key) for key in redis.scan_iter()}


@given(ENTRIES)
@example([("default", "none", False), ("default", "none", True), ("other", "none", False)])
@example([("broken", "none", False), ("broken", "runs already", False), ("other", "meta", False)])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None
)
def test_both_forms_write_the_same_and_have_the_same_results(
    beat: Beat, found: list[tuple[str, str, bool]]
) -> None:
    redis = beat.redis
    entries = [
        due_entry(
            a_schedule(f"s{number}", "job", when=every(60, NOON), queue=queue, args=[number]),
            Meta(NOON, number),
            foreign=foreign,
        )
        for number, (queue, _, foreign) in enumerate(found)
    ]
    redis.flushdb()
    for queue in QUEUES:
        redis.delete(queue)
    writes = beat.planner.entry_writes(entries, NOW)
    whole = [EntryWrite(write.entry, write.score, whole_form(write), write.run) for write in writes]
    outcomes = []
    for form in (writes, whole):
        redis.flushdb()
        assert beat.leader.try_to_lead() == 0
        redis.set("broken", "no list")
        for write, (_, change, _) in zip(writes, found, strict=True):
            store(redis, write.entry, change, write.run)
        outcomes.append((beat.carry_out(form), contents(redis) | {keys.BEAT_LOCK: ""}))
    (results, written), (other_results, other_written) = outcomes
    assert results == other_results
    assert written == other_written
    event("all are done" if set(results) == {DONE} else "some are not")
    event("in the usual form" if any(write.usual for write in writes) else "in the whole form")
    for result, (queue, change, _) in zip(results, found, strict=True):
        if change in {"definition", "meta", "deleted", "another type"}:
            assert result == STALE
        if change == "none":
            assert (result == DONE) == (queue != "broken")


@pytest.mark.parametrize("waiting", [0, 2])
@pytest.mark.parametrize("alive", [0, 2])
def test_a_read_says_of_each_entry_what_is_alive_and_what_waits(
    beat: Beat, alive: int, waiting: int
) -> None:
    redis = beat.redis
    redis.flushdb()
    beat.leader.try_to_lead()
    schedules = [a_schedule(f"s{number}", "job", when=every(60, NOON)) for number in range(4)]
    entries = [due_entry(schedule, Meta(NOON)) for schedule in schedules]
    entries.append(
        due_entry(a_schedule("plain", "job", when=every(60, NOON)), Meta(), foreign=True)
    )
    for number, entry in enumerate(entries):
        store(redis, entry, "another type" if number == 3 else "none", "")
        redis.zadd(keys.SCHEDULE_ZSET, {entry.key: float(number)})
    for number in range(alive):
        redis.zadd(f"{keys.ALIVE_PREFIX}{uid_of(entries[1])}", {f"run-{number}": 1e11})
        redis.zadd(f"{keys.ALIVE_PREFIX}{uid_of(entries[4])}", {f"run-{number}": 1e11, "over": 5})
    for number in range(waiting):
        redis.zadd(f"{keys.WAITING_PREFIX}{uid_of(entries[4])}", {f"tick-{number}": 0})
    redis.sadd(keys.STATICS_SET, "s2")
    batch = beat.reader.fetch(0, 10).wait().entries
    assert [entry.name for entry in batch] == ["s0", "s1", "s2", "s3", "plain"]
    assert [entry.alive for entry in batch] == [0, alive, 0, 0, alive]
    assert [len(entry.waiting) for entry in batch] == [0, 0, 0, 0, waiting]
    assert [entry.static for entry in batch] == [0, 0, 1, 0, 0]
    assert [bool(entry.fault) for entry in batch] == [False, False, False, True, False]
    assert batch[0].fields == entries[0].fields
    assert batch[4].fields == entries[4].fields
    assert batch[3].fields == (None, None, None)
