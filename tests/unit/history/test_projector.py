"""What each event makes of its run, and which of conflicting events counts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.events.schema import (
    OVERLAP_ACTOR,
    Event,
    ReportStored,
    RunExpired,
    RunFacts,
    RunFailed,
    RunLost,
    RunQueued,
    RunReceived,
    RunRetried,
    RunRevoked,
    RunStarted,
    RunSucceeded,
    ScheduleDeleted,
    TicksMissed,
    TicksSkipped,
    run_event,
)
from scheduler.history.recording.column_values import json_value, text
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import AttemptRow, Rows, RunRow, UnfoldableEvent
from tests.support.builders import NOON, a_run_history, a_saved_event, a_schedule, facts_of

RUN = "run-1"
SCHEDULE = a_schedule(kwargs={"days": 1})


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(
    kind: Any, seconds: float, attempt: int = 1, worker: str | None = "w1@host", **parts: Any
) -> Event:
    return run_event(kind, RUN, attempt, after(seconds), worker=worker, **parts)


def row_of(*events: Event) -> RunRow:
    return fold(Rows(), events).runs[RUN]


def attempts_of(*events: Event) -> list[AttemptRow]:
    rows = fold(Rows(), events).attempts
    return [rows[key] for key in sorted(rows)]


@pytest.mark.parametrize("state", ["queued", "received", "started", "succeeded", "failed"])
def test_a_run_is_in_the_state_of_its_newest_event(state: str) -> None:
    expected = {"received": "queued", "started": "running"}.get(state, state)
    assert row_of(*a_run_history(RUN, state=state)).state == expected


def test_a_run_that_ended_well_has_all_its_times_and_its_result() -> None:
    row = row_of(*a_run_history(RUN, schedule=SCHEDULE, result={"rows": 3}, seconds=2.0))
    assert (row.queued_at, row.received_at, row.started_at, row.finished_at) == (
        NOON,
        after(0.01),
        after(0.02),
        after(2.02),
    )
    assert (row.lateness, row.duration) == (0.02, 2.0)
    assert (row.job, row.schedule, row.schedule_uid) == (SCHEDULE.job, SCHEDULE.name, SCHEDULE.uid)
    assert (row.tick, row.trigger, row.revision, row.queue) == (NOON, "schedule", 1, "default")
    assert (row.args, row.kwargs, row.result, row.worker) == (
        [],
        {"days": 1},
        {"rows": 3},
        "w1@host",
    )


def test_a_failed_run_has_error_and_traceback_and_no_result() -> None:
    row = row_of(*a_run_history(RUN, state="failed", error="ValueError: no"))
    assert (row.error, row.result) == ("ValueError: no", None)
    assert row.traceback is not None
    assert row.traceback.startswith("Traceback")


def test_lateness_of_a_run_without_a_tick_counts_from_when_it_was_queued() -> None:
    facts = facts_of(SCHEDULE).model_copy(update={"tick": None, "queued_at": NOON})
    assert row_of(event(RunReceived, 1, facts=facts), event(RunStarted, 3)).lateness == 3.0


def test_clocks_that_differ_never_make_a_time_negative() -> None:
    facts = facts_of(SCHEDULE, after(5))
    row = row_of(event(RunQueued, 5, facts=facts), event(RunStarted, 3), event(RunSucceeded, 2))
    assert (row.lateness, row.duration) == (0.0, 0.0)


def test_a_run_known_only_by_its_end_is_a_row_too() -> None:
    row = row_of(event(RunSucceeded, 5, result=7))
    assert (row.state, row.result, row.job, row.started_at, row.duration) == (
        "succeeded",
        7,
        "",
        None,
        None,
    )


def test_an_attempt_has_begun_only_once_it_has_started_and_was_received_only_where_that_is_known() -> (
    None
):
    (waiting,) = attempts_of(event(RunReceived, 1, facts=facts_of(SCHEDULE)))
    assert (waiting.received_at, waiting.started_at) == (after(1), None)
    (ended,) = attempts_of(event(RunSucceeded, 5))
    assert (ended.received_at, ended.started_at, ended.finished_at) == (None, None, after(5))


def test_a_retry_is_an_attempt_of_the_same_run() -> None:
    tries = [
        *a_run_history(RUN, state="started"),
        event(RunRetried, 1, error="no route", next_at=after(10)),
        event(RunReceived, 1.1, attempt=2, facts=facts_of(SCHEDULE)),
    ]
    waiting = row_of(*tries)
    assert (waiting.state, waiting.error, waiting.finished_at) == ("retrying", None, None)
    assert row_of(*tries[:-1]).error == "no route"
    ended = [*tries, event(RunStarted, 10, attempt=2), event(RunSucceeded, 11, attempt=2)]
    row = row_of(*ended)
    assert (row.state, row.started_at, row.finished_at, row.duration) == (
        "succeeded",
        after(0.02),
        after(11),
        1.0,
    )
    first, second = attempts_of(*ended)
    assert (first.state, first.error, first.finished_at) == ("failed", "no route", after(1))
    assert (second.state, second.error, second.started_at, second.finished_at) == (
        "succeeded",
        None,
        after(10),
        after(11),
    )


def test_of_two_ends_of_one_attempt_the_first_counts() -> None:
    twice = [
        *a_run_history(RUN, state="started"),
        event(RunSucceeded, 5, worker="w1@host", result="first"),
        event(RunStarted, 6, worker="w2@host"),
        event(RunFailed, 7, worker="w2@host", error="second"),
    ]
    row = row_of(*twice)
    assert (row.state, row.result, row.error, row.worker, row.finished_at) == (
        "succeeded",
        "first",
        None,
        "w1@host",
        after(5),
    )
    assert [attempt.state for attempt in attempts_of(*twice)] == ["succeeded"]


def test_a_run_that_ended_before_it_was_cancelled_has_ended() -> None:
    assert row_of(event(RunSucceeded, 5), event(RunRevoked, 4, actor="ada")).state == "succeeded"


def test_a_cancelled_run_says_by_whom() -> None:
    row = row_of(
        *a_run_history(RUN, state="started"),
        event(RunRevoked, 4, actor="ada@example.org", terminated=True),
    )
    assert (row.state, row.reason, row.error, row.finished_at) == (
        "revoked",
        "operator",
        "cancelled by ada@example.org",
        after(4),
    )


def test_a_run_that_came_too_late_is_expired() -> None:
    row = row_of(*a_run_history(RUN, state="received"), event(RunExpired, 100))
    assert (row.state, row.started_at, row.finished_at, row.worker) == (
        "expired",
        None,
        after(100),
        "w1@host",
    )


def test_an_expired_run_has_its_reason_and_the_facts_of_its_message() -> None:
    reason = "its deadline passed while it waited in the queue slow"
    facts = facts_of(SCHEDULE, queue="slow")
    row = row_of(event(RunExpired, 3, reason=reason, facts=facts))
    assert (row.state, row.reason, row.error) == ("expired", "deadline", reason)
    assert (row.job, row.queue) == (SCHEDULE.job, "slow")
    received = facts_of(SCHEDULE, queue="fast")
    both = row_of(event(RunExpired, 3, facts=facts), event(RunReceived, 1, facts=received))
    assert both.queue == "fast"


def test_a_revocation_without_a_worker_keeps_the_worker_that_is_known() -> None:
    assert row_of(event(RunStarted, 1), event(RunRevoked, 2, worker=None)).worker == "w1@host"


def test_facts_come_from_the_first_message() -> None:
    first, second = facts_of(SCHEDULE, queue="fast"), facts_of(SCHEDULE, queue="slow")
    row = row_of(event(RunReceived, 9, attempt=2, facts=second), event(RunReceived, 1, facts=first))
    assert row.queue == "fast"


def missed(at: datetime, **parts: Any) -> TicksMissed:
    parts = {
        "reason": "scheduler_down",
        "tick_from": NOON,
        "tick_to": after(120),
        "ticks": 3,
        **parts,
    }
    return TicksMissed(
        at=at,
        schedule=SCHEDULE.name,
        schedule_uid=SCHEDULE.uid,
        revision=1,
        job=SCHEDULE.job,
        **parts,
    )


def test_missed_ticks_are_one_row_whoever_reports_them() -> None:
    rows = fold(
        Rows(), [missed(after(200)), missed(after(190)), missed(after(201), reason="coalesced")]
    ).runs
    (row,) = rows.values()
    assert (row.state, row.reason, row.ticks, row.tick, row.tick_to) == (
        "missed",
        "scheduler_down",
        3,
        NOON,
        after(120),
    )
    assert (row.first_at, row.finished_at, row.lateness, row.started_at) == (
        after(190),
        after(190),
        None,
        None,
    )
    assert (row.schedule, row.job, row.trigger) == (SCHEDULE.name, SCHEDULE.job, "schedule")


def test_other_ranges_of_missed_ticks_are_other_rows() -> None:
    assert (
        len(
            fold(Rows(), [missed(after(200)), missed(after(200), tick_to=after(180), ticks=4)]).runs
        )
        == 2
    )


def test_each_change_of_a_schedule_is_one_row_with_the_whole_schedule() -> None:
    saved, deleted = (
        a_saved_event(SCHEDULE),
        ScheduleDeleted(
            at=after(9),
            uid=SCHEDULE.uid,
            revision=2,
            actor="bob",
            comment="obsolete",
            schedule=SCHEDULE,
        ),
    )
    rows = sorted(
        fold(Rows(), [deleted, saved, saved]).revisions.values(), key=lambda row: row.revision
    )
    assert [(row.action, row.actor, row.comment) for row in rows] == [
        ("created", "ada@example.org", ""),
        ("deleted", "bob", "obsolete"),
    ]
    assert rows[0].definition == SCHEDULE.to_json()


def test_two_different_edits_with_one_number_are_both_kept() -> None:
    one, other = a_saved_event(SCHEDULE), a_saved_event(SCHEDULE, actor="bob")
    assert len(fold(Rows(), [one, other]).revisions) == 2


def report(at: datetime, **parts: Any) -> ReportStored:
    parts = {
        "title": "t",
        "path": "a/b.html",
        "media_type": "text/html",
        "size": 1,
        "sha256": "0" * 64,
        **parts,
    }
    return ReportStored(at=at, report="rep-1", run=RUN, **parts)


def test_of_two_reports_with_one_id_the_first_counts() -> None:
    rows = [
        fold(Rows(), events).reports["rep-1"]
        for events in (
            [report(NOON), report(after(1), size=2)],
            [report(after(1), size=2), report(NOON)],
        )
    ]
    assert [row.size for row in rows] == [1, 1]


def test_a_run_that_failed_before_it_was_a_message_brings_its_facts() -> None:
    facts = RunFacts(job="shop.sum_up", parent="part-2")
    row = row_of(event(RunFailed, 1, error="part 2 failed", facts=facts))
    assert (row.state, row.job, row.parent, row.error) == (
        "failed",
        "shop.sum_up",
        "part-2",
        "part 2 failed",
    )


def test_what_a_database_cannot_hold_is_replaced_or_cut() -> None:
    facts = facts_of(SCHEDULE).model_copy(
        update={"actor": "a" * 300, "kwargs": {"k\x00": ["\x00"]}}
    )
    row = row_of(event(RunReceived, 1, facts=facts), event(RunFailed, 2, error="nul \x00 byte"))
    assert row.error == "nul \ufffd byte"
    assert row.kwargs == {"k\ufffd": ["\ufffd"]}
    assert row.actor == "a" * 254 + "…"


@pytest.mark.parametrize(
    "bad",
    [
        run_event(RunStarted, "r" * 129, 1, NOON),
        run_event(RunStarted, "", 1, NOON),
        run_event(RunStarted, "a\x00b", 1, NOON),
        run_event(RunStarted, RUN, 2**31, NOON),
        run_event(RunStarted, RUN, 1, NOON).model_copy(update={"seq": -1}),
        missed(NOON, ticks=2**40),
        report(NOON, path="x" * 513),
    ],
)
def test_what_no_row_can_hold_is_refused(bad: Event) -> None:
    with pytest.raises(UnfoldableEvent):
        fold(Rows(), [bad])


def test_a_fold_leaves_the_rows_that_it_was_given_alone() -> None:
    before = fold(Rows(), a_run_history(RUN, state="started"))
    again = fold(Rows(), a_run_history(RUN, state="started"))
    fold(before, [event(RunSucceeded, 5)])
    assert before == again


def test_ticks_that_a_policy_has_skipped_are_one_row_with_its_reason() -> None:
    parts = missed(
        after(60), reason="coalesced", tick_from=NOON, tick_to=after(60), ticks=2
    ).model_dump(exclude={"kind"})
    skipped = TicksSkipped.model_validate({**parts, "reason": "overlap"})
    (row,) = fold(Rows(), [skipped, skipped]).runs.values()
    assert (row.state, row.reason, row.ticks, row.tick, row.tick_to) == (
        "skipped",
        "overlap",
        2,
        NOON,
        after(60),
    )


def test_a_lost_run_stays_lost_whatever_is_heard_of_it_late_but_for_its_end() -> None:
    lost, started = event(RunLost, 60, worker=None), event(RunStarted, 1)
    for events in ([started, lost], [lost, started]):
        row = row_of(*events)
        assert (row.state, row.finished_at, row.worker) == ("lost", after(60), "w1@host")
        assert row.error is not None
    again = [event(RunStarted, 70, attempt=2), event(RunSucceeded, 71, attempt=2)]
    assert row_of(lost, started, *again).state == "succeeded"
    assert row_of(*again, started, lost).state == "succeeded"


def test_a_run_that_made_way_for_the_next_one_says_so() -> None:
    assert row_of(event(RunRevoked, 5, actor=OVERLAP_ACTOR)).reason == "overlap"


def test_a_lost_run_that_never_came_to_a_queue_is_known_to_its_schedule() -> None:
    lost = event(RunLost, 60, worker=None, schedule=SCHEDULE.name, schedule_uid=SCHEDULE.uid)
    assert (row_of(lost).schedule, row_of(lost).schedule_uid) == (SCHEDULE.name, SCHEDULE.uid)
    queued = event(RunQueued, 0, worker=None, facts=facts_of(SCHEDULE))
    assert row_of(lost, queued).job == row_of(queued, lost).job == SCHEDULE.job


def test_json_for_the_database_has_no_nul_in_a_text_at_any_depth() -> None:
    assert json_value({"a": ["x\x00y"]}) == {"a": [text("x\x00y")]}
    assert "\x00" not in str(text("x\x00y"))


def test_numbers_that_json_does_not_have_become_null() -> None:
    assert json_value([float("nan"), float("inf"), 1.5]) == [None, None, 1.5]
