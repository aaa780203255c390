"""Runs as JSON lines, an object a run, gzip-compressed: written before retention deletes the runs.

An object has the columns of the run and of the details, and lists `attempts` and `logs`. A file
holds the batches of a process and day; each batch is a separate gzip member, and lies on the disk
before the rows are deleted. A crash in between leaves runs that are exported twice, with equal
`id`, and never a run that is missing from both the database and the file.
"""

import gzip
import json
import os
import socket
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from scheduler.errors import Unavailable
from scheduler.history.models import Attempt, Run, RunDetail, RunLog
from scheduler.history.table_registry import Base

_STAMPS = ("key", "state_stamp", "facts_stamp", "worker_stamp", "progress_stamp")
"""Columns with a meaning for the recorder only."""


class Export:
    """The export into a folder, made at the first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, connection: Connection, run_ids: Sequence[str], today: date) -> Path:
        """Append runs to the file of today, and flush the file to the disk. Returns the file.

        Raises Unavailable where the folder cannot be written: nothing may be deleted then.
        """
        lines = "".join(
            json.dumps(one, ensure_ascii=False, default=_text) + "\n"
            for one in runs_of(connection, run_ids)
        )
        name = f"runs-{today.isoformat()}-{socket.gethostname()}-{os.getpid()}.jsonl.gz"
        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(gzip.compress(lines.encode("utf-8", "replace")))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(
                f"BEATDESK_HISTORY_EXPORT: {path} cannot be written ({error}); no run is deleted "
                "until it can"
            ) from error
        return path


def runs_of(connection: Connection, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the runs with the given ids as plain objects, with details, attempts and logs."""
    attempts, logs = _grouped(connection, Attempt, run_ids), _grouped(connection, RunLog, run_ids)
    details = _grouped(connection, RunDetail, run_ids)
    rows = connection.execute(select(*Run.__table__.c).where(Run.id.in_(run_ids)).order_by(Run.key))
    return [
        {
            **_plain(dict(row._mapping)),
            **(details[row.id][0] if details[row.id] else {}),
            "attempts": attempts[row.id],
            "logs": logs[row.id],
        }
        for row in rows
    ]


def _grouped(
    connection: Connection, table: type[Base], run_ids: Sequence[str]
) -> defaultdict[str, list[dict[str, Any]]]:
    columns: Any = table.__table__.c
    rows = connection.execute(select(*columns).where(columns.run_id.in_(run_ids)))
    grouped: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        plain = _plain(dict(row._mapping))
        grouped[plain.pop("run_id")].append(plain)
    return grouped


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _STAMPS}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
