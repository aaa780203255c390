"""The newest run of each schedule, as the driver answers it: the same as the history's own
answer.
"""

import pytest
from sqlalchemy import Engine

from scheduler.history import driver_errors
from scheduler.history.queries.history import History
from scheduler.history.queries.newest_runs import NewestRun, NewestRuns
from scheduler.history.recording.writer import write_events
from tests.support.builders import a_run_history, a_schedule


def without_history() -> History:
    raise AssertionError("the driver is asked, and not the history")


def address_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_the_newest_runs_are_those_of_the_history(engine: Engine) -> None:
    history, wanted = History(engine), []
    for number in range(230):
        schedule = a_schedule(f"job-{number}")
        wanted.append(schedule.uid)
        if number % 3:
            write_events(engine, a_run_history(f"old-{number}", schedule=schedule))
            write_events(engine, a_run_history(f"new-{number}", schedule=schedule, state="failed"))
    found = NewestRuns(address_of(engine), without_history).of(
        [*wanted, "a\x00b", "\ud800", "stranger"]
    )
    assert found[wanted[1]] == NewestRun("new-1", "failed")
    newest = {
        uid: NewestRun(runs[0].id, runs[0].state)
        for uid, runs in history.last_runs(wanted, 1).items()
    }
    assert found == newest


def test_without_schedules_nothing_is_found(engine: Engine) -> None:
    assert NewestRuns(address_of(engine), without_history).of([]) == {}


def test_an_address_with_more_to_it_is_left_to_the_history(engine: Engine) -> None:
    schedule = a_schedule()
    write_events(engine, a_run_history("run", schedule=schedule))
    found = NewestRuns("sqlite:///file:history?uri=true", lambda: History(engine)).of(
        [schedule.uid]
    )
    assert found == {schedule.uid: NewestRun("run", "succeeded")}


def test_missing_tables_are_an_outage_with_the_remedy(database_url: str) -> None:
    with pytest.raises(Exception, match="runs") as caught:
        NewestRuns(database_url, without_history).of(["uid"])
    assert driver_errors.outage(caught.value) == "its tables are missing; run `beatdesk db upgrade`"
