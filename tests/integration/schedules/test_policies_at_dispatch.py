"""Policies kept by RedBeat's own scheduler, on a real server. No worker runs: the ends of runs are
told by hand.
"""

from datetime import datetime, timedelta

import pytest
from redbeat.schedulers import RedBeatScheduler

from scheduler.beat.stock.entry import BeatEntry
from scheduler.clock import utc_now
from scheduler.dispatch.waiting_list import WaitingList
from scheduler.errors import Unavailable
from scheduler.events.schema import (
    OVERLAP_ACTOR,
    RunFacts,
    RunLost,
    RunQueued,
    RunReceived,
    RunRevoked,
    TicksMissed,
    run_event,
)
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import OnceWhen
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.runs.leases import HeldRun
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.ports import free_port
from tests.support.schedules.contents import events, messages, score
from tests.support.schedules.desktop import SECOND, Desktop
from tests.support.waiting import wait_for

HOUR = timedelta(hours=1)


def full_second() -> datetime:
    return utc_now().replace(microsecond=0)


@pytest.fixture
def due(services: Services, store: ScheduleStore, beat: RedBeatScheduler) -> Desktop:
    """Nothing yet; the test says what the schedule is like."""
    return Desktop(services, store, beat)


def test_with_skip_there_is_one_message_in_the_queue_however_long_no_worker_runs(
    due: Desktop,
) -> None:
    due.has()
    due.fires_until(lambda: len(due.rulings("overlap")) >= 2)
    assert due.sent == due.alive()
    assert len(due.sent) == 1
    assert due.rulings("overlap")[0].kind == "ticks.skipped"
    due.ends(due.sent[0])
    assert due.alive() == []
    due.fires_until(lambda: len(due.sent) == 2)


def test_with_allow_every_tick_is_sent(due: Desktop) -> None:
    due.has(policies={"overlap": "allow"})
    due.fires_until(lambda: len(due.sent) == 3)
    assert due.rulings("overlap") == []
    assert sorted(due.sent) == sorted(due.alive())


def test_with_queue_one_the_first_tick_waits_and_is_sent_at_once_when_the_run_has_ended(
    due: Desktop,
) -> None:
    due.has(policies={"overlap": "queue_one"})
    due.fires_until(lambda: due.rulings("overlap"))
    (first,), (held,) = due.sent, due.waiting()
    due.ends(first)
    assert score(due.redis, "due") <= utc_now().timestamp()
    due.beat.tick()
    assert due.sent == [first, run_id(due.schedule.uid, datetime.fromisoformat(held))]
    assert held not in due.waiting()


def test_with_queue_all_ticks_wait_in_order_up_to_the_limit(due: Desktop) -> None:
    due.has(policies={"overlap": "queue_all", "queue_limit": 2})
    due.fires_until(lambda: due.rulings("overlap"))
    held = due.waiting()
    assert len(held) == 2
    for tick in held:
        due.ends(due.sent[-1])
        due.beat.tick()
        assert due.sent[-1] == run_id(due.schedule.uid, datetime.fromisoformat(tick))


def test_with_cancel_previous_the_run_before_is_asked_to_end_and_the_newest_tick_waits_for_that(
    due: Desktop,
) -> None:
    # Time for a worker to take the first run: a queued one would give way to the next tick at once.
    due.has(seconds=3, policies={"overlap": "cancel_previous"})
    due.fires_until(lambda: due.sent)
    (first,) = due.sent
    due.takes(first)
    due.fires_until(lambda: due.rulings("overlap"))
    assert due.sent == []
    assert due.services.cancellations.actor(first) == OVERLAP_ACTOR
    (held,) = due.waiting()
    due.ends(first)
    due.fires_until(lambda: len(due.sent) == 1)
    assert held not in due.waiting()


