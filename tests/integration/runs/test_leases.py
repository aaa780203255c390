"""What each event means for the lease of its run: told to a real server, event by event."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.events.schema import (
    Event,
    RunFailed,
    RunLost,
    RunQueued,
    RunReceived,
    RunRetried,
    RunSucceeded,
    decode,
    run_event,
)
from scheduler.rules.model.spec import Schedule
from scheduler.runs.lease_record import owner_text
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.runs.leases import (
    HELD_SECONDS,
    QUEUED_SECONDS,
    HeldRun,
    LeasedStream,
    Leases,
    LeaseState,
)
from scheduler.storage import keys
from tests.support.builders import NOON, a_schedule, facts_of

SCHEDULE: Schedule = a_schedule("due")
RUN = "run-1"
OTHER = "run-2"


@pytest.fixture
def stream(redis: Redis) -> LeasedStream:
    return LeasedStream(redis)


@pytest.fixture
def leases(redis: Redis, stream: LeasedStream) -> Leases:
    return Leases(redis, stream)


def told(stream: LeasedStream, kind: Any, run: str = RUN, attempt: int = 1, **more: Any) -> None:
    """Something becomes of a run."""
    if kind in {RunQueued, RunReceived}:
        more["facts"] = facts_of(SCHEDULE)
    event: Event = run_event(kind, run, attempt, utc_now(), worker="w@h", **more)
    stream.append(event)


def left(redis: Redis, run: str = RUN) -> float | None:
    """For how many seconds the run counts as alive, the same in both places; none where it does
    not.
    """
    ends = {redis.zscore(key, run) for key in (keys.LEASES_ZSET, keys.ALIVE_PREFIX + SCHEDULE.uid)}
    (end,) = ends
    return None if end is None else end - utc_now().timestamp()


def announced(leases: Leases, run: str = RUN, **known: Any) -> None:
    leases.announce(run, owner_text(SCHEDULE.uid, SCHEDULE.name, **known))


def held(*runs: str, retries: int = 0, begun: int = 0) -> list[HeldRun]:
    """The runs as their worker knows them."""
    return [HeldRun(run, retries, begun, "") for run in runs]


def over(redis: Redis, *runs: str) -> None:
    """Their time is over."""
    for key in (keys.LEASES_ZSET, keys.ALIVE_PREFIX + SCHEDULE.uid):
        redis.zadd(key, dict.fromkeys(runs, 1.0))


def kinds(redis: Redis, run: str = RUN) -> list[str]:
    events = [decode(fields) for _, fields in redis.xrange(keys.EVENTS_STREAM)]
    return [event.kind for event in events if getattr(event, "run", "") == run]


def test_from_the_queue_to_the_end_a_run_counts_for_as_long_as_its_place_allows(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    announced(leases)
    told(stream, RunQueued)
    assert left(redis) == pytest.approx(QUEUED_SECONDS, abs=10)
    told(stream, RunReceived)
    assert left(redis) == pytest.approx(HELD_SECONDS, abs=10)
    told(stream, RunQueued)
    assert left(redis) == pytest.approx(HELD_SECONDS, abs=10), (
        "the word that it is queued may come late"
    )
    told(stream, RunRetried, error="e")
    assert left(redis) == pytest.approx(QUEUED_SECONDS, abs=10)
    told(stream, RunReceived, attempt=2)
    assert left(redis) == pytest.approx(HELD_SECONDS, abs=10)
    told(stream, RunSucceeded, attempt=2, result=None)
    assert left(redis) is None
    assert (
        redis.exists(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH, keys.ALIVE_PREFIX + SCHEDULE.uid)
        == 0
    )
    told(stream, RunQueued)
    assert left(redis) is None, "what is over does not come back"


def test_a_message_with_a_deadline_counts_until_then_and_its_further_attempts_do_not_expire(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    deadline = utc_now().replace(microsecond=0) + timedelta(seconds=500)
    announced(leases, expires=deadline)
    told(stream, RunQueued)
    assert redis.zscore(keys.LEASES_ZSET, RUN) == deadline.timestamp()
    told(stream, RunReceived)
    told(stream, RunRetried, error="e")
    lease = leases.get(RUN)
    assert lease is not None
    assert (lease.attempt, lease.worker, lease.expires) == (2, None, 0)
    assert left(redis) == pytest.approx(QUEUED_SECONDS, abs=10)


def test_a_worker_renews_what_it_has_and_nothing_that_waits_or_is_over(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    announced(leases)
    announced(leases, OTHER)
    told(stream, RunReceived)
    over(redis, RUN, OTHER)
    assert leases.renew(held(RUN, OTHER, "unknown"), "w@h").renewed == 1
    assert left(redis) == pytest.approx(HELD_SECONDS, abs=10)
    assert redis.zscore(keys.LEASES_ZSET, OTHER) == 1
    redis.zrem(keys.LEASES_ZSET, RUN)
    leases.renew(held(RUN), "w@h")
    assert redis.zscore(keys.LEASES_ZSET, RUN) is None, "nothing is made anew"


def test_how_an_attempt_stands_is_told_by_worker_number_and_time(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    assert leases.standing(RUN, 1) is LeaseState.GONE
    announced(leases)
    assert leases.standing(RUN, 1) is LeaseState.OVER, "nobody has it"
    told(stream, RunReceived)
    assert [leases.standing(RUN, 1), leases.standing(RUN, 2)] == [LeaseState.ALIVE, LeaseState.OVER]
    over(redis, RUN)
    assert (leases.standing(RUN, 1), leases.get(RUN)) == (LeaseState.OVER, None)
    told(stream, RunReceived, attempt=2)
    assert [leases.standing(RUN, 1), leases.standing(RUN, 2)] == [LeaseState.OVER, LeaseState.ALIVE]


def test_a_run_is_lost_when_it_was_overdue_twice_and_not_heard_of_in_between(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    watch = LeaseWatch(leases)
    told(stream, RunReceived)
    over(redis, RUN)
    watch.look(utc_now())
    told(stream, RunReceived, attempt=2)
    over(redis, RUN)
    watch.look(utc_now())
    assert "run.lost" not in kinds(redis), "another worker has taken it since"
    overdue = leases.overdue()
    leases.renew(held(RUN), "w@h")
    leases.lose(overdue, utc_now())
    assert "run.lost" not in kinds(redis), "it was renewed just before it was told"
    over(redis, RUN)
    told(stream, RunReceived, attempt=3)
    over(redis, RUN)
    leases.lose(overdue, utc_now())
    assert "run.lost" not in kinds(redis), "it is another attempt that is overdue"
    watch.look(utc_now())
    watch.look(utc_now())
    watch.look(utc_now())
    assert kinds(redis).count("run.lost") == 1
    assert redis.exists(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH) == 0


@pytest.mark.parametrize(
    ("taken", "expires", "kind"),
    [(False, True, "run.expired"), (True, True, "run.lost"), (False, False, "run.lost")],
)
def test_only_what_no_worker_took_by_its_deadline_has_expired(  # noqa: PLR0917 - fixtures
    redis: Redis, stream: LeasedStream, leases: Leases, taken: bool, expires: bool, kind: str
) -> None:
    announced(leases, expires=NOON.replace(year=2020) if expires else None)
    if taken:
        told(stream, RunReceived)
    over(redis, RUN)
    leases.lose(leases.overdue(), utc_now())
    assert kinds(redis)[-1] == kind


def test_a_lease_of_which_nothing_is_known_is_no_run_and_is_forgotten(
    redis: Redis, leases: Leases
) -> None:
    redis.zadd(keys.LEASES_ZSET, {RUN: 1})
    assert leases.overdue() == {}
    assert redis.zcard(keys.LEASES_ZSET) == 0


def test_failures_in_a_row_are_counted_by_schedule_until_one_succeeds(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    def ends(kind: Any, number: int, pause_after: int | None = 2) -> int:
        announced(leases, f"run-{number}", pause_after=pause_after)
        told(
            stream,
            kind,
            f"run-{number}",
            **({"error": "e"} if kind is RunFailed else {"result": None}),
        )
        return len(stream.streaks)

    assert ends(RunFailed, 1) == 0
    assert ends(RunFailed, 2, None) == 0, "a run that does not count"
    assert ends(RunSucceeded, 3) == 0
    assert ends(RunFailed, 4) == 0
    assert ends(RunFailed, 5) == 1
    assert stream.streaks[0] == (SCHEDULE.uid, SCHEDULE.name, 2)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_waits_has_its_turn_when_a_run_is_over_and_goes_where_its_schedule_is_gone(
    redis: Redis, stream: LeasedStream, leases: Leases, is_there: bool
) -> None:
    waiting, entry = keys.WAITING_PREFIX + SCHEDULE.uid, keys.entry(SCHEDULE.name)
    redis.zadd(waiting, {"2026-11-21T12:00:00Z": 0})
    redis.zadd(keys.SCHEDULE_ZSET, {entry: 9e9} if is_there else {"redbeat:another": 9e9})
    if is_there:
        redis.hset(entry, "definition", "{}")
    announced(leases)
    told(stream, RunSucceeded, result=None)
    assert redis.exists(waiting) == is_there
    looked_at = redis.zscore(keys.SCHEDULE_ZSET, entry)
    assert (looked_at is not None) == is_there
    if looked_at is not None:
        assert abs(looked_at - utc_now().timestamp()) < 10


def test_lost_runs_tell_what_their_message_said_while_nobody_had_it(
    redis: Redis, stream: LeasedStream, leases: Leases
) -> None:
    announced(leases, facts=facts_of(SCHEDULE, args=["not kept"]))
    over(redis, RUN)
    leases.lose(leases.overdue(), utc_now())
    ((_, fields),) = redis.xrange(keys.EVENTS_STREAM)
    event = decode(fields)
    assert isinstance(event, RunLost)
    assert (event.schedule, event.schedule_uid, event.worker) == (SCHEDULE.name, SCHEDULE.uid, None)
    assert event.facts is not None
    assert (event.facts.tick, event.facts.args) == (NOON, [])
