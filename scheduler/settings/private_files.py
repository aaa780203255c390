"""Private files: the umask of Beatdesk's processes, and the modes of files that are there already.

Arguments, results, hashes of passwords and keys stand in these files: another user of the machine
must read none of them. Roots call `set_umask` before they write. Files from before are narrowed in
development; production refuses them instead, since somebody may have read them already: who runs
the machine decides whether the key has to be changed, too.

Rights of a group are left alone where others have none: somebody gave them on purpose.
"""

import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scheduler.settings.errors import PREFIX, SettingFault

UMASK = 0o077
"""What new files and folders never grant: anything to the group and to others."""

OWN_NAMES = ("secret_key", "server.json", "up.lock", "reports", "profiling", "valkey")
"""Names of files and folders in the data folder, beside the history's."""

_DATABASE_FILES = ("", "-wal", "-shm", "-journal")
_OTHERS = stat.S_IRWXO


def set_umask() -> None:
    """Give new files of this process to its user alone. A stricter umask stays."""
    os.umask(os.umask(UMASK) | UMASK)


def sqlite_file(database: str) -> Path | None:
    """Return the file of SQLAlchemy's address; None for another database than SQLite."""
    scheme, _, rest = database.partition("://")
    path = rest.removeprefix("/").partition("?")[0]
    is_file = scheme.partition("+")[0] == "sqlite" and path not in ("", ":memory:")
    return Path(path) if is_file else None


def own_files(data_dir: Path, database: str) -> list[Path]:
    """Return the data folder and the places of Beatdesk's files, whether they exist or not."""
    history = {data_dir / "history.sqlite3"}
    if (file := sqlite_file(database)) is not None:
        history.add(file)
    parts = [
        file.with_name(f"{file.name}{end}") for file in sorted(history) for end in _DATABASE_FILES
    ]
    return [data_dir, *(data_dir / name for name in OWN_NAMES), *parts]


def rights_of_others(path: Path) -> int:
    """Return the bits of the mode by which others may use a file or folder; 0 for a missing one."""
    try:
        return path.stat().st_mode & _OTHERS
    except OSError:
        return 0


def readable(paths: Iterable[Path]) -> Iterator[SettingFault]:
    """Return a fault for each file or folder that others can read, with the remedy."""
    for path in paths:
        if rights_of_others(path):
            problem = f"others on this machine can use it, its mode is {mode_of(path)}"
            yield SettingFault(str(path), None, problem, _remedy(path), "in use")


def _remedy(path: Path) -> str:
    command = f"Run: chmod o-rwx {shlex.quote(str(path))}"
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode) and facts.st_uid != os.geteuid():
        return f"{command}, or set {PREFIX}DATA_DIR to a folder below it, which is made then"
    return command


def mode_of(path: Path) -> str:
    """Return the mode of a file as chmod takes it: 0644."""
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def narrow(paths: Sequence[Path]) -> list[str]:
    """Take all rights of group and others from files that others can read. Returns a line for each.

    `paths` are those of `own_files`, the data folder first.

    What is in a folder such as the reports' is narrowed with it, once. Left alone are links, files
    of other users, and folders that are no folders of Beatdesk's: ones for everybody (`/tmp`), the
    working folder, the home, and what is above them.
    """
    lines = []
    for path in paths:
        line = _narrowed(path)
        if line is None:
            continue
        lines.append(line)
        if path != paths[0] and path.is_dir():
            _narrow_below(path)
    return lines


def _narrow_below(folder: Path) -> None:
    """Narrow what is in a folder, without following links."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _narrowed(Path(above, name))


def _narrowed(path: Path) -> str | None:
    """Take the rights from one file. Returns a line about it; None where nothing changed."""
    try:
        before = path.lstat()
        if not (before.st_mode & _OTHERS and _is_ours(path, before)):
            return None
        path.chmod(stat.S_IMODE(before.st_mode) & ~UMASK)
        after = path.lstat()
    except OSError:
        return None  # it is gone, or the file system has no modes; doctor --hardening shows it
    if after.st_mode == before.st_mode:
        return None
    old = f"{stat.S_IMODE(before.st_mode):04o}"
    return f"{path}: others on this machine could use it (mode {old}); now {mode_of(path)}"


def _is_ours(path: Path, facts: os.stat_result) -> bool:
    if facts.st_uid != os.geteuid():
        return False
    if stat.S_ISREG(facts.st_mode):
        return True
    return stat.S_ISDIR(facts.st_mode) and not facts.st_mode & stat.S_ISVTX and not _is_shared(path)


def _is_shared(folder: Path) -> bool:
    """Whether the folder is the working folder, the home, or above one of them."""
    place = folder.resolve()
    return any(each.is_relative_to(place) for each in (Path.cwd(), *_home()))


def _home() -> list[Path]:
    """The home of this user; none for a user without one, as in many containers."""
    try:
        return [Path.home().resolve()]
    except RuntimeError:
        return []
