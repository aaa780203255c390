"""The questions of every page are answered from an index: looked up in the database's own plans,
over 20,000 runs.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from scheduler.history.engine import writing
from scheduler.history.queries.cursor import cursor
from scheduler.history.queries.history import History
from scheduler.history.queries.outcomes import Outcomes
from scheduler.history.queries.views import RunFilter
from scheduler.history.retention import delete_runs_before
from tests.support.builders import NOON

COUNT = 20_000
COLUMNS = "id, job, schedule, schedule_uid, state, ticks, first_at, state_stamp, parent"
SERIES = {
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < :count) ",
    "postgresql": "WITH s AS (SELECT generate_series(1, :count) AS i) ",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', :start + i, 'unixepoch')",
    "postgresql": "to_timestamp(:start + i)",
}


@pytest.fixture
def many_runs(engine: Engine) -> None:
    kind = engine.dialect.name
    rows = (
        "'run-' || i, 'job-' || (i % 40), 's-' || (i % 500), 'uid-' || (i % 500), CASE WHEN i % "
        f"200 = 0 THEN 'failed' ELSE 'succeeded' END, 1, {MOMENT[kind]}, '2', CASE WHEN i % 10 = "
        "0 THEN 'run-' || (i / 40) END"
    )
    with writing(engine).begin() as connection:
        statement = text(f"INSERT INTO runs ({COLUMNS}) {SERIES[kind]} SELECT {rows} FROM s")  # noqa: S608 - ours
        connection.execute(statement, {"count": COUNT, "start": int(NOON.timestamp())})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if kind == "sqlite" else "VACUUM ANALYZE"))


def plans(engine: Engine, ask: Callable[[], Any]) -> str:
    """The plans of all that is asked of `runs`."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "runs" in statement and statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert asked
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    lines: list[str] = []
    with engine.connect() as connection:
        for statement, parameters in asked:
            lines += [
                str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters)
            ]
    return "\n".join(lines)


LATE = NOON + timedelta(seconds=COUNT - 500)
QUESTIONS: dict[str, tuple[str, Callable[[History], Any]]] = {
    "all": ("pk_runs", lambda history: history.runs(RunFilter())),
    "a deep page": ("pk_runs", lambda history: history.runs(RunFilter(), after=cursor(COUNT // 2))),
    "of a schedule": ("ix_runs_schedule", lambda history: history.runs(RunFilter(schedule="s-7"))),
    "of a schedule's id": (
        "ix_runs_schedule_uid",
        lambda history: history.runs(RunFilter(schedule_uid="uid-7")),
    ),
    "failed": ("ix_runs_state", lambda history: history.runs(RunFilter(state="failed"))),
    "lost": ("ix_runs_state", lambda history: history.runs(RunFilter(state="lost"))),
    "of a run": ("ix_runs_parent", lambda history: history.runs(RunFilter(parent="run-7"))),
    "children": ("ix_runs_parent", lambda history: history.children("run-7")),
    "one": ("uq_runs_id", lambda history: history.run("run-77")),
    "states": ("ix_runs_first_at", lambda history: history.state_counts(LATE)),
    "last runs": (
        "ix_runs_schedule_uid",
        lambda history: history.last_runs([f"uid-{i}" for i in range(20)], 10),
    ),
}
SMALL_SCHEDULE = {"of a schedule's id": "ix_runs_schedule_day"}
AS_SQLITE_SAYS = {"pk_runs": "runs", "uq_runs_id": "sqlite_autoindex_runs_1"}


@pytest.mark.usefixtures("many_runs")
def test_a_report_reads_the_runs_of_its_time_only(engine: Engine) -> None:
    outcomes = Outcomes(engine)
    until = LATE + timedelta(hours=1)
    for ask in (lambda: outcomes.lines(LATE, until, 60), lambda: outcomes.parts([LATE, until])):
        assert "ix_runs_first_at" in plans(engine, ask)


@pytest.mark.usefixtures("many_runs")
def test_no_question_reads_the_whole_table(engine: Engine) -> None:
    history = History(engine)
    for name, (index, ask) in QUESTIONS.items():
        plan = plans(engine, lambda ask=ask: ask(history))  # type: ignore[misc]
        assert "Seq Scan on runs" not in plan, (name, plan)
        expected = AS_SQLITE_SAYS.get(index, index) if engine.dialect.name == "sqlite" else index
        # PostgreSQL sorts the few runs of a small schedule, and does not with many.
        alternative = SMALL_SCHEDULE.get(name, index) if expected == index else expected
        assert expected in plan or alternative in plan, (name, plan)
        if name not in {"states", "summary", "last runs"}:
            assert "TEMP B-TREE" not in plan, (name, plan)


@pytest.mark.usefixtures("many_runs")
def test_forgetting_finds_the_oldest_by_index(engine: Engine) -> None:
    plan = plans(engine, lambda: next(delete_runs_before(engine, LATE, 100)))
    assert "ix_runs_first_at" in plan
    assert "Seq Scan on runs" not in plan
