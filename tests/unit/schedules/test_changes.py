"""What a change makes of an entry."""

from datetime import timedelta

from scheduler.rules.spec import RedBeatWhen, Schedule, When
from scheduler.schedules import changes, codec
from scheduler.schedules.codec import Entry, Meta, Raw
from tests.support.builders import NOON, a_schedule, cron, every

LATER = NOON + timedelta(hours=5, seconds=3)


def entry_of(schedule: Schedule, meta: Meta) -> tuple[Entry, Raw]:
    text = codec.encode_meta(meta)
    return Entry(schedule, meta), Raw("{}", text, None)


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
    assert meta_after(old, a_schedule(when=cron("0 * * * *"), notes="new", revision=2)) == Meta(NOON, 4)


def test_an_edit_of_the_time_fires_nothing_at_once() -> None:
    old = a_schedule(when=cron("0 * * * *"))
    assert meta_after(old, a_schedule(when=cron("5 * * * *"))) == Meta(LATER, 4)
    assert meta_after(old, a_schedule(when=cron("0 * * * *", "Asia/Kathmandu"))) == Meta(LATER, 4)
    assert meta_after(old, a_schedule(when=every(60, NOON))) == Meta(NOON + timedelta(hours=5), 4)


def test_switching_on_fires_nothing_at_once_and_switching_off_forgets_nothing() -> None:
    off, on = a_schedule(enabled=False), a_schedule(enabled=True)
    assert meta_after(off, on) == Meta(LATER, 4)
    assert meta_after(on, off) == Meta(NOON, 4)


def test_an_interval_keeps_its_anchor_while_its_length_stays() -> None:
    old, _ = entry_of(a_schedule(when=every(60, NOON)), Meta(NOON))
    assert changes.settle_anchor(every(60), old, LATER) == every(60, NOON)
    assert changes.settle_anchor(every(61), old, LATER) == every(61, LATER)
    assert changes.settle_anchor(every(61, NOON), old, LATER) == every(61, NOON)
    assert changes.settle_anchor(every(60), None, LATER + timedelta(microseconds=9)) == every(60, LATER)


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
