"""What a change makes of an entry."""

from datetime import timedelta

import pytest

from scheduler.events.schema import TicksEvent
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta, Raw, StoredSchedule
from scheduler.rules.crontab import dialect
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    CrontabWhen,
    OnceWhen,
    Pause,
    RedBeatWhen,
    Schedule,
    When,
    Window,
)
from scheduler.schedules import changes, missed_in_pause
from tests.support.builders import NOON, a_saved_event, a_schedule, a_spec, cron, every

LATER = NOON + timedelta(hours=5, seconds=3)


def entry_of(schedule: Schedule, meta: Meta) -> tuple[StoredSchedule, Raw]:
    text = codec.encode_meta(meta)
    return StoredSchedule(schedule, meta), Raw("{}", text, None)


def meta_after(old: Schedule, new: Schedule, meta: Meta = Meta(NOON, 4)) -> Meta:  # noqa: B008 - frozen
    entry, raw = entry_of(old, meta)
    return codec.decode_meta(changes.next_meta(new, entry, raw, LATER))


def test_a_new_schedule_has_run_now_as_far_as_beat_knows() -> None:
    assert codec.decode_meta(changes.next_meta(a_schedule(), None, None, LATER)) == Meta(LATER)


def test_a_new_interval_rests_on_its_grid() -> None:
    assert changes.resting_point(every(3600, NOON), LATER) == NOON + timedelta(hours=5)
    assert changes.resting_point(every(3600, LATER), NOON) == LATER


def test_an_edit_that_leaves_the_ticks_alone_leaves_beats_memory_alone() -> None:
    old = a_schedule(when=cron("0 * * * *"))
    assert meta_after(old, a_schedule(when=cron("0 * * * *"), notes="new", revision=2)) == Meta(
        NOON, 4
    )


def test_an_edit_of_the_time_fires_nothing_at_once() -> None:
    old = a_schedule(when=cron("0 * * * *"))
    assert meta_after(old, a_schedule(when=cron("5 * * * *"))) == Meta(LATER, 4)
    assert meta_after(old, a_schedule(when=cron("0 * * * *", "Asia/Kathmandu"))) == Meta(LATER, 4)
    assert meta_after(old, a_schedule(when=every(60, NOON))) == Meta(NOON + timedelta(hours=5), 4)


def test_switching_on_fires_nothing_at_once_and_switching_off_forgets_nothing() -> None:
    off, on = a_schedule(enabled=False), a_schedule(enabled=True)
    assert meta_after(off, on) == Meta(LATER, 4)
    due_since = Meta(LATER - timedelta(seconds=3), 4)
    assert meta_after(on, off, due_since) == due_since


def test_switching_off_settles_what_beat_had_not_dealt_with() -> None:
    on = a_schedule(when=cron("0 * * * *"))
    off = a_schedule(when=cron("0 * * * *"), enabled=False)
    assert told_of(on, off) == [("missed", "scheduler_down", 4), ("skipped", "disabled", 1)]
    assert meta_after(on, off) == Meta(LATER, 4)


def test_a_pause_settles_what_beat_had_not_dealt_with() -> None:
    on = a_schedule(when=cron("0 * * * *"))
    paused = a_schedule(
        when=cron("0 * * * *"), paused=Pause(reason="r", by="ada", since=LATER), revision=2
    )
    assert told_of(on, paused) == [("missed", "scheduler_down", 4), ("skipped", "paused", 1)]
    assert meta_after(on, paused) == Meta(LATER, 4)
    assert told_of(on, paused, Meta(NOON + timedelta(hours=5))) == []


def test_switching_off_in_a_pause_ends_the_ticks_of_the_pause() -> None:
    since = NOON + timedelta(hours=2)
    paused = a_schedule(
        when=cron("0 * * * *"), paused=Pause(reason="r", by="ada", since=since), revision=2
    )
    off = paused.model_copy(update={"enabled": False})
    assert told_of(paused, off, Meta(since, 4)) == [("skipped", "paused", 3)]
    assert meta_after(paused, off, Meta(since, 4)) == Meta(LATER, 4)


def test_a_tick_that_an_operator_skipped_keeps_its_own_verdict() -> None:
    two = NOON + timedelta(hours=2)
    off = a_schedule(when=cron("0 * * * *"), enabled=False, skips=[two])
    assert told_of(off, a_schedule(when=cron("0 * * * *"))) == [
        ("skipped", "disabled", 1),
        ("skipped", "operator", 1),
        ("skipped", "disabled", 3),
    ]


def used_up_by_runs() -> Schedule:
    return a_schedule(when=cron("0 * * * *"), window=Window(max_runs=4))


def ended() -> Schedule:
    return a_schedule(when=cron("0 * * * *"), window=Window(ends_at=NOON + timedelta(minutes=1)))


