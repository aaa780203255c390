"""Forgetting: what is old and has ended goes, whole, in batches; all else stays."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from scheduler.errors import Refused
from scheduler.events.schema import Event, LogLine, ReportStored, RunLogged
from scheduler.history.engine import create_engine, writing
from scheduler.history.models import Run, RunDetail
from scheduler.history.queries.history import History
from scheduler.history.recording.writer import write_events
from scheduler.history.retention import (
    count_runs_before,
    delete_reports,
    delete_runs_before,
    expired_reports,
)
from scheduler.history.schema_version import upgrade
from tests.support.builders import NOON, a_run_history, a_saved_event, a_schedule
from tests.support.history.stored import rows_in, states_in

NEW = NOON
OLD = NOON - timedelta(days=40)
CUTOFF = NOON - timedelta(days=30)


def ended(count: int, prefix: str = "old", **parts: object) -> list[Event]:
    return [
        event
        for number in range(count)
        for event in a_run_history(
            f"{prefix}-{number}", tick=OLD + timedelta(seconds=number), **parts
        )  # type: ignore[arg-type]
    ]


def test_old_runs_go_with_their_details_and_attempts_and_new_ones_stay(engine: Engine) -> None:
    write_events(engine, [*ended(7), *a_run_history("new", tick=NEW), a_saved_event()])
    line = LogLine(at=OLD, level="INFO", logger="shop", text="one")
    write_events(
        engine,
        [RunLogged(run=run, attempt=1, at=OLD, first=0, lines=[line]) for run in ("old-3", "new")],
    )
    assert list(delete_runs_before(engine, CUTOFF, batch=3)) == [3, 3, 1]
    rows = rows_in(engine)
    assert set(rows.runs) == {"new"}
    assert {row.run_id for row in rows.logs.values()} == {"new"}
    assert set(rows.attempts) == {("new", 1)}
    assert rows.runs["new"].args == []
    assert len(rows.revisions) == 1
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RunDetail)) == 1


def test_nothing_to_forget_is_no_batch(engine: Engine) -> None:
    assert list(delete_runs_before(engine, CUTOFF)) == []


def test_runs_that_have_not_ended_stay_however_old(engine: Engine) -> None:
    for state in ("queued", "received", "started"):
        write_events(engine, a_run_history(state, tick=OLD, state=state))
    assert list(delete_runs_before(engine, CUTOFF)) == []
    assert set(states_in(engine)) == {"queued", "received", "started"}


def test_what_goes_can_be_kept_to_states_and_a_schedule(engine: Engine) -> None:
    write_events(engine, [*ended(2, "ok"), *ended(2, "bad", state="failed")])
    write_events(engine, ended(2, "other", schedule=a_schedule("other"), state="failed"))
    assert count_runs_before(engine, CUTOFF) == 6
    assert count_runs_before(engine, CUTOFF, states=["failed"], schedule="other") == 2
    assert sum(delete_runs_before(engine, CUTOFF, states=["failed"], schedule="other")) == 2
    assert sum(delete_runs_before(engine, CUTOFF, states=["failed"])) == 2
    assert set(states_in(engine)) == {"ok-0", "ok-1"}


@pytest.mark.parametrize("states", [["running"], ["happy"]])
def test_a_state_that_is_not_final_is_refused(engine: Engine, states: list[str]) -> None:
    with pytest.raises(Refused, match="final state"):
        next(delete_runs_before(engine, CUTOFF, states=states))


def test_a_batch_of_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(Refused, match="batch"):
        next(delete_runs_before(engine, CUTOFF, batch=0))


def test_a_writer_gets_in_between_two_batches(database_url: str, engine: Engine) -> None:
    write_events(engine, ended(6))
    batches = delete_runs_before(engine, CUTOFF, batch=2)
    next(batches)
    other = create_engine(database_url)
    writer = threading.Thread(target=write_events, args=(other, a_run_history("new", tick=NEW)))
    writer.start()
    writer.join(5)
    assert not writer.is_alive(), "the writer waits for no more than a batch"
    assert sum(batches) == 4
    assert set(states_in(engine)) == {"new"}
    other.dispose()


def test_a_run_that_a_recorder_is_writing_is_left_for_the_next_time(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    upgrade(engine)
    write_events(engine, ended(3))
    with writing(engine).begin() as connection:
        connection.execute(select(Run.key).where(Run.id == "old-1").with_for_update())
        assert list(delete_runs_before(engine, CUTOFF)) == [2]
    assert list(delete_runs_before(engine, CUTOFF)) == [1]
    engine.dispose()


def a_report(name: str, keep_days: int | None) -> ReportStored:
    until = None if keep_days is None else NOON + timedelta(days=keep_days)
    return ReportStored(
        at=OLD,
        report=name,
        run=None,
        title="t",
        path=f"{name}.csv",
        media_type="text/csv",
        size=1,
        sha256="0" * 64,
        keep_until=until,
    )


def test_reports_are_kept_until_their_day_and_those_without_one_for_ever(engine: Engine) -> None:
    write_events(
        engine,
        [a_report("gone", -1), a_report("now", 0), a_report("later", 1), a_report("ever", None)],
    )
    expired = expired_reports(engine, NOON)
    assert [(report.id, report.path) for report in expired] == [
        ("gone", "gone.csv"),
        ("now", "now.csv"),
    ]
    assert [report.id for report in expired_reports(engine, NOON, batch=1)] == ["gone"]
    assert delete_reports(engine, [report.id for report in expired]) == 2
    assert delete_reports(engine, ["gone"]) == 0
    assert {report.id for report in History(engine).reports().items} == {"later", "ever"}