def test_with_cancel_previous_a_run_that_no_worker_has_gives_way_at_once(due: Desktop) -> None:
    due.has(policies={"overlap": "cancel_previous"})
    due.fires_until(lambda: due.sent)
    (first,) = due.sent
    due.fires_until(lambda: due.sent and due.sent != [first])
    assert first not in due.sent
    revoked = [event for event in events(due.redis) if isinstance(event, RunRevoked)]
    assert (revoked[0].run, revoked[0].actor) == (first, OVERLAP_ACTOR)
    assert first not in due.alive()


def test_two_beats_send_a_held_tick_once(due: Desktop, beat: RedBeatScheduler) -> None:
    due.has(policies={"overlap": "queue_one"})
    due.fires_until(due.waiting)
    due.ends(due.sent[0])
    one, other = (BeatEntry.from_key(keys.entry("due"), app=beat.app) for _ in range(2))
    beat.maybe_due(one)
    beat.maybe_due(other)
    assert len(due.sent) == 2


def test_a_held_tick_that_an_operator_drops_after_the_look_is_not_sent(
    due: Desktop, beat: RedBeatScheduler
) -> None:
    due.has(policies={"overlap": "queue_one"}, seconds=3600, since=HOUR)
    due.beat.tick()
    (first,) = due.sent
    held = due.schedule.when.anchor + HOUR / 2
    waiting = WaitingList(due.redis)
    waiting.add(due.schedule, [WaitingTick(held, "backfill", "ada")], utc_now())
    due.ends(first)
    entry = BeatEntry.from_key(keys.entry("due"), app=beat.app)
    assert entry.is_due()[0]
    waiting.drop(due.schedule, actor="eve", now=utc_now())
    beat.maybe_due(entry)
    assert (due.sent, due.waiting()) == ([first], [])


def test_a_schedule_that_is_disabled_lets_go_what_it_held(due: Desktop) -> None:
    due.has(policies={"overlap": "queue_one"})
    due.fires_until(due.waiting)
    due.store.set_enabled("due", False, edit=Edit(actor="ada", now=utc_now()))
    due.ends(due.sent[0])
    due.beat.tick()
    assert (due.waiting(), score(due.redis, "due")) == ([], -1)
    assert [
        event.reason for event in due.rulings() if event.reason not in {"overlap", "coalesced"}
    ] == ["operator"]
    assert len(due.sent) == 1


def test_what_a_deleted_schedule_held_goes_when_its_run_ends(due: Desktop) -> None:
    due.has(policies={"overlap": "queue_one"})
    due.fires_until(due.waiting)
    due.store.delete("due", edit=Edit(actor="ada", now=utc_now()))
    due.ends(due.sent[0])
    assert (due.waiting(), due.alive()) == ([], [])
    assert due.redis.zcard(keys.LEASES_ZSET) == due.redis.hlen(keys.LEASE_OWNERS_HASH) == 0


def test_a_run_whose_lease_has_run_out_holds_up_nobody_and_is_lost(due: Desktop) -> None:
    due.has()
    due.fires_until(lambda: due.sent)
    (first,) = due.sent
    run_out(due, first)
    due.fires_until(lambda: len(due.sent) == 2)
    watch = LeaseWatch(due.services.leases)
    watch.look(utc_now())
    assert lost(due) == []
    watch.look(utc_now())
    watch.look(utc_now())
    assert lost(due) == [first]
    assert due.alive() == [due.sent[1]]


def test_a_message_that_no_worker_took_in_time_has_expired(due: Desktop) -> None:
    due.has(policies={"starting_deadline": 2})
    due.fires_until(lambda: due.sent)
    (first,) = due.sent
    watch = LeaseWatch(due.services.leases)
    expires = datetime.fromisoformat(messages(due.redis)[0]["headers"]["expires"])
    wait_for(lambda: utc_now() > expires, 5, "the deadline passes")
    run_out(due, first)
    watch.look(utc_now())
    watch.look(utc_now())
    told = [event for event in events(due.redis) if getattr(event, "run", "") == first]
    assert [event.kind for event in told] == ["run.expired"]
    assert due.alive() == []


