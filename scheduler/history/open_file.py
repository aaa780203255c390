"""The SQLite file of a connection, compared with the file at the path now.

A moved, deleted or replaced file stays open: a connection would go on writing where nobody reads.
So the device and inode of the file are noted when a connection opens the file, and compared
whenever the connection is taken from the pool, and after each commit of a recorder before anything
is acknowledged. The write-ahead log is compared too: committed rows stand there first.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DisconnectionError

from scheduler.errors import Unavailable

FileId = tuple[int, int]
"""Device and inode."""

_PATH, _FILE, _LOG = "sqlite_path", "sqlite_file", "sqlite_log"


def refuse_missing(path: str) -> None:
    """Raise the driver's error for a missing file: SQLite would make an empty file."""
    if not Path(path).exists():
        raise sqlite3.OperationalError(f"unable to open database file: there is no {path}")


def note(info: dict[Any, Any], path: str) -> None:
    """Note the file opened by a new connection."""
    info[_PATH] = path
    info[_FILE] = _id_of(path)


def refuse_replaced(info: dict[Any, Any]) -> None:
    """Raise DisconnectionError where another file, or none, lies at the connection's path now."""
    if _PATH in info and _id_of(info[_PATH]) != info[_FILE]:
        raise DisconnectionError(f"{info[_PATH]} is not the file that was opened")


def note_log(connection: Connection) -> None:
    """Note the write-ahead log, inside of the connection's first writing transaction."""
    info = connection.info
    if _PATH in info and _LOG not in info:
        info[_LOG] = _id_of(info[_PATH] + "-wal")


def refuse_unsafe_commit(connection: Connection) -> None:
    """Raise Unavailable where a commit did not reach the files at the path now."""
    info = connection.info
    if _PATH not in info:
        return
    path = info[_PATH]
    for noted, current in ((info[_FILE], path), (info.get(_LOG), f"{path}-wal")):
        if noted != _id_of(current):
            connection.invalidate()
            raise Unavailable(
                f"SQL cannot take events: the history's file {current} was moved, deleted or "
                "replaced while it was written; put it back"
            )


def _id_of(path: str) -> FileId | None:
    try:
        facts = Path(path).stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
