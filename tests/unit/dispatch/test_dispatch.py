"""What Beat does when it looks at an entry: a table of situations, with no server."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.dispatch.next_look import next_score, with_inferred_last_run
from scheduler.dispatch.plan import CALENDAR_AWAITED
from scheduler.dispatch.verdicts import Plan, Verdict
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick, read
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.spec import OnceWhen, Pause
from scheduler.schedules.changes import ASLEEP
from tests.support.builders import NOON, a_schedule
from tests.support.schedules.looks import SECOND, an_entry, asked, dropped, hour, look, ruled


def test_a_tick_is_sent_from_its_moment_on() -> None:
    early, due = look(an_entry(), NOON - SECOND), look(an_entry())
    assert (early.send, early.has_changes, early.score) == (None, False, NOON.timestamp())
    assert (due.send, due.last, due.score, due.verdicts) == (NOON, NOON, hour(1).timestamp(), [])


def test_nothing_is_sent_before_the_start_and_no_tick_before_it_needs_a_ruling() -> None:
    entry = an_entry(-10, window={"starts_at": hour(2.5)})
    made = look(entry)
    assert (made.send, made.verdicts, made.score) == (None, [], hour(3).timestamp())
    assert look(entry, hour(3)).verdicts == []
    assert look(entry, hour(3)).send == hour(3)


def test_the_last_tick_before_the_end_is_sent_and_then_the_schedule_sleeps() -> None:
    entry = an_entry(window={"ends_at": hour(1)})
    assert (look(entry).send, look(entry).score) == (NOON, ASLEEP)
    late = look(an_entry(-10, window={"ends_at": hour(-5)}))
    assert (late.send, late.score) == (None, ASLEEP)
    assert ruled(late) == [("missed", "deadline", 4)]


def test_after_its_last_run_a_schedule_sleeps() -> None:
    made = look(an_entry(count=2, window={"max_runs": 3}))
    assert (made.send, made.score) == (NOON, ASLEEP)
    over = look(an_entry(count=3, window={"max_runs": 3}))
    assert (over.send, over.verdicts, over.score) == (None, [], ASLEEP)


def test_held_ticks_use_up_the_runs_that_are_left() -> None:
    entry = an_entry(count=1, window={"max_runs": 2}, policies={"overlap": "queue_all"})
    made = look(entry, alive=1)
    assert (made.wait, made.score) == ([NOON], ASLEEP)
    assert look(entry, alive=1, waiting=(-1,)).wait == []


def test_a_pause_without_end_sleeps_and_one_with_an_end_is_looked_at_when_it_ends() -> None:
    pause = Pause(reason="r", by="ada", since=hour(-2))
    assert look(an_entry(paused=pause)) == Plan(score=ASLEEP)
    ends = pause.model_copy(update={"until": hour(1.5)})
    assert look(an_entry(paused=ends)) == Plan(score=hour(1.5).timestamp())


def test_a_pause_that_has_ended_resumes_by_itself_with_one_ruling_for_its_ticks() -> None:
    pause = Pause(reason="r", by="ada", since=hour(-20.5), until=hour(-0.5))
    made = look(an_entry(-21, paused=pause), hour(-0.5))
    assert (made.send, made.last, made.score) == (None, hour(-1), NOON.timestamp())
    assert made.verdicts == [Verdict("skipped", "paused", hour(-20), hour(-1), 20)]
    assert look(an_entry(-1, paused=pause)).send == NOON
    both = look(an_entry(-21, paused=pause))
    assert (both.send, ruled(both)) == (NOON, [("skipped", "paused", 20)])


@pytest.mark.parametrize(
    "parts", [{"enabled": False}, {"paused": Pause(reason="r", by="ada", since=hour(-3))}]
)
def test_what_is_held_when_a_schedule_is_stopped_is_skipped(parts: dict[str, Any]) -> None:
    made = look(an_entry(**parts), alive=1, waiting=(-2, -1))
    assert (made.send, dropped(made), made.score) == (None, [hour(-2), hour(-1)], ASLEEP)
    assert [ruling.state for ruling in made.verdicts] == ["skipped", "skipped"]


def test_a_tick_that_an_operator_skips_is_not_sent() -> None:
    made = look(an_entry(skips=[NOON]))
    assert (made.send, made.last, ruled(made)) == (None, NOON, [("skipped", "operator", 1)])
    assert made.score == hour(1).timestamp()


def test_latest_sends_the_newest_tick_and_rules_on_the_others() -> None:
    made = look(an_entry(-10, policies={"catch_up_window": 3 * 3600}), hour(0.1))
    assert (made.send, made.last) == (NOON, NOON)
    assert ruled(made) == [("missed", "deadline", 7), ("missed", "coalesced", 2)]


def test_none_sends_what_is_on_time_only() -> None:
    late = look(an_entry(-3, policies={"catch_up": "none"}), hour(0.1))
    assert (late.send, late.last, late.score) == (None, NOON, hour(1).timestamp())
    assert ruled(late) == [("missed", "deadline", 2), ("missed", "scheduler_down", 1)]
    assert look(an_entry(-1, policies={"catch_up": "none"}), NOON + SECOND).send == NOON


def test_all_sends_the_oldest_and_holds_the_others_in_order() -> None:
    made = look(an_entry(-4, policies={"catch_up": "all", "catch_up_window": 3 * 3600}), hour(0.1))
    assert (made.send, made.wait, made.last) == (hour(-2), [hour(-1), NOON], NOON)
    assert ruled(made) == [("missed", "deadline", 1)]


def test_all_holds_everything_while_a_run_is_alive() -> None:
    made = look(
        an_entry(-3, policies={"catch_up": "all", "catch_up_window": 9 * 3600}), hour(0.1), alive=1
    )
    assert (made.send, made.wait) == (None, [hour(-2), hour(-1), NOON])


@pytest.mark.parametrize(
    ("overlap", "alive", "waiting", "send", "hold", "drop", "reasons"),
    [
        ("skip", 0, (), 0, [], [], []),
        ("skip", 1, (), None, [], [], ["overlap"]),
        ("allow", 3, (), 0, [], [], []),
        ("queue_one", 1, (), None, [0], [], []),
        ("queue_one", 1, (-1,), None, [], [], ["overlap"]),
        ("queue_one", 0, (-1,), -1, [], [-1], []),
        ("queue_all", 1, (-1,), None, [0], [], []),
        ("queue_all", 1, (-2, -1), None, [], [], ["overlap"]),
        ("queue_all", 0, (-2, -1), -2, [], [-2], []),
        ("cancel_previous", 1, (), None, [0], [], []),
        ("cancel_previous", 1, (-1,), None, [0], [-1], ["overlap"]),
    ],
)
def test_overlap(  # noqa: PLR0917 - the columns of a table
    overlap: str,
    alive: int,
    waiting: tuple[float, ...],
    send: float | None,
    hold: list[float],
    drop: list[float],
    reasons: list[str],
) -> None:
    made = look(
        an_entry(policies={"overlap": overlap, "queue_limit": 2}), alive=alive, waiting=waiting
    )
    assert made.send == (None if send is None else hour(send))
    assert (made.wait, dropped(made)) == ([hour(at) for at in hold], [hour(at) for at in drop])
    assert [ruling.reason for ruling in made.verdicts] == reasons
    assert made.cancel == (overlap == "cancel_previous")


def test_a_held_tick_is_sent_before_the_one_that_is_due_and_that_one_is_looked_at_next() -> None:
    made = look(an_entry(policies={"overlap": "queue_one"}), waiting=(-1,))
    assert (made.send, made.sent_from_waiting, made.last, made.score) == (
        hour(-1),
        WaitingTick(hour(-1)),
        None,
        NOON.timestamp(),
    )


def test_a_tick_whose_run_could_not_start_in_time_is_missed() -> None:
    entry = an_entry(policies={"starting_deadline": 60})
    assert look(entry, NOON + 61 * SECOND).send is None
    assert ruled(look(entry, NOON + 61 * SECOND)) == [("missed", "deadline", 1)]
    assert look(entry, NOON + 59 * SECOND).send == NOON
    held = look(
        an_entry(-0.5, policies={"starting_deadline": 60, "overlap": "queue_all"}), waiting=(-2, -1)
    )
    assert (held.send, dropped(held), len(held.verdicts)) == (None, [hour(-2), hour(-1)], 2)


def test_jitter_sends_later_and_keeps_the_tick() -> None:
    entry = an_entry(policies={"jitter": 600})
    later = look(entry)
    assert (later.send, later.verdicts) == (None, [])
    assert NOON.timestamp() < later.score < NOON.timestamp() + 600
    ready = look(entry, datetime.fromtimestamp(later.score, NOON.tzinfo))
    assert (ready.send, ready.last) == (NOON, NOON)


@pytest.mark.parametrize(
    ("policy", "sent", "rulings"),
    [
        ("latest", 0, [("skipped", "paused", 3), ("missed", "coalesced", 3)]),
        ("none", 0, [("skipped", "paused", 3), ("missed", "scheduler_down", 3)]),
        ("all", -6, [("skipped", "paused", 3)]),
    ],
)
def test_ticks_that_were_due_before_a_pause_began_are_caught_up_with_and_not_called_paused(
    policy: str, sent: float, rulings: list[tuple[str, str, int]]
) -> None:
    pause = Pause(reason="r", by="ada", since=hour(-3.5), until=hour(-0.5))
    policies = {"catch_up": policy, "catch_up_window": 90 * 3600}
    made = look(an_entry(-7, paused=pause, policies=policies))
    paused = next(ruling for ruling in made.verdicts if ruling.reason == "paused")
    assert (paused.first, paused.last) == (hour(-3), hour(-1))
    assert (made.send, made.last) == (hour(sent), NOON)
    assert made.wait == ([hour(-5), hour(-4), NOON] if policy == "all" else [])
    counts: dict[tuple[str, str], int] = {}
    for state, reason, count in ruled(made):
        counts[state, reason] = counts.get((state, reason), 0) + count
    assert [(*what, count) for what, count in counts.items()] == sorted(
        rulings, key=lambda one: one[1] != "paused"
    )


def test_a_pause_that_ended_before_the_last_tick_was_dealt_with_says_nothing_more() -> None:
    pause = Pause(reason="r", by="ada", since=hour(-20), until=hour(-10))
    made = look(an_entry(-3, paused=pause, policies={"catch_up_window": 9 * 3600}))
    assert (made.send, ruled(made)) == (NOON, [("missed", "coalesced", 2)])


def test_what_an_operator_asked_for_waits_for_the_end_of_a_pause_and_is_never_too_late() -> None:
    paused = look(
        an_entry(paused=Pause(reason="r", by="ada", since=hour(-3))), waiting=(asked(-30), -2)
    )
    assert (paused.send, dropped(paused), ruled(paused)) == (
        None,
        [hour(-2)],
        [("skipped", "paused", 1)],
    )
    off = look(an_entry(enabled=False), waiting=(asked(-30), asked(-29)))
    assert (off.send, dropped(off)) == (None, [hour(-30), hour(-29)])
    assert ruled(off) == [("skipped", "operator", 1)] * 2
    late = look(an_entry(policies={"starting_deadline": 60}), waiting=(asked(-30),))
    assert (late.send, late.verdicts) == (hour(-30), [])


def test_a_backfill_that_waits_uses_up_neither_the_runs_of_a_schedule_nor_its_places_in_the_queue() -> (
    None
):
    entry = an_entry(
        count=1, window={"max_runs": 2}, policies={"overlap": "queue_all", "queue_limit": 1}
    )
    made = look(entry, alive=1, waiting=(asked(-30), asked(-29)))
    assert (made.wait, made.drop, made.verdicts) == ([NOON], [], [])
    sent = look(entry, waiting=(asked(-30),))
    assert (sent.counts_toward_max_runs, sent.score) == (False, NOON.timestamp())
    own = look(entry, waiting=(asked(-30, "schedule"),))
    assert (own.counts_toward_max_runs, own.score) == (True, ASLEEP)


def test_a_tick_that_waits_for_a_backfill_and_comes_due_waits_once() -> None:
    made = look(an_entry(policies={"overlap": "queue_all"}), alive=1, waiting=(asked(0),))
    assert (made.wait, made.drop) == ([NOON], [asked(0)])


def test_cancel_previous_takes_no_place_from_what_an_operator_asked_for() -> None:
    made = look(
        an_entry(policies={"overlap": "cancel_previous"}), alive=1, waiting=(asked(-30), -1)
    )
    assert (made.wait, dropped(made), made.cancel) == ([NOON], [hour(-1)], True)


@pytest.mark.parametrize(
    "held",
    [WaitingTick(NOON), asked(-3), WaitingTick(hour(-2), "schedule", "ada of the night shift")],
)
def test_what_waits_is_read_as_it_was_written(held: WaitingTick) -> None:
    assert read(held.text) == held


def test_an_entry_of_plain_redbeat_code_that_never_ran_is_sent_at_once_as_in_stock() -> None:
    entry = an_entry(None, updated_at=None, origin="redbeat", revision=0)
    assert with_inferred_last_run(entry, NOON.timestamp(), NOON) is entry
    made = look(entry, NOON + timedelta(microseconds=5))
    assert (made.send, made.last) == (NOON, NOON)


@pytest.mark.parametrize("jitter", [0, 600])
def test_where_beats_memory_is_lost_the_time_to_look_tells_which_tick_is_still_to_be_dealt_with(
    jitter: float,
) -> None:
    entry = an_entry(-1, policies={"jitter": jitter})
    due = next_score(entry)
    forgotten = with_inferred_last_run(an_entry(None, policies={"jitter": jitter}), due, hour(0.9))
    made = look(forgotten, hour(0.9))
    assert (made.send, made.verdicts) == (NOON, [])


@pytest.mark.parametrize(
    "score", [None, ASLEEP, hour(1).timestamp(), NOON.timestamp() - 1, NOON.timestamp() + 200.5]
)
def test_where_nothing_tells_ticks_count_from_now_on_and_none_is_fired_out_of_turn(
    score: float | None,
) -> None:
    made = look(with_inferred_last_run(an_entry(None), score, hour(0.2)), hour(0.2))
    assert (made.send, made.verdicts, made.score) == (None, [], hour(1).timestamp())


def test_a_one_off_whose_memory_is_lost_is_not_fired_twice() -> None:
    once = a_schedule(when=OnceWhen(at=NOON))
    for score, now, sent in (
        (ASLEEP, hour(0.1), None),
        (NOON.timestamp(), hour(0.1), NOON),
        (None, hour(0.1), None),
    ):
        entry = with_inferred_last_run(StoredSchedule(once, Meta()), score, now)
        assert look(entry, now).send == sent
    late = look(
        with_inferred_last_run(StoredSchedule(once, Meta()), NOON.timestamp(), hour(2)), hour(2)
    )
    assert (late.send, ruled(late), late.score) == (None, [("missed", "deadline", 1)], ASLEEP)
    coming = look(
        with_inferred_last_run(StoredSchedule(once, Meta()), NOON.timestamp(), hour(-1)), hour(-1)
    )
    assert (coming.send, coming.score) == (None, NOON.timestamp())


MORNING = calendar_of("named", ["2026-11-21T06:00Z..2026-11-21T10:00Z"])
TODAY = calendar_of("named", ["2026-11-21"])
NAMED = {"calendar": "named"}


def test_a_tick_in_the_calendar_is_skipped_and_the_next_is_looked_at_in_its_turn() -> None:
    made = look(an_entry(window=NAMED), calendar=TODAY)
    assert (made.send, made.last, ruled(made)) == (None, NOON, [("skipped", "calendar", 1)])
    assert made.score == hour(1).timestamp()
    assert look(an_entry(window=NAMED), calendar=MORNING).send == NOON


@pytest.mark.parametrize(
    ("policy", "sent", "rulings"),
    [
        (
            "latest",
            0,
            [("skipped", "calendar", 4), ("missed", "deadline", 4), ("missed", "coalesced", 2)],
        ),
        (
            "none",
            None,
            [
                ("skipped", "calendar", 4),
                ("missed", "deadline", 4),
                ("missed", "scheduler_down", 3),
            ],
        ),
        ("all", -2, [("skipped", "calendar", 4), ("missed", "deadline", 4)]),
    ],
)
def test_what_passed_is_skipped_in_the_calendar_and_caught_up_with_outside(
    policy: str, sent: float | None, rulings: list[tuple[str, str, int]]
) -> None:
    entry = an_entry(-11, window=NAMED, policies={"catch_up": policy, "catch_up_window": 5 * 3600})
    made = look(entry, hour(0.1), calendar=MORNING)
    assert (made.send, made.last) == (None if sent is None else hour(sent), NOON)
    assert ruled(made) == rulings
    (skipped,) = [one for one in made.verdicts if one.reason == "calendar"]
    assert (skipped.first, skipped.last) == (hour(-6), hour(-3))


def test_what_the_calendar_excludes_is_no_run_of_those_that_are_left() -> None:
    entry = an_entry(-2, count=2, window={**NAMED, "max_runs": 3})
    made = look(entry, calendar=calendar_of("named", ["2026-11-21T11:00Z..2026-11-21T12:00Z"]))
    assert (made.send, ruled(made), made.score) == (NOON, [("skipped", "calendar", 1)], ASLEEP)


def test_a_held_tick_that_an_edited_calendar_excludes_is_skipped() -> None:
    made = look(
        an_entry(window=NAMED, policies={"overlap": "queue_all"}),
        waiting=(-4, -1),
        calendar=MORNING,
    )
    assert (made.send, dropped(made), ruled(made)) == (
        hour(-1),
        [hour(-4), hour(-1)],
        [("skipped", "calendar", 1)],
    )


def test_what_an_operator_asked_for_runs_in_spite_of_the_calendar() -> None:
    made = look(an_entry(window=NAMED), waiting=(asked(-4),), calendar=TODAY)
    assert (made.send, made.verdicts) == (hour(-4), [])


@pytest.mark.parametrize("waiting", [(), (-1,)])
def test_without_the_calendar_that_it_names_nothing_is_sent_or_ruled_and_it_is_looked_at_again_soon(
    waiting: tuple[float, ...],
) -> None:
    made = look(an_entry(-10, window=NAMED), waiting=waiting)
    assert made == Plan(score=(NOON + CALENDAR_AWAITED).timestamp())
    paused = look(an_entry(window=NAMED, paused=Pause(reason="r", by="ada", since=hour(-3))))
    assert paused.score == ASLEEP


def test_an_entry_that_never_ran_keeps_to_the_calendar_too() -> None:
    made = look(an_entry(None, window=NAMED), calendar=TODAY)
    assert (made.send, made.last, ruled(made)) == (None, NOON, [("skipped", "calendar", 1)])
