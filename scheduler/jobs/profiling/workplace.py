"""A folder for one profile while it is made, below the data folder: its size is bounded, and it
goes at the end.

A process that is killed leaves its folder behind; the next profile takes it away. Who is at work
holds a lock, which ends with the process.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scheduler.errors import BeatdeskError, Refused

FOLDER = "profiling"
RESERVE = 256_000_000
"""Bytes that stay free on the disk, because schedules and history are on it too."""

_LOCK = "lock"


class NoRoom(BeatdeskError):
    """The disk has no room for the work."""


@dataclass(frozen=True)
class Workplace:
    """The folder, and how many bytes it may take."""

    path: Path
    most: int

    def check(self) -> None:
        """Raise NoRoom where the work takes more than it may."""
        if sum(_size(file) for file in self.path.rglob("*")) > self.most:
            raise NoRoom(
                f"the work takes more than {self.most / 1e6:,.0f} MB in {self.path.parent}; "
                f"{remedy()}"
            )


def remedy() -> str:
    """What to do where there is too little room."""
    return "make room there, raise BEATDESK_DATASET_MAX_MEGABYTES, or profile a part of the files"


@contextmanager
def workplace(data_dir: Path, most: int) -> Iterator[Workplace]:
    """A new folder. Raises Refused where the disk has no room, or the folder cannot be made."""
    above = data_dir.resolve() / FOLDER
    try:
        above.mkdir(parents=True, exist_ok=True)
        _sweep(above)
        path = Path(tempfile.mkdtemp(dir=above))
        held = _locked(path)
    except OSError as error:
        raise Refused(
            f"{above} takes no files: {error.strerror}; let this user write there, or make room"
        ) from error
    try:
        free = shutil.disk_usage(path).free - RESERVE
        if free <= 0:
            raise NoRoom(
                f"{above} has no room: {RESERVE / 1e6:,.0f} MB stay free on its disk; {remedy()}"
            )
        yield Workplace(path, min(most, free))
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def _sweep(above: Path) -> None:
    """Take away what died processes have left."""
    for path in above.iterdir():
        try:
            held = os.open(path / _LOCK, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # is being made
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(held)


def _locked(path: Path) -> int:
    held = os.open(path / _LOCK, os.O_CREAT | os.O_RDONLY, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    return held


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
