"""Every tick has a row while nobody deals with it, and only one once somebody has."""

from datetime import timedelta

from scheduler.dispatch import outcomes
from scheduler.events.schema import RunQueued, run_event
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_spec, cron, facts_of
from tests.support.history.recording import record
from tests.support.ledger.watching import Watched

MINUTE = timedelta(minutes=1)
ADA = "ada@example.org"


def a_minutely(store: ScheduleStore, name: str = "minutely", **parts: object) -> None:
    spec = a_spec(name, when=cron("* * * * *"), **parts)
    store.create(spec, edit=Edit(actor=ADA, now=NOON + timedelta(seconds=5)))


def test_the_row_of_a_pause_grows_while_the_pause_lasts(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    edit = Edit(actor=ADA, now=NOON + timedelta(seconds=10))
    services.operations.pause("minutely", reason="flood", edit=edit)
    watched.look(NOON + timedelta(seconds=20))
    assert watched.rows("minutely") == []
    watched.look(NOON + 5 * MINUTE + timedelta(seconds=1))
    assert watched.words("minutely") == [("skipped", "paused", NOON + MINUTE, 3)]
    watched.look(NOON + 65 * MINUTE + timedelta(seconds=1))
    assert watched.words("minutely") == [("skipped", "paused", NOON + MINUTE, 63)]
    (row,) = watched.rows("minutely")
    assert (row.tick_to, row.job) == (NOON + 63 * MINUTE, "reports.job_summary")


def test_the_end_of_a_pause_leaves_one_row_for_its_ticks(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    begin = Edit(actor=ADA, now=NOON + timedelta(seconds=10))
    services.operations.pause("minutely", reason="flood", edit=begin)
    watched.look(NOON + 30 * MINUTE)
    end = Edit(actor=ADA, now=NOON + 30 * MINUTE + timedelta(seconds=10))
    services.operations.resume("minutely", edit=end)
    record(services)
    assert watched.words("minutely") == [("skipped", "paused", NOON + MINUTE, 30)]
    watched.look(NOON + 31 * MINUTE)
    assert watched.words("minutely") == [("skipped", "paused", NOON + MINUTE, 30)]


def test_a_schedule_that_is_off_has_a_row_for_its_ticks_and_its_deletion_ends_it(
    store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    store.set_enabled("minutely", False, edit=Edit(actor=ADA, now=NOON + timedelta(seconds=10)))
    watched.look(NOON + 10 * MINUTE)
    assert watched.words("minutely") == [("skipped", "disabled", NOON + MINUTE, 8)]
    store.delete("minutely", edit=Edit(actor=ADA, now=NOON + 12 * MINUTE))
    watched.look(NOON + 13 * MINUTE)
    assert watched.words("minutely") == [("skipped", "disabled", NOON + MINUTE, 12)]


def test_ticks_of_an_absence_of_beat_are_missed_until_beat_says_what_becomes_of_them(
    store: ScheduleStore, services: Services, watched: Watched
) -> None:
    a_minutely(store)
    watched.stop_leading()
    watched.look(NOON + 4 * MINUTE)
    assert watched.rows("minutely") == []  # a change of leader takes as long
    watched.look(NOON + 5 * MINUTE)
    assert watched.words("minutely") == [("missed", "scheduler_down", NOON + MINUTE, 3)]
    watched.lead()
    schedule = store.get("minutely")
    facts = facts_of(schedule, NOON + MINUTE)
    run = run_id(schedule.uid, NOON + MINUTE)
    record(services, run_event(RunQueued, run, 1, NOON + 6 * MINUTE, facts=facts))
    assert watched.words("minutely") == [("queued", None, NOON + MINUTE, 1)]


def test_nothing_is_written_while_the_history_lags(store: ScheduleStore, watched: Watched) -> None:
    a_minutely(store)
    watched.stop_leading()
    watched.look(NOON + 4 * MINUTE)
    store.create(
        a_spec("another", when=cron("* * * * *")), edit=Edit(actor=ADA, now=NOON + 5 * MINUTE)
    )
    assert watched.look_unrecorded(NOON + 6 * MINUTE) == 0
    assert watched.rows("minutely") == []
    watched.look(NOON + 6 * MINUTE)
    assert watched.words("minutely") == [("missed", "scheduler_down", NOON + MINUTE, 4)]


def test_another_watcher_goes_on_with_the_same_row(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    store.set_enabled("minutely", False, edit=Edit(actor=ADA, now=NOON + timedelta(seconds=10)))
    watched.look(NOON + 10 * MINUTE)
    other = Watched(services)
    other.look(NOON + 20 * MINUTE)
    assert watched.words("minutely") == [("skipped", "disabled", NOON + MINUTE, 18)]
    store.set_enabled("minutely", True, edit=Edit(actor=ADA, now=NOON + 21 * MINUTE))
    Watched(services).look(NOON + 22 * MINUTE)
    assert watched.words("minutely") == [("skipped", "disabled", NOON + MINUTE, 21)]


def test_a_waiting_tick_of_a_deleted_schedule_gets_a_verdict(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store, policies=Policies(overlap="queue_all"))
    watched.look(NOON + timedelta(seconds=10))
    schedule = store.get("minutely")
    runs = [
        run_event(
            RunQueued,
            run_id(schedule.uid, NOON + number * MINUTE),
            1,
            NOON + number * MINUTE,
            facts=facts_of(schedule, NOON + number * MINUTE),
        )
        for number in (1, 2, 4)
    ]
    record(services, *runs)
    advance(services, "minutely", minutes=4)
    store.delete("minutely", edit=Edit(actor=ADA, now=NOON + 4 * MINUTE + timedelta(seconds=9)))
    watched.look(NOON + 8 * MINUTE)
    assert watched.words("minutely") == [
        ("queued", None, NOON + MINUTE, 1),
        ("queued", None, NOON + 2 * MINUTE, 1),
        ("skipped", "operator", NOON + 3 * MINUTE, 1),
        ("queued", None, NOON + 4 * MINUTE, 1),
    ]


def test_a_tick_whose_event_was_lost_is_said_to_be_unrecorded_once(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    watched.look(NOON + timedelta(seconds=10))
    a_hole_at_the_second_of_three_ticks(services)
    watched.look(NOON + 6 * MINUTE)
    watched.look(NOON + 7 * MINUTE)
    assert watched.words("minutely") == [
        ("queued", None, NOON + MINUTE, 1),
        ("missed", "unrecorded", NOON + 2 * MINUTE, 1),
        ("queued", None, NOON + 3 * MINUTE, 1),
    ]


def test_a_tick_whose_run_has_a_lease_is_no_hole(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    watched.look(NOON + timedelta(seconds=10))
    schedule = store.get("minutely")
    lease = run_id(schedule.uid, NOON + 2 * MINUTE)
    services.redis.hset(keys.LEASE_OWNERS_HASH, lease, f"{schedule.uid} 1 - 0 0 minutely")
    tick = NOON + 3 * MINUTE
    facts = facts_of(schedule, tick)
    first = NOON + MINUTE
    for one in (first, tick):
        facts = facts_of(schedule, one)
        record(services, run_event(RunQueued, run_id(schedule.uid, one), 1, one, facts=facts))
    advance(services, "minutely", minutes=3)
    watched.look(NOON + 6 * MINUTE)
    assert [row.tick for row in watched.rows("minutely")] == [first, tick]


def a_hole_at_the_second_of_three_ticks(services: Services) -> Schedule:
    schedule = services.schedules.get("minutely")
    for number in (1, 3):
        tick = NOON + number * MINUTE
        facts = facts_of(schedule, tick)
        record(services, run_event(RunQueued, run_id(schedule.uid, tick), 1, tick, facts=facts))
    advance(services, "minutely", minutes=3)
    return schedule


def test_a_tick_that_waits_for_its_turn_is_no_hole(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    watched.look(NOON + timedelta(seconds=10))
    schedule = a_hole_at_the_second_of_three_ticks(services)
    tick = NOON + 2 * MINUTE
    waiting = {WaitingTick(tick).text: tick.timestamp()}
    services.redis.zadd(keys.WAITING_PREFIX + schedule.uid, waiting)
    watched.look(NOON + 6 * MINUTE)
    assert [row.tick for row in watched.rows("minutely")] == [NOON + MINUTE, NOON + 3 * MINUTE]


def test_nothing_is_unrecorded_until_no_dead_letter_may_hold_the_event(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    a_minutely(store)
    watched.look(NOON + timedelta(seconds=10))
    services.redis.xadd(keys.DEAD_LETTERS_STREAM, {"entry": "1-0", "error": "unreadable"})
    a_hole_at_the_second_of_three_ticks(services)
    watched.look(NOON + 6 * MINUTE)
    watched.look(NOON + 7 * MINUTE)
    assert [row.tick for row in watched.rows("minutely")] == [NOON + MINUTE, NOON + 3 * MINUTE]
    services.redis.delete(keys.DEAD_LETTERS_STREAM)
    watched.look(NOON + 8 * MINUTE)
    assert watched.words("minutely")[1] == ("missed", "unrecorded", NOON + 2 * MINUTE, 1)


def advance(services: Services, name: str, *, minutes: int) -> None:
    """Beat has dealt with the ticks of so many minutes."""
    from scheduler.dispatch.verdicts import Plan
    from scheduler.redbeat import codec

    entry = services.schedules.entry(name)
    last = NOON + minutes * MINUTE
    meta = codec.encode_meta(outcomes.meta_after(entry.meta, Plan(last=last), minutes))
    services.redis.hset(keys.entry(name), keys.META_FIELD, meta)
    due = (last + MINUTE).timestamp()
    services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): due})