@pytest.mark.parametrize(
    "schedule", [used_up_by_runs(), ended(), a_schedule(when=OnceWhen(at=NOON))]
)
def test_a_finished_schedule_has_no_tick_after_its_end_whatever_is_done_to_it(
    schedule: Schedule,
) -> None:
    pause = Pause(reason="r", by="ada", since=NOON + timedelta(hours=2))
    paused = schedule.model_copy(update={"paused": pause})
    off = schedule.model_copy(update={"enabled": False})
    for old, new in (
        (schedule, paused),
        (paused, schedule),
        (paused, off),
        (schedule, off),
        (off, schedule),
        (schedule, a_schedule(when=cron("5 * * * *"), revision=2)),
    ):
        assert told_of(old, new) == []
    entry = StoredSchedule(paused, Meta(NOON, 4))
    for missed in ("skip", "latest", "all"):
        held = missed_in_pause.sort(entry, missed, LATER)
        assert (held.run, held.verdicts) == ([], [])
    assert missed_in_pause.held_ticks(entry, LATER) is None
    assert deletion_of(schedule) == []


def deletion_of(
    schedule: Schedule,
    meta: Meta = Meta(NOON, 4),  # noqa: B008 - frozen
) -> list[tuple[str, str, int]]:
    """What the deletion says of ticks: state, reason and how many."""
    entry, _ = entry_of(schedule, meta)
    also = changes.deleted(schedule, a_saved_event(schedule, LATER), entry, LATER).also
    verdicts = [one for one in also if isinstance(one, TicksEvent)]
    return [(one.kind.removeprefix("ticks."), one.reason, one.ticks) for one in verdicts]


def test_a_deletion_gives_every_tick_up_to_it_a_verdict() -> None:
    hourly = a_schedule(when=cron("0 * * * *"))
    assert deletion_of(hourly) == [("missed", "scheduler_down", 4), ("skipped", "operator", 1)]
    assert deletion_of(hourly.model_copy(update={"enabled": False})) == [("skipped", "disabled", 5)]
    pause = Pause(reason="r", by="ada", since=NOON + timedelta(hours=2))
    assert deletion_of(hourly.model_copy(update={"paused": pause})) == [
        ("missed", "scheduler_down", 1),
        ("skipped", "paused", 4),
    ]


def told_of(old: Schedule, new: Schedule, meta: Meta = Meta(NOON, 4)) -> list[tuple[str, str, int]]:  # noqa: B008 - frozen
    """What the change from `old` to `new`, made later, says of ticks: state, reason and how
    many.
    """
    entry, raw = entry_of(old, meta)
    also = changes.written(new, entry, raw, LATER, a_saved_event(new, LATER)).also
    verdicts = [one for one in also if isinstance(one, TicksEvent)]
    assert all(one.revision == old.revision for one in verdicts)
    return [(one.kind.removeprefix("ticks."), one.reason, one.ticks) for one in verdicts]


def test_no_tick_that_a_change_lets_beat_pass_over_goes_without_a_verdict() -> None:
    hourly, other = (
        a_schedule(when=cron("0 * * * *")),
        a_schedule(when=cron("5 * * * *"), revision=2),
    )
    off = a_schedule(when=cron("0 * * * *"), enabled=False)
    assert told_of(hourly, other) == [("missed", "scheduler_down", 4), ("skipped", "operator", 1)]
    assert told_of(off, hourly) == [("skipped", "disabled", 5)]
    paused = hourly.model_copy(
        update={"paused": Pause(reason="r", by="ada", since=NOON + timedelta(hours=2))}
    )
    assert told_of(paused, other) == [("missed", "scheduler_down", 1), ("skipped", "paused", 4)]


def test_where_beat_passes_over_nothing_nothing_is_said() -> None:
    hourly, noted = (
        a_schedule(when=cron("0 * * * *")),
        a_schedule(when=cron("0 * * * *"), notes="new", revision=2),
    )
    other = a_schedule(when=cron("5 * * * *"), revision=2)
    assert told_of(hourly, noted) == []
    assert told_of(hourly, other, Meta(NOON + timedelta(hours=5))) == []
    assert told_of(hourly, other, Meta(None)) == []
    used_up = a_schedule(when=cron("0 * * * *"), window=Window(max_runs=4))
    assert told_of(used_up, other) == []


def test_an_interval_keeps_its_anchor_while_its_length_stays() -> None:
    old, _ = entry_of(a_schedule(when=every(60, NOON)), Meta(NOON))
    assert changes.settle_anchor(every(60), old, LATER) == every(60, NOON)
    assert changes.settle_anchor(every(61), old, LATER) == every(61, LATER)
    assert changes.settle_anchor(every(61, NOON), old, LATER) == every(61, NOON)
    assert changes.settle_anchor(every(60), None, LATER + timedelta(microseconds=9)) == every(
        60, LATER
    )


