"""Folders of BEATDESK_FILE_ROOTS, walked without ever leaving them, for every job with files.

Each folder is opened by its name in the folder above (`openat`), never by a path and never through
a link, and the opened folder is compared with the listed one. So a folder swapped for a link at any
moment leads nowhere. Folders on another device are left alone, and so is everything but plain
files.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scheduler.errors import Refused

DEEPEST = 64
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHTS = 0o777
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Found(NamedTuple):
    """A plain file: the handle of its folder (open until the next file), its path and status."""

    folder: int
    shown: PurePosixPath
    """The file's path from the root."""
    facts: os.stat_result


class Walk:
    """The plain files below a folder, ordered by name, a folder's own files before its subfolders'.

    `without` are folders to leave out, as (device, inode) pairs.
    """

    def __init__(self, without: frozenset[tuple[int, int]] = frozenset()) -> None:
        self._without = without
        self.left: dict[str, int] = {}
        """Number of entries left alone, by reason."""

    def leave(self, reason: str) -> None:
        """Count a skipped entry, by reason."""
        self.left[reason] = self.left.get(reason, 0) + 1

    def files(self, folder: int, shown: PurePosixPath) -> Iterator[Found]:
        """All files below an open folder, by its handle, which stays open."""
        device = os.fstat(folder).st_dev
        folders = []
        for name in sorted(os.listdir(folder)):
            try:
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(facts.st_mode):
                folders.append((name, facts))
            elif stat.S_ISREG(facts.st_mode):
                yield Found(folder, shown / name, facts)
            else:
                self.leave("links" if stat.S_ISLNK(facts.st_mode) else "neither file nor folder")
        for name, facts in folders:
            if facts.st_dev != device:
                self.leave("on another device")
            elif (facts.st_dev, facts.st_ino) not in self._without:
                yield from self._below(folder, shown / name, facts)

    def _below(self, above: int, shown: PurePosixPath, facts: os.stat_result) -> Iterator[Found]:
        """The files of a subfolder, unless another folder has taken its place since the listing."""
        if len(shown.parts) > DEEPEST:
            self.leave(f"deeper than {DEEPEST} folders")
            return
        try:
            folder = os.open(shown.name, FOLDER, dir_fd=above)
        except OSError as error:
            self.leave(f"folders not opened: {error.strerror}")
            return
        try:
            opened = os.fstat(folder)
            if (opened.st_dev, opened.st_ino) == (facts.st_dev, facts.st_ino):
                yield from self.files(folder, shown)
            else:
                self.leave("folders that were swapped")
        finally:
            os.close(folder)


def chosen_root(roots: tuple[Path, ...], wanted: str) -> Path:
    """The root with the path or last name `wanted`. Raises Refused without exactly one
    such root.
    """
    found = [root for root in roots if wanted in (str(root), root.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(map(str, roots)) or "none"
    problem = "is not a folder of" if not found else "may be more than one folder of"
    raise Refused(
        f"root: {wanted!r} {problem} BEATDESK_FILE_ROOTS ({names}); give one of its paths",
        field="root",
    )


def refuse_own_folder(root: Path, data_dir: Path) -> None:
    """Raise Refused where a job in the root could reach Beatdesk's own data folder."""
    own = data_dir.resolve()
    wanted = root.resolve()
    if own.is_relative_to(wanted) or wanted.is_relative_to(own):
        raise Refused(
            f"root: {root} and Beatdesk's own folder {own} are one inside the other; no job goes "
            "there"
        )


def downwards(field: str, under: str) -> tuple[str, ...]:
    """The names of a path below a root. Raises Refused for a path that leads elsewhere."""
    names = PurePosixPath(under).parts
    if under.startswith("/") or ".." in names or "\0" in under:
        raise Refused(
            f"{field}: {under!r} must lead downwards from the root, without '..'", field=field
        )
    return names


@contextmanager
def opened(root: Path, under: str, *, field: str = "folder", make: bool = False) -> Iterator[int]:
    """Handle of the folder `under` in `root`, opened name by name; `make` makes missing folders,
    each with the rights of the folder above it.

    `field` is the job's parameter for `under`, for errors. Raises Refused for a missing folder, or
    a path through a link.
    """
    names = downwards(field, under)
    handle = _open_folder(str(root), None, str(root), field)
    try:
        for name in names:
            is_new = make and made(name, handle)
            below = _open_folder(name, handle, under, field)
            if is_new:
                os.fchmod(below, os.fstat(handle).st_mode & _RIGHTS)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def made(name: str, above: int) -> bool:
    """Make a folder. Returns False where the name exists."""
    try:
        os.mkdir(name, dir_fd=above)
    except FileExistsError:
        return False
    return True


def _open_folder(name: str, above: int | None, shown: str, field: str) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=above)
    except OSError as error:
        raise Refused(
            f"{field}: {shown!r} cannot be opened as a folder (links are not followed): "
            f"{error.strerror}",
            field=field,
        ) from None
