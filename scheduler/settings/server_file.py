"""The address file of a running `beatdesk up`: how other commands in the same folder find its
server.

`data/server.json` (mode 0600) counts only while the server lives, and the proof of life is the lock
on `data/up.lock`: the kernel gives a lock back when its last holder dies, however it dies, and a
process id may be somebody else's by now. Must not start or stop anything.
"""

import fcntl
import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "server.json"
LOCK = "up.lock"


class RunningServer(BaseModel):
    """What `up` tells the other commands: settings that they use where nothing else sets them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    web: str | None = None
    settings: dict[str, str] = {}


def read(data_dir: Path) -> RunningServer | None:
    """The server that runs on this data folder, none when it does not live."""
    if not is_locked(data_dir):
        return None
    try:
        return RunningServer.model_validate_json((data_dir / FILE).read_bytes())
    except (FileNotFoundError, PermissionError, ValidationError):
        return None  # it is just starting, or it is another user's


def write(data_dir: Path, server: RunningServer) -> None:
    """Replace the file in one step, readable by its owner only."""
    draft = data_dir / f"{FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(server.model_dump(), file, indent=2)
    draft.replace(data_dir / FILE)


def remove(data_dir: Path) -> None:
    """Take the file away; the server has stopped."""
    (data_dir / FILE).unlink(missing_ok=True)


def is_locked(data_dir: Path) -> bool:
    """Whether a server holds the lock of this data folder."""
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
    """The descriptor that holds the lock until it is closed, none when another process holds it."""
    handle = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
