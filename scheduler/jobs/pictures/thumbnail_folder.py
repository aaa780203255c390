"""The folder of thumbnails: a folder for each width, and in it the pictures' subfolders."""

import fcntl
import os
import stat
from pathlib import Path, PurePosixPath

from scheduler.errors import BeatdeskError, Refused
from scheduler.jobs.roots import downwards, opened

PART = ".part"
"""Suffix of the name of an unfinished thumbnail; such a name begins with a dot."""

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_READ_AND_WRITE = 0o644
"""The most that a thumbnail grants."""


class NotWritten(BeatdeskError):
    """The folder takes no thumbnails."""


class ThumbnailFolder:
    """The folder `folder` in `root`; `make` makes a missing folder."""

    def __init__(self, root: Path, folder: str, *, make: bool) -> None:
        self._root = root
        self._folder = PurePosixPath(*downwards("to_folder", folder))
        if not self._folder.parts:
            raise Refused(f"to_folder: {folder!r} names no folder below {root}", field="to_folder")
        self._make = make

    def identity(self) -> frozenset[tuple[int, int]]:
        """The folder as a (device, inode) pair, for leaving the folder out of the search for
        pictures; empty for a missing folder. Raises Refused for an unusable folder.
        """
        if not self._make and not self._is_there():
            return frozenset()
        try:
            with opened(
                self._root, str(self._folder), field="to_folder", make=self._make
            ) as handle:
                facts = os.fstat(handle)
        except OSError as error:
            place = self._root / self._folder
            raise Refused(
                f"to_folder: {place} cannot be made: {error.strerror}", field="to_folder"
            ) from None
        return frozenset({(facts.st_dev, facts.st_ino)})

    def time_of(self, width: int, shown: PurePosixPath) -> int | None:
        """Modification time of a thumbnail in nanoseconds; None for a missing thumbnail."""
        try:
            with opened(
                self._root, str(self._place(width, shown).parent), field="to_folder"
            ) as handle:
                facts = os.stat(shown.name, dir_fd=handle, follow_symlinks=False)
        except (Refused, FileNotFoundError):
            return None
        return facts.st_mtime_ns if stat.S_ISREG(facts.st_mode) else None

    def write(self, width: int, shown: PurePosixPath, content: bytes, time: int) -> None:
        """Write a thumbnail with a modification time, in nanoseconds, whole or not at all.

        Raises NotWritten, also while another run writes the thumbnail: an unfinished file is
        locked. The unfinished file of a killed process is overwritten.
        """
        place = self._place(width, shown)
        try:
            with opened(self._root, str(place.parent), field="to_folder", make=True) as folder:
                _write(folder, place.name, content, time)
        except BlockingIOError:
            raise NotWritten(f"{self._root / place} is being written by another run") from None
        except OSError as error:
            raise NotWritten(
                f"{self._root / place} cannot be written: {error.strerror}; nothing of it was "
                "kept. Make room there, or let this user write to it, and run it again: what is "
                "made already stays"
            ) from error

    def _place(self, width: int, shown: PurePosixPath) -> PurePosixPath:
        return self._folder / str(width) / shown

    def _is_there(self) -> bool:
        try:
            with opened(self._root, str(self._folder), field="to_folder"):
                return True
        except Refused:
            return False


def _write(folder: int, name: str, content: bytes, time: int) -> None:
    """Write a file beside its place and move the file. Raises OSError; BlockingIOError while
    another run writes the file.

    Whoever may read the folder may read the file: the umask of workers is for Beatdesk's own files.
    """
    part = f".{name}{PART}"
    handle = os.open(part, _OPEN, 0o600, dir_fd=folder)
    with open(handle, "r+b") as file:  # noqa: PTH123 # a handle has no path
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_still(handle, part, folder):
            raise BlockingIOError
        try:
            file.truncate()
            file.write(content)
            file.flush()
            os.fchmod(handle, os.fstat(folder).st_mode & _READ_AND_WRITE)
            os.utime(handle, ns=(time, time))
            os.fsync(handle)
            os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(part, dir_fd=folder)
            raise


def _is_still(handle: int, part: str, folder: int) -> bool:
    """Whether the name still belongs to the open file: another run may have moved the file."""
    facts = os.fstat(handle)
    try:
        named = os.stat(part, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return named.st_ino == facts.st_ino and stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1
