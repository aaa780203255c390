"""The address file of a running `beatdesk up`, for other commands in the same folder.

`data/server.json` (mode 0600) counts only while the server holds a lock on `data/up.lock`: the
kernel releases the lock at any end of the process (flock(2)), while a process id may belong to
another process by now. Must not start or stop anything.
"""

import fcntl
import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "server.json"
LOCK = "up.lock"


class RunningServer(BaseModel):
    """A running `beatdesk up`: process id, console, and settings for other commands.

    Other commands use these settings where no other source sets a value.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    web: str | None = None
    settings: dict[str, str] = {}


def read(data_dir: Path) -> RunningServer | None:
    """Return the running server of a data folder; None without one."""
    if not is_locked(data_dir):
        return None
    try:
        return RunningServer.model_validate_json((data_dir / FILE).read_bytes())
    except (FileNotFoundError, PermissionError, ValidationError):
        return None  # the server is just starting, or belongs to another user


def write(data_dir: Path, server: RunningServer) -> None:
    """Replace the file atomically; only its owner can read the file. Raises OSError."""
    draft = data_dir / f"{FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(server.model_dump(), file, indent=2)
    draft.replace(data_dir / FILE)


def remove(data_dir: Path) -> None:
    """Delete the file of a server that has stopped."""
    (data_dir / FILE).unlink(missing_ok=True)


def is_locked(data_dir: Path) -> bool:
    """Return whether a server has locked this data folder."""
    try:
        handle = os.open(data_dir / LOCK, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def take_lock(data_dir: Path) -> int | None:
    """Lock this data folder. Returns a descriptor; the lock lasts until the descriptor is closed.

    None if another process has the lock. Raises OSError.
    """
    handle = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
