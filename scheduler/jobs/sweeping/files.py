"""Old files below a folder, found and deleted without ever leaving it.

Every folder is opened by its name in the folder above (`openat`), never by a path, and never through a link; what was
opened is compared with what was looked at. So a folder that is swapped for a link while this runs, at whatever
moment, leads nowhere. Folders on another device are left alone, and so is everything that is not a plain file.
"""

import fnmatch
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scheduler.errors import Refused

DEEPEST = 64
EXAMPLES = 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Rule:
    """Which files may go: their names match `pattern`, and they were last written before `before` (Unix time)."""

    pattern: str
    before: float
    most: int
    dry_run: bool


@dataclass
class Swept:
    """What was found, and deleted unless it was a dry run."""

    files: int = 0
    bytes: int = 0
    looked_at: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """What was left alone, by reason."""
    capped: bool = False
    examples: list[str] = field(default_factory=list)

    def leave(self, reason: str) -> None:
        """Count something that was left alone."""
        self.left[reason] = self.left.get(reason, 0) + 1


def chosen_root(roots: tuple[Path, ...], asked: str) -> Path:
    """The root of this path, or of this last name. Raises Refused where none is meant, or more than one."""
    found = [root for root in roots if asked in (str(root), root.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(map(str, roots)) or "none"
    problem = "is no folder of" if not found else "may be more than one folder of"
    raise Refused(f"root: {asked!r} {problem} BEATDESK_FILE_ROOTS ({known}); give one of its paths", field="root")


def refuse_own_folder(root: Path, data_dir: Path) -> None:
    """Raise Refused where a sweep of the root could reach the schedules and the history."""
    own, swept = data_dir.resolve(), root.resolve()
    if own.is_relative_to(swept) or swept.is_relative_to(own):
        raise Refused(
            f"root: {root} and Beatdesk's own folder {own} are one inside the other; nothing is deleted there"
        )


def sweep(root: Path, under: str, rule: Rule, tell: Callable[[Swept], None]) -> Swept:
    """Delete what the rule means below `under` in `root`; `tell` hears after each folder how far it is.

    Raises Refused where there is no such folder, or the way to it leads through a link.
    """
    with _opened(root, under) as folder:
        walk = _Walk(rule, os.fstat(folder).st_dev, tell)
        walk.folder(folder, PurePosixPath(under))
        return walk.swept


class _Walk:
    """One sweep: from folder to folder, each by its handle."""

    def __init__(self, rule: Rule, device: int, tell: Callable[[Swept], None]) -> None:
        self._rule = rule
        self._device = device
        self._tell = tell
        self.swept = Swept()

    def folder(self, handle: int, shown: PurePosixPath) -> None:
        """The files of one folder, then the folders in it."""
        folders = []
        for name in os.listdir(handle):
            if self.swept.capped:
                return
            try:
                facts = os.stat(name, dir_fd=handle, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(facts.st_mode):
                folders.append((name, facts))
            elif stat.S_ISREG(facts.st_mode):
                self._file(handle, shown / name, facts)
            else:
                self.swept.leave("links" if stat.S_ISLNK(facts.st_mode) else "neither file nor folder")
        self._tell(self.swept)
        for name, facts in folders:
            self._descend(handle, shown / name, facts)

    def _file(self, handle: int, shown: PurePosixPath, facts: os.stat_result) -> None:
        swept, rule = self.swept, self._rule
        swept.looked_at += 1
        if facts.st_mtime >= rule.before or not fnmatch.fnmatchcase(shown.name, rule.pattern):
            return
        if swept.files >= rule.most:
            swept.capped = True
            return
        if not rule.dry_run and not self._unlinked(handle, shown.name):
            return
        swept.files += 1
        swept.bytes += facts.st_size
        if len(swept.examples) < EXAMPLES:
            swept.examples.append(shown.as_posix())

    def _unlinked(self, handle: int, name: str) -> bool:
        try:
            os.unlink(name, dir_fd=handle)
        except FileNotFoundError:
            return False
        except OSError as error:
            self.swept.leave(f"not deleted: {error.strerror}")
            return False
        return True

    def _descend(self, handle: int, shown: PurePosixPath, facts: os.stat_result) -> None:
        """Go into a folder, if it is still the one that was looked at."""
        if len(shown.parts) > DEEPEST:
            self.swept.leave(f"deeper than {DEEPEST} folders")
            return
        if facts.st_dev != self._device:
            self.swept.leave("on another device")
            return
        try:
            below = os.open(shown.name, _FOLDER, dir_fd=handle)
        except OSError as error:
            self.swept.leave(f"folders not opened: {error.strerror}")
            return
        try:
            opened = os.fstat(below)
            if (opened.st_dev, opened.st_ino) == (facts.st_dev, facts.st_ino):
                self.folder(below, shown)
            else:
                self.swept.leave("folders that were swapped")
        finally:
            os.close(below)


@contextmanager
def _opened(root: Path, under: str) -> Iterator[int]:
    """The folder, reached name by name."""
    names = PurePosixPath(under).parts
    if under.startswith("/") or ".." in names or "\0" in under:
        raise Refused(f"folder: {under!r} must lead downwards from the root, without '..'", field="folder")
    handle = _open_folder(str(root), None, str(root))
    try:
        for name in names:
            below = _open_folder(name, handle, under)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _open_folder(name: str, above: int | None, shown: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=above)
    except OSError as error:
        raise Refused(f"folder: {shown!r} cannot be opened as a folder that is no link: {error.strerror}") from None