def test_a_worker_that_is_heard_of_again_keeps_its_run(due: Desktop) -> None:
    due.has(seconds=3600)
    due.beat.tick()
    run = run_id(due.schedule.uid, full_second())
    facts = RunFacts(
        job="tests.add", schedule="due", schedule_uid=due.schedule.uid, trigger="manual"
    )
    due.services.events.append(run_event(RunReceived, run, 1, utc_now(), worker="w@h", facts=facts))
    lease = due.services.leases.get(run)
    assert lease is not None
    assert (lease.uid, lease.worker, lease.attempt, lease.name) == (
        due.schedule.uid,
        "w@h",
        1,
        "due",
    )
    watch = LeaseWatch(due.services.leases)
    run_out(due, run)
    watch.look(utc_now())
    runs = [HeldRun(name, 0, 0, "") for name in (run, "no-run-of-a-schedule")]
    assert due.services.leases.renew(runs, "w@h").renewed == 1
    watch.look(utc_now())
    assert (lost(due), due.alive()) == ([], [run])


def test_a_message_in_its_queue_counts_for_days_and_one_that_beat_could_not_send_for_a_minute(
    due: Desktop,
) -> None:
    due.has(seconds=3600, since=HOUR)
    due.beat.tick()
    (run,) = due.sent
    now = utc_now().timestamp()
    assert 30 < due.redis.zscore(keys.LEASES_ZSET, run) - now < 61
    facts = RunFacts(
        job="tests.add", schedule="due", schedule_uid=due.schedule.uid, trigger="schedule"
    )
    due.services.events.append(run_event(RunQueued, run, 1, utc_now(), facts=facts))
    assert due.redis.zscore(keys.LEASES_ZSET, run) - now > 6 * 86400
    due.ends(run)
    due.services.events.append(run_event(RunQueued, run, 1, utc_now(), facts=facts))
    assert due.alive() == []


def test_a_run_that_somebody_starts_counts_as_alive_from_when_it_is_sent_until_its_end(
    due: Desktop,
) -> None:
    schedule = due.has(seconds=3600, since=HOUR)
    run = due.services.control.start(schedule, actor="ada", now=utc_now())
    assert due.alive() == [run]
    assert due.redis.zscore(keys.LEASES_ZSET, run) - utc_now().timestamp() > 6 * 86400
    due.fires_until(lambda: due.rulings("overlap"))
    assert due.sent == [run]
    due.ends(run)
    assert due.alive() == []
    assert due.redis.hlen(keys.LEASE_OWNERS_HASH) == 0


def test_a_run_that_could_not_be_sent_holds_up_nobody(
    due: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = due.has(seconds=3600, since=HOUR)
    monkeypatch.setattr(
        due.services.celery.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0"
    )
    with pytest.raises(Unavailable, match="does not answer"):
        due.services.control.start(schedule, actor="ada", now=utc_now())
    assert (
        due.alive(),
        due.redis.zcard(keys.LEASES_ZSET),
        due.redis.hlen(keys.LEASE_OWNERS_HASH),
    ) == ([], 0, 0)
    assert [event for event in events(due.redis) if isinstance(event, RunLost)] == []


def test_a_tick_whose_message_never_came_to_a_queue_is_lost_with_all_that_is_known_of_it(
    due: Desktop,
) -> None:
    schedule = due.has(seconds=3600, since=HOUR)
    tick = schedule.when.anchor + HOUR
    entry = BeatEntry.from_key(keys.entry("due"), app=due.beat.app)
    assert entry.is_due()[0]
    next(entry)  # Beat is killed here, before it publishes
    run = run_id(schedule.uid, tick)
    run_out(due, run)
    watch = LeaseWatch(due.services.leases)
    watch.look(utc_now())
    watch.look(utc_now())
    (event,) = (event for event in events(due.redis) if isinstance(event, RunLost))
    row = fold(Rows(), [event]).runs[run]
    assert (row.state, row.tick, row.schedule, row.schedule_uid) == (
        "lost",
        tick,
        "due",
        schedule.uid,
    )
    assert (row.revision, row.job, row.trigger) == (1, schedule.job, "schedule")


def test_an_entry_that_has_lost_its_memory_fires_its_due_tick_and_no_other(due: Desktop) -> None:
    schedule = due.has(seconds=3600, since=HOUR)
    due.redis.hdel(keys.entry("due"), "meta")
    due.beat.tick()
    assert due.sent == [run_id(schedule.uid, schedule.when.anchor + HOUR)]
    due.ends(due.sent[0])
    due.redis.hdel(keys.entry("due"), "meta")
    due.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("due"): utc_now().timestamp()})
    due.beat.tick()
    due.beat.tick()
    assert (len(due.sent), score(due.redis, "due")) == (
        1,
        (schedule.when.anchor + 2 * HOUR).timestamp(),
    )


