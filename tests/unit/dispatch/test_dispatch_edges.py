"""What Beat does about an entry at the very moments where one rule ends and another begins."""

from datetime import timedelta

import pytest

from scheduler.dispatch.next_look import with_inferred_last_run
from scheduler.dispatch.verdicts import Plan, Verdict
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import Pause, RedBeatWhen
from scheduler.schedules.changes import ASLEEP
from tests.support.builders import NOON, a_schedule
from tests.support.schedules.looks import HOUR, SECOND, an_entry, asked, dropped, hour, look, ruled

MINUTE = timedelta(minutes=1)


def test_a_tick_that_is_the_start_counts_and_one_that_is_the_end_does_not() -> None:
    begins = an_entry(-10, window={"starts_at": NOON})
    assert (look(begins).send, look(begins).verdicts) == (NOON, [])
    ends = an_entry(window={"ends_at": NOON})
    assert (look(ends).send, look(ends).verdicts, look(ends).score) == (None, [], ASLEEP)


def test_of_two_ticks_that_are_due_the_newer_is_sent_though_it_came_due_this_moment() -> None:
    made = look(an_entry(-2, policies={"catch_up_window": 7200}))
    assert (made.send, ruled(made), made.score) == (
        NOON,
        [("missed", "coalesced", 1)],
        hour(1).timestamp(),
    )


def test_a_tick_at_the_first_moment_of_a_pause_is_skipped_and_one_at_its_last_runs() -> None:
    pause = Pause(reason="r", by="ada", since=hour(-20), until=hour(-1))
    made = look(an_entry(-20.5, paused=pause, policies={"catch_up_window": 0}), hour(-1))
    assert (made.send, made.verdicts) == (
        hour(-1),
        [Verdict("skipped", "paused", hour(-20), hour(-2), 19)],
    )


def test_a_tick_may_still_be_sent_when_its_deadline_comes_and_no_moment_later() -> None:
    entry = an_entry(policies={"starting_deadline": 60})
    assert look(entry, NOON + MINUTE).send == NOON
    assert look(entry, NOON + MINUTE + timedelta(microseconds=1)).send is None


def test_a_schedule_that_is_off_is_not_looked_at_when_its_pause_ends() -> None:
    pause = Pause(reason="r", by="ada", since=hour(-2), until=hour(2))
    assert look(an_entry(enabled=False, paused=pause)) == Plan(score=ASLEEP)


def test_jitter_never_delays_a_tick_past_the_next_one() -> None:
    for number in range(5):
        made = look(an_entry(number - 1, policies={"jitter": 50 * 3600}), hour(number) - SECOND)
        assert hour(number).timestamp() <= made.score < hour(number + 1).timestamp()


def test_with_all_no_more_ticks_run_than_the_schedule_has_runs_left() -> None:
    late = {"catch_up": "all", "catch_up_window": 9 * 3600}
    made = look(an_entry(-5, count=1, window={"max_runs": 3}, policies=late))
    assert (made.send, made.wait) == (hour(-4), [hour(-3)])
    assert made.verdicts == [
        Verdict("skipped", "finished", tick, tick) for tick in (hour(-2), hour(-1), NOON)
    ]
    assert made.score == ASLEEP


def test_with_all_what_finds_no_place_among_the_waiting_ticks_uses_up_no_run() -> None:
    late = {"catch_up": "all", "catch_up_window": 9 * 3600, "queue_limit": 2}
    made = look(
        an_entry(-4, count=1, window={"max_runs": 4}, policies=late), alive=1, waiting=(-4,)
    )
    assert made.wait == [hour(-2)]
    assert ruled(made) == [
        ("missed", "coalesced", 1),
        ("skipped", "overlap", 1),
        ("skipped", "overlap", 1),
    ]


@pytest.mark.parametrize(
    ("alive", "send", "hold", "over"), [(0, -2, [-1, 0], []), (1, None, [-2, -1], ["overlap"])]
)
def test_with_all_the_newest_ticks_run_as_many_as_may_wait_behind_one(
    alive: int, send: float | None, hold: list[float], over: list[str]
) -> None:
    late = {"catch_up": "all", "catch_up_window": 9 * 3600, "queue_limit": 2}
    made = look(an_entry(-6, policies=late), alive=alive)
    assert made.send == (None if send is None else hour(send))
    assert made.wait == [hour(number) for number in hold]
    assert [ruling.reason for ruling in made.verdicts] == ["coalesced", *over]
    assert made.verdicts[0] == Verdict("missed", "coalesced", hour(-5), hour(-3), 3)