def test_a_plain_interval_is_anchored_where_it_last_ran() -> None:
    old, raw = entry_of(a_schedule(when=every(60)), Meta(NOON))
    settled = changes.settle_anchor(every(60), old, LATER)
    assert settled == every(60, NOON)
    new = a_schedule(when=settled)
    assert changes.next_meta(new, old, raw, LATER) == raw.meta


def score(when: When, meta: Meta = Meta(NOON), enabled: bool = True) -> float:  # noqa: B008 - frozen
    return changes.score(a_schedule(when=when, enabled=enabled), meta, LATER)


def test_the_score_is_the_next_tick() -> None:
    assert score(cron("0 * * * *")) == (NOON + timedelta(hours=1)).timestamp()
    assert score(every(0.25, NOON)) == NOON.timestamp() + 0.25


def test_what_is_switched_off_or_never_fires_again_sleeps() -> None:
    assert score(cron("0 * * * *"), enabled=False) == changes.ASLEEP
    assert score(cron("30 2 29 3 sun", "Europe/Berlin", dst_gap="skip")) == changes.ASLEEP


def test_what_never_ran_and_what_only_redbeat_computes_is_looked_at_now() -> None:
    assert score(cron("0 * * * *"), Meta()) == LATER.timestamp()
    assert score(RedBeatWhen(schedule={"__type__": "rrule"})) == LATER.timestamp()


def test_a_pause_sleeps_until_it_ends_by_itself() -> None:
    held = Pause(reason="flood", by="ada", since=NOON)
    assert changes.score(a_schedule(paused=held), Meta(NOON), LATER) == changes.ASLEEP
    until = LATER + timedelta(hours=1)
    ending = held.model_copy(update={"until": until})
    assert changes.score(a_schedule(paused=ending), Meta(NOON), LATER) == until.timestamp()
    assert (
        changes.score(a_schedule(paused=ending), Meta(NOON), until)
        == (NOON + timedelta(hours=1)).timestamp()
    )


def test_a_one_off_is_finished_once_it_has_run_and_armed_again_by_a_later_time() -> None:
    once = OnceWhen(at=NOON)
    assert score(once, Meta(NOON - timedelta(seconds=1))) == NOON.timestamp()
    assert score(once, Meta(NOON)) == changes.ASLEEP
    again = OnceWhen(at=LATER + timedelta(hours=1))
    armed = meta_after(a_schedule(when=once), a_schedule(when=again), Meta(NOON, 1))
    assert armed == Meta(LATER, 1)
    assert score(again, armed) == again.at.timestamp()


def test_the_window_decides_what_is_looked_at_next() -> None:
    start, end = NOON + timedelta(hours=3), NOON + timedelta(hours=4)
    schedule = a_schedule(window=Window(starts_at=start, ends_at=end, max_runs=2))
    assert changes.score(schedule, Meta(NOON), LATER) == start.timestamp()
    assert changes.score(schedule, Meta(start), LATER) == changes.ASLEEP
    assert changes.score(schedule, Meta(NOON, 2), LATER) == changes.ASLEEP


def test_a_longer_window_and_the_end_of_a_pause_fire_nothing_at_once() -> None:
    ended = a_schedule(window=Window(ends_at=NOON))
    assert meta_after(ended, a_schedule()) == Meta(LATER, 4)
    paused = a_schedule(paused=Pause(reason="flood", by="ada", since=NOON))
    assert meta_after(paused, a_schedule()) == Meta(LATER, 4)
    due_since = Meta(LATER - timedelta(seconds=3), 4)
    assert meta_after(a_schedule(), paused, due_since) == due_since


def test_each_h_finds_its_place_when_it_is_saved_and_keeps_it() -> None:
    spec = a_spec(when=cron("H H * * *"))
    when = changes.settled(spec, None, uid="one", now=LATER).when
    assert isinstance(when, CrontabWhen)
    assert when.resolved == dialect.resolve("H H * * *", "one")
    assert changes.settled(spec, None, uid="one", now=NOON).when == when
    assert changes.settled(spec, None, uid="two", now=NOON).when != when


def test_an_edit_keeps_the_pause_and_the_skips_to_come() -> None:
    pause = Pause(reason="flood", by="ada", since=NOON)
    old = a_schedule(paused=pause, skips=[NOON, LATER + timedelta(hours=1)])
    new = changes.revised(old.spec(), old, uid=old.uid, edit=Edit(actor="bob", now=LATER))
    assert (new.paused, new.skips) == (pause, [LATER + timedelta(hours=1)])