def test_catching_up_on_all_sends_the_oldest_first_and_each_when_the_one_before_has_ended(
    due: Desktop,
) -> None:
    schedule = due.has(
        seconds=3600,
        since=timedelta(hours=3, minutes=1),
        policies={"catch_up": "all", "catch_up_window": 4 * 3600},
    )
    first = schedule.when.anchor + HOUR
    for number in range(3):
        due.beat.tick()
        assert due.sent[-1] == run_id(schedule.uid, first + number * HOUR)
        assert len(due.sent) == number + 1
        due.ends(due.sent[-1])
    due.beat.tick()
    assert len(due.sent) == 3
    assert due.rulings() == []


def test_with_none_what_was_due_while_beat_was_away_is_missed(due: Desktop) -> None:
    due.has(seconds=3600, since=timedelta(hours=1, minutes=1), policies={"catch_up": "none"})
    due.beat.tick()
    due.beat.tick()
    assert due.sent == []
    (told,) = due.rulings()
    assert isinstance(told, TicksMissed)
    assert (told.reason, told.ticks, told.job) == ("scheduler_down", 1, due.schedule.job)


def test_a_schedule_with_a_number_of_runs_sleeps_after_the_last(due: Desktop) -> None:
    due.has(window={"max_runs": 2}, policies={"overlap": "allow"})
    due.fires_until(lambda: score(due.redis, "due") == -1)
    assert len(due.sent) == 2


def test_a_one_off_is_sent_once_and_sleeps(due: Desktop) -> None:
    moment = full_second()
    due.has(when=OnceWhen(at=moment), since=HOUR)
    due.fires_until(lambda: due.sent)
    assert due.sent == [run_id(due.schedule.uid, moment)]
    assert score(due.redis, "due") == -1
    due.ends(due.sent[0])
    assert score(due.redis, "due") == -1


def test_a_start_that_lies_ahead_and_an_end_that_has_come_are_kept(due: Desktop) -> None:
    ends = full_second() + 2 * SECOND
    due.has(window={"ends_at": ends}, policies={"overlap": "allow"})
    due.fires_until(lambda: score(due.redis, "due") == -1)
    ticks = [datetime.fromisoformat(message["headers"]["tick"]) for message in messages(due.redis)]
    assert max(ticks) < ends


def test_jitter_delays_the_message_and_not_the_tick(due: Desktop) -> None:
    due.has(policies={"jitter": 1, "overlap": "allow"})
    due.fires_until(lambda: len(due.sent) >= 2)
    ticks = [datetime.fromisoformat(message["headers"]["tick"]) for message in messages(due.redis)]
    assert all(tick.microsecond == 0 for tick in ticks)
    assert score(due.redis, "due") % 1 > 0


def run_out(due: Desktop, run: str) -> None:
    """Let the lease of a run be over."""
    due.redis.zadd(keys.LEASES_ZSET, {run: 1})
    due.redis.zadd(keys.ALIVE_PREFIX + due.schedule.uid, {run: 1})


def lost(due: Desktop) -> list[str]:
    """The runs that were told to be lost."""
    return [event.run for event in events(due.redis) if isinstance(event, RunLost)]
