"""Milliseconds for each page of the history and each filter, those without hits too.

python -m tests.bench.history_pages [RUNS] [POSTGRESQL_URL]

1,000,000 runs in SQLite, or as many as are said; in PostgreSQL where an address is given, which
must be that of a throw-away database. The aim: 50 ms each.
"""

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import Engine, insert

from scheduler.history.engine import create_engine, writing
from scheduler.history.models import RollupDue
from scheduler.history.queries.cursor import cursor
from scheduler.history.queries.history import History
from scheduler.history.queries.newest_runs import NewestRuns
from scheduler.history.queries.statistics import Statistics
from scheduler.history.queries.views import RunFilter
from scheduler.history.recording.rollup import Rollup
from scheduler.history.schema_version import upgrade
from tests.bench.figures import machine, shown, table
from tests.bench.history_stage import fill

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
LIMIT_SECONDS = 0.05
NOBODY = "nobody-has-it"


def filters(until: datetime) -> dict[str, RunFilter]:
    """Every filter of a list of runs that end at `until`, by its name."""
    return {
        "all runs": RunFilter(),
        "schedule": RunFilter(schedule="schedule-7"),
        "schedule id": RunFilter(schedule_uid="uid-7"),
        "job": RunFilter(job="shop.job-7"),
        "state failed": RunFilter(state="failed"),
        "state lost (none)": RunFilter(state="lost"),
        "worker": RunFilter(worker="w1@host"),
        "worker (none)": RunFilter(worker=NOBODY),
        "queue": RunFilter(queue="bulk"),
        "queue (none)": RunFilter(queue=NOBODY),
        "trigger manual": RunFilter(trigger="manual"),
        "trigger rerun (none)": RunFilter(trigger="rerun"),
        "parent": RunFilter(parent="run-7"),
        "parent (none)": RunFilter(parent=NOBODY),
        "schedule (none)": RunFilter(schedule=NOBODY),
        "job (none)": RunFilter(job=NOBODY),
        "last hour": RunFilter(since=until - timedelta(hours=1)),
        "an hour long ago": RunFilter(since=BEGAN, until=BEGAN + timedelta(hours=1)),
        "future (none)": RunFilter(since=until + timedelta(hours=1)),
        "search: schedule": RunFilter(search="schedule-77"),
        "search: id": RunFilter(search="run-77"),
        "search (none)": RunFilter(search=NOBODY),
        "failed of a schedule": RunFilter(schedule="schedule-7", state="failed"),
        "failed of a job (none)": RunFilter(job="shop.job-9", state="failed"),
        "missed of a schedule (none)": RunFilter(schedule="schedule-9", state="missed"),
        "failed, an hour long ago": RunFilter(
            state="failed", since=BEGAN, until=BEGAN + timedelta(hours=1)
        ),
        "worker and queue (none)": RunFilter(worker="w1@host", queue=NOBODY),
        "search of a state (none)": RunFilter(search=NOBODY, state="failed"),
    }


def questions(engine: Engine, runs: int) -> dict[str, Callable[[], Any]]:
    """Every question of a page, a command or the API, by its name."""
    history = History(engine)
    until = BEGAN + timedelta(seconds=runs)
    lists: dict[str, Callable[[], Any]] = {
        name: lambda wanted=wanted: history.runs(wanted) for name, wanted in filters(until).items()
    }
    middle = cursor(runs // 2)
    hundred = [f"uid-{number}" for number in range(100)]
    day = until.date()
    return lists | {
        "a page in the middle": lambda: history.runs(RunFilter(), after=middle),
        "one run": lambda: history.run(f"run-{runs // 2}"),
        "states of the last day": lambda: history.state_counts(until - timedelta(days=1)),
        "last 16 runs of 40 schedules": lambda: history.last_runs(hundred[:40], 16),
        "newest runs of 100 schedules": lambda: newest(engine).of(hundred),
        "a month's statistics of 100 schedules": lambda: Statistics(engine).days(
            hundred, day - timedelta(days=30), day
        ),
        "60 results of 100 schedules": lambda: Statistics(engine).results(hundred),
    }


def newest(engine: Engine) -> NewestRuns:
    """The newest runs, read by the driver."""
    return NewestRuns(engine.url.render_as_string(hide_password=False), lambda: History(engine))


def measure(address: str, runs: int) -> list[list[str]]:
    """Fill the database and time every question: the best of five, and the first."""
    engine = create_engine(address)
    upgrade(engine)
    fill(engine, runs, BEGAN)
    marks = [
        {"schedule_uid": f"uid-{number}", "day": (BEGAN + timedelta(days=day)).date(), "mark": 1}
        for number in range(100)
        for day in range(runs // 86_400 + 1)
    ]
    with writing(engine).begin() as connection:
        connection.execute(insert(RollupDue), marks)
    while Rollup(engine).run_once(BEGAN):
        pass
    rows = []
    for name, ask in questions(engine, runs).items():
        taken, worked = [], []
        for _ in range(5):
            began, began_work = perf_counter(), process_time()
            ask()
            taken.append(perf_counter() - began)
            worked.append(process_time() - began_work)
        verdict = "" if min(taken) <= LIMIT_SECONDS else "slow"
        rows.append([name, shown(min(taken)), shown(taken[0]), shown(min(worked)), verdict])
    engine.dispose()
    return rows


def main(runs: str = "1000000", postgres: str = "") -> None:
    """Print the times of each database."""
    heads = ["question", "best of 5", "first", "processor", ""]
    if postgres:
        table(f"{machine()}; {runs} runs in PostgreSQL", heads, measure(postgres, int(runs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{Path(folder) / 'history.sqlite3'}"
        table(f"{machine()}; {runs} runs in SQLite", heads, measure(address, int(runs)))


if __name__ == "__main__":
    main(*sys.argv[1:])
