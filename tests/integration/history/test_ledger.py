"""What is written is what the fold says, whoever writes at the same time."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import SQLAlchemyError

from scheduler.events.schema import Event, RunRetried, RunStarted, RunSucceeded, run_event
from scheduler.history.engine import create_engine, writing
from scheduler.history.models import Attempt, Report, Revision, Run, RunDetail, RunLog
from scheduler.history.recording import writer
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from scheduler.history.recording.writer import write_events
from tests.support.builders import NOON, a_run_history, a_saved_event
from tests.support.history.events import told_twice
from tests.support.history.stored import rows_in

Told = tuple[list[Event], list[list[Event]]]


def empty(engine: Engine) -> None:
    with writing(engine).begin() as connection:
        for table in (Run, RunDetail, RunLog, Attempt, Revision, Report):
            connection.execute(delete(table))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told_twice())
def test_the_tables_hold_what_the_fold_says_for_any_order_batches_and_repetitions(
    engine: Engine, told: Told
) -> None:
    events, batches = told
    empty(engine)
    for batch in batches:
        write_events(engine, batch)
    assert rows_in(engine) == fold(Rows(), events)


def test_a_batch_is_written_whole_or_not_at_all(engine: Engine) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("DROP TABLE revisions"))
    with pytest.raises(SQLAlchemyError):
        write_events(engine, [*a_run_history("run-1"), a_saved_event()])
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar_one() == 0


def test_runs_stand_in_the_list_in_the_order_in_which_they_began(engine: Engine) -> None:
    moments = [NOON + timedelta(seconds=second) for second in range(9)]
    events = [
        event
        for number in (3, 8, 1, 5)
        for event in a_run_history(f"run-{number}", tick=moments[number])
    ]
    write_events(engine, events)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM runs ORDER BY key")).scalars().all() == [
            "run-1",
            "run-3",
            "run-5",
            "run-8",
        ]


def busy_runs(count: int) -> list[Event]:
    """Runs with several attempts, each event of which changes a row that others change too."""
    events: list[Event] = []
    for number in range(count):
        run, tick = f"run-{number}", NOON + timedelta(seconds=number)
        events += a_run_history(run, tick=tick, state="started")
        for attempt in (1, 2, 3):
            at = tick + timedelta(seconds=10 * attempt)
            events.append(
                run_event(RunRetried, run, attempt, at, worker="w1@host", error=f"no {attempt}")
            )
            events.append(run_event(RunStarted, run, attempt + 1, at, worker="w2@host"))
        events.append(
            run_event(
                RunSucceeded, run, 4, tick + timedelta(minutes=1), worker="w2@host", result=number
            )
        )
    return events


@pytest.mark.parametrize("seed", range(3))
def test_two_writers_of_the_same_runs_lose_nothing_of_each_other(
    database_url: str, engine: Engine, seed: int
) -> None:
    events = busy_runs(30)
    shuffled = random.Random(seed)  # noqa: S311 - not a secret
    shares: list[list[Event]] = [[], []]
    for event in shuffled.sample(events, len(events)):
        shares[shuffled.randrange(2)].append(event)
    together = threading.Barrier(2)

    def write(share: list[Event]) -> None:
        own = create_engine(database_url)
        together.wait(10)
        for start in range(0, len(share), 7):
            write_events(own, share[start : start + 7])
        own.dispose()

    with ThreadPoolExecutor(2) as pool:
        for writer in [pool.submit(write, share) for share in shares]:
            writer.result(60)
    assert rows_in(engine) == fold(Rows(), events)


def test_a_run_that_is_new_to_two_writers_gets_the_events_of_both(
    database_url: str, engine: Engine
) -> None:
    """The second writer reads while the first has inserted and not committed: the moment at which
    updates get lost.
    """
    queued, received, started, succeeded = a_run_history("run-1")
    other = create_engine(database_url)
    done = threading.Event()

    def write() -> None:
        write_events(other, [started, succeeded])
        done.set()

    thread = threading.Thread(target=write)
    with writing(engine).begin() as connection:
        writer.fold_into(connection, [queued, received])
        thread.start()
        assert not done.wait(0.3)
    thread.join(30)
    assert done.is_set()
    other.dispose()
    assert rows_in(engine) == fold(Rows(), [queued, received, started, succeeded])


def test_a_run_that_two_writers_change_gets_the_events_of_both(
    database_url: str, engine: Engine
) -> None:
    queued, received, started, succeeded = a_run_history("run-1")
    write_events(engine, [queued])
    other = create_engine(database_url)
    thread = threading.Thread(target=write_events, args=(other, [started, succeeded]))
    with writing(engine).begin() as connection:
        writer.fold_into(connection, [received])
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(30)
    other.dispose()
    assert rows_in(engine) == fold(Rows(), [queued, received, started, succeeded])
