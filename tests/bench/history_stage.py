"""Shared code of the benchmarks of the history: many recorded runs, made inside the database."""

from datetime import datetime

from sqlalchemy import Engine, text

from scheduler.history.engine import writing

SCHEDULES = 500
JOBS = 40

_SERIES = {
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT :start UNION ALL SELECT i + 1 FROM s WHERE i < :end)",
    "postgresql": "WITH s AS (SELECT generate_series(CAST(:start AS bigint), :end) AS i)",
}
_MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', :began + i * :step, 'unixepoch')",
    "postgresql": "to_timestamp(:began + i * :step)",
}
_RUNS = (
    "INSERT INTO runs (id, job, schedule, schedule_uid, revision, state, trigger, queue, worker, "
    "parent, tick, ticks, queued_at, received_at, started_at, finished_at, lateness, duration, "
    "first_at, state_stamp)"
)
_ROW = (
    "'run-' || i, 'shop.job-' || (i % {jobs}), 'schedule-' || (i % {schedules}), "
    "'uid-' || (i % {schedules}), 1, "
    "CASE WHEN i % 1000 = 7 THEN 'failed' WHEN i % 1000 = 8 THEN 'missed' ELSE 'succeeded' END, "
    "CASE WHEN i % 5000 = 9 THEN 'manual' ELSE 'schedule' END, "
    "CASE WHEN i % 3 = 0 THEN 'bulk' ELSE 'default' END, 'w' || (i % 4) || '@host', "
    "CASE WHEN i % 100 = 0 THEN 'run-' || (i / 100) END, {at}, 1, {at}, {at}, {at}, {at}, "
    "0.01, i % 90, {at}, '2'"
)
_DETAILS = "INSERT INTO run_details (run_id, args, kwargs, result) SELECT 'run-' || i, '[]', "
_ATTEMPTS = (
    "INSERT INTO attempts (run_id, number, state, started_at, finished_at, worker, state_stamp) "
)
_ATTEMPT = "SELECT 'run-' || i, 1, 'succeeded', {at}, {at}, 'w1@host', '2'"


def fill(engine: Engine, runs: int, began: datetime, seconds: float = 1.0) -> None:
    """Record `runs` runs, one each `seconds`, with details and one attempt, and gather statistics
    for the planner.
    """
    kind = engine.dialect.name
    at = _MOMENT[kind]
    row = _ROW.format(jobs=JOBS, schedules=SCHEDULES, at=at)
    details = """'{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', '{"ok": 1}' FROM s"""
    statements = [  # our own texts only
        " ".join([_RUNS, _SERIES[kind], "SELECT", row, "FROM s"]),
        f"{_DETAILS.replace(' SELECT', ' ' + _SERIES[kind] + ' SELECT')} {details}",
        " ".join([_ATTEMPTS, _SERIES[kind], _ATTEMPT.format(at=at), "FROM s"]),
    ]
    for start in range(1, runs + 1, 100_000):
        values = {
            "start": start,
            "end": min(start + 99_999, runs),
            "began": int(began.timestamp()),
            "step": seconds,
        }
        with writing(engine).begin() as connection:
            for statement in statements:
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if kind == "sqlite" else "VACUUM ANALYZE"))
