"""The work folder of one profile, below the data folder: limited in size, and removed at the end.

A killed process leaves its folder behind, for the next profile to remove. A lock marks the folders
in use, and ends with the process.
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
"""Bytes left free on the disk, because schedules and history share the disk."""

_LOCK = "lock"


class NoRoom(BeatdeskError):
    """The disk has no room for the work."""


@dataclass(frozen=True)
class Workplace:
    """The folder, and the most bytes in it."""

    path: Path
    most: int

    def check(self) -> None:
        """Raise NoRoom where the folder has more bytes than permitted."""
        if sum(_size(file) for file in self.path.rglob("*")) > self.most:
            raise NoRoom(
                f"the work takes more than {self.most / 1e6:,.0f} MB in {self.path.parent}; "
                f"{remedy()}"
            )


def remedy() -> str:
    """Remedy for too little room, for errors."""
    return "make room there, raise BEATDESK_DATASET_MAX_MEGABYTES, or profile a part of the files"


@contextmanager
def workplace(data_dir: Path, most: int) -> Iterator[Workplace]:
    """A new work folder, removed after the block.

    Raises Refused where the folder cannot be made, NoRoom where the disk has less than `RESERVE`
    bytes.
    """
    above = data_dir.resolve() / FOLDER
    try:
        above.mkdir(parents=True, exist_ok=True)
        _sweep(above)
        path = Path(tempfile.mkdtemp(dir=above))
        lock = _locked(path)
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
        os.close(lock)


def _sweep(above: Path) -> None:
    """Remove the folders of killed processes."""
    for path in above.iterdir():
        try:
            lock = os.open(path / _LOCK, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # another process is making the folder
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)


def _locked(path: Path) -> int:
    lock = os.open(path / _LOCK, os.O_CREAT | os.O_RDONLY, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
