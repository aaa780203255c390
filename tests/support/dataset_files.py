"""Files of a dataset, and their profile."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scheduler.jobs.profiling.page import Profile
from scheduler.jobs.profiling.parameters import DatasetProfile
from scheduler.jobs.profiling.work import profiled
from scheduler.settings.schema import Settings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROWS = 30_000
"""More rows than the types of a CSV are guessed from."""


def profile(services: Settings, path: str = "", **parameters: Any) -> Profile:
    """The profile of a dataset."""
    wanted = DatasetProfile(root="files", path=path, **parameters)
    return profiled(wanted, services.file_roots[0], services, NOW, lambda share, text: None)


def sales(path: Path, rows: int = ROWS) -> Path:
    """A CSV of sales: every third has no remark, every tenth is of Ada."""
    lines = ["id,who,amount,paid,at,remark"]
    for number in range(rows):
        who = "Ada" if number % 10 == 0 else f"customer {number}"
        when = f"2026-{1 + number % 12:02}-01 10:00:00"
        lines.append(
            f"{number},{who},{number / 4},{number % 4 == 0},{when},{'' if number % 3 else 'a, b'!r}"
        )
    path.write_text("\n".join(lines).replace("'a, b'", '"a, b"').replace("''", "") + "\n")
    return path


def parquet(path: Path, select: str) -> Path:
    """A Parquet file with the rows of a statement."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path