def test_a_held_tick_that_an_operator_skips_has_no_turn_unless_an_operator_asked_for_it() -> None:
    entry = an_entry(skips=[hour(-2)], policies={"overlap": "queue_all"})
    made = look(entry, waiting=(-2, -1))
    assert (made.send, dropped(made)) == (hour(-1), [hour(-2), hour(-1)])
    assert made.verdicts == [Verdict("skipped", "operator", hour(-2), hour(-2))]
    assert look(entry, waiting=(asked(-2),)).send == hour(-2)


def test_a_held_tick_that_is_sent_alone_is_more_to_write_than_a_score() -> None:
    made = look(an_entry(), waiting=(-1,))
    assert (made.send, made.last, made.verdicts, made.has_changes) == (hour(-1), None, [], True)


@pytest.mark.parametrize(("waiting", "score"), [((-1,), NOON.timestamp()), ((-2, -1), ASLEEP)])
def test_each_held_tick_counts_once_as_a_run_that_is_left_whether_it_is_sent_or_goes_on_waiting(
    waiting: tuple[float, ...], score: float
) -> None:
    made = look(
        an_entry(count=1, window={"max_runs": 3}, policies={"overlap": "queue_all"}),
        waiting=waiting,
    )
    assert (made.counts_toward_max_runs, made.score) == (True, score)


def test_a_lost_memory_is_made_up_for_at_the_very_moment_of_the_tick() -> None:
    forgotten = with_inferred_last_run(an_entry(None), NOON.timestamp(), NOON)
    assert look(forgotten).send == NOON


@pytest.mark.parametrize("score", [NOON.timestamp() + 200.5, hour(3).timestamp()])
def test_a_time_to_look_that_is_no_ticks_own_tells_nothing_with_jitter_either(score: float) -> None:
    made = look(
        with_inferred_last_run(an_entry(None, policies={"jitter": 600}), score, hour(0.2)),
        hour(0.2),
    )
    assert (made.send, made.verdicts) == (None, [])
    assert hour(1).timestamp() <= made.score < hour(1).timestamp() + 600


def test_a_time_to_look_that_lies_ahead_passes_over_no_tick_before_it() -> None:
    made = look(with_inferred_last_run(an_entry(None), hour(3).timestamp(), hour(0.2)), hour(0.2))
    assert (made.send, made.score) == (None, hour(1).timestamp())


def test_a_lost_memory_with_a_jitter_beyond_all_time_costs_nothing() -> None:
    entry = an_entry(None, policies={"jitter": 1e15})
    assert (
        look(with_inferred_last_run(entry, NOON.timestamp() + 5, hour(0.2)), hour(0.2)).send is None
    )


def test_what_only_redbeat_computes_is_remembered_as_redbeat_does() -> None:
    entry = StoredSchedule(a_schedule(when=RedBeatWhen(schedule={"__type__": "rrule"})), Meta(None))
    assert with_inferred_last_run(entry, NOON.timestamp(), NOON) is entry


def test_what_waits_is_in_the_order_of_time_as_text_since_no_two_ticks_share_a_second() -> None:
    steps = [timedelta(0), 1.5 * SECOND, 2.5 * SECOND, 4 * SECOND, MINUTE, HOUR, 400 * 24 * HOUR]
    texts = [WaitingTick(NOON + step).text for step in steps]
    assert texts == sorted(texts)
    assert asked(0).text > WaitingTick(NOON).text


def test_a_tick_that_is_missed_uses_up_none_of_the_runs_that_are_left() -> None:
    policies = {"catch_up": "all", "catch_up_window": 10 * 3600, "starting_deadline": 90 * 60}
    made = look(an_entry(-3, count=1, policies=policies, window={"max_runs": 3}))
    assert (made.send, made.wait) == (hour(-1), [NOON])
    assert ruled(made) == [("missed", "deadline", 1)]


def test_a_plan_that_sends_nothing_does_not_count_toward_max_runs() -> None:
    assert not Plan().counts_toward_max_runs
    assert Plan(send=NOON).counts_toward_max_runs
