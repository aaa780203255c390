"""Seconds and peak memory of a report of a million rows.

python -m tests.bench.million_row_report [ROWS] [POSTGRESQL_URL]

Each kind of file is made in a process of its own, by the code of `reports.sql_query`, from six
columns: on SQLite in a temporary folder, and on PostgreSQL where an address is given (the login
must be read-only, as the job demands). The peak is the peak of the whole process, with Celery and
everything else loaded.
"""

import resource
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import monotonic, perf_counter

from tests.bench.figures import machine, table

FORMATS = ("csv", "xlsx", "html")
POSTGRES = """
    SELECT i AS id, 'customer ' || i AS customer, i % 90000 / 100.0 AS amount, i % 7 = 0 AS paid,
           now() - i * interval '1 second' AS at, 'a remark of some length, =' || i AS remark
    FROM generate_series(1, {rows}) i
"""


def fill(path: Path, rows: int) -> None:
    """Fill a table of sales."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE sales (id INTEGER, customer TEXT, amount REAL, paid INTEGER, at TEXT, "
            "remark TEXT)"
        )
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT "
            "INTO sales SELECT i, 'customer ' || i, i % 90000 / 100.0, i % 7 = 0, "
            "datetime(1800000000 - i, 'unixepoch'), 'a remark of some length, =' || i FROM n",
            [rows],
        )


def one(address: str, statement: str, format: str, folder: str) -> None:
    """Make one report and print: rows, bytes, seconds, peak in kB."""
    from scheduler.jobs.sql.caps import Budget, Caps
    from scheduler.jobs.sql.source import query
    from scheduler.jobs.sql_report import SqlQuery, write_table

    asks = SqlQuery(statement=statement, totals=["amount"], format=format)
    path = Path(folder) / f"report.{format}"
    budget = Budget(Caps(10**9, 10**12, 3600), monotonic)
    begun = perf_counter()
    with query(address, statement, {}, budget) as (columns, batches), path.open("wb") as file:
        totals = write_table(asks, file, asks.title, columns, budget.counted(batches))
    took = perf_counter() - begun
    print(  # noqa: T201
        totals.count,
        path.stat().st_size,
        f"{took:.1f}",
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )


def main(rows: str = "1000000", postgres: str = "") -> None:
    """Measure each kind of file, on each database."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "sales.sqlite3", int(rows))
        sources = [("SQLite", f"sqlite:///{folder}/sales.sqlite3", "SELECT * FROM sales")]
        sources += [("PostgreSQL", postgres, POSTGRES.format(rows=int(rows)))] if postgres else []
        found = []
        for name, address, statement in sources:
            for format in FORMATS:
                command = [
                    sys.executable,
                    "-m",
                    __spec__.name,
                    "one",
                    address,
                    statement,
                    format,
                    folder,
                ]
                ran = subprocess.run(command, capture_output=True, text=True, check=True)
                count, size, seconds, peak = ran.stdout.split()
                found.append(
                    [
                        f"{name}, {format}",
                        count,
                        f"{int(size) / 1e6:.0f} MB",
                        f"{seconds} s",
                        f"{int(peak) / 1024:.0f} MiB",
                    ]
                )
    table(machine(), ["report", "rows", "file", "time", "peak memory"], found)


if __name__ == "__main__":
    one(*sys.argv[2:]) if sys.argv[1:2] == ["one"] else main(*sys.argv[1:])
