"""The files of a dataset, found below a root and opened once. Readers get the open files, never
paths, so a file swapped for a link meanwhile leads nowhere.

An open file has an address on Linux: `/proc/self/fd/7`.
"""

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from scheduler.errors import Refused
from scheduler.jobs.roots import FILE, Found, Walk, downwards, opened

Kind = Literal["csv", "parquet"]

MOST_FILES = 400
"""Most files of a dataset: each is open twice during the reading, and a process may by default have
1,024 files open.
"""

OPEN_FILES = Path("/proc/self/fd")
ENDINGS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
PACKED = ".gz"


class DataFile(NamedTuple):
    """An open file: its path from the root, its handle, and its size in bytes."""

    shown: str
    handle: int
    size: int

    @property
    def address(self) -> str:
        """Path of the open file in this process."""
        return str(OPEN_FILES / str(self.handle))

    @property
    def packed(self) -> bool:
        """Whether the file is compressed, by its name."""
        return self.shown.lower().endswith(PACKED)


class Dataset(NamedTuple):
    """Files of one kind."""

    kind: Kind
    files: Sequence[DataFile]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@contextmanager
def dataset(root: Path, path: str, pattern: str, kind: Kind | None) -> Iterator[Dataset]:
    """The open files at `path`, a file or a folder, of one kind; without `kind`, by their names.

    Raises Refused for no files, more than `MOST_FILES`, files of both kinds, empty files, and a
    path through a link.
    """
    if not OPEN_FILES.is_dir():
        raise Refused(
            "datasets are profiled on Linux only: elsewhere an open file has no address for DuckDB"
        )
    with ExitStack() as open_files:
        found: list[tuple[Kind, DataFile]] = []
        for each in _found(root, path, pattern):
            file_kind = kind or _kind(each.shown.name)
            if file_kind is None:
                continue
            if len(found) == MOST_FILES:
                raise Refused(
                    f"path: there are more than {MOST_FILES} files; choose a folder or a pattern "
                    "with fewer"
                )
            file = open_found(each)
            open_files.callback(os.close, file.handle)
            found.append((file_kind, file))
        _check(found, root, path, pattern)
        yield Dataset(found[0][0], [file for _, file in found])


def _kind(name: str) -> Kind | None:
    plain = PurePosixPath(name.lower().removesuffix(PACKED))
    kind = ENDINGS.get(plain.suffix)
    return None if kind == "parquet" and name.lower().endswith(PACKED) else kind


def _found(root: Path, path: str, pattern: str) -> Iterator[Found]:
    """The file of the path, or the matching files of the folder."""
    names = downwards("path", path)
    if names:
        with opened(root, "/".join(names[:-1]), field="path") as folder:
            try:
                facts = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                raise Refused(
                    f"path: {path!r} below {root}: {error.strerror}", field="path"
                ) from None
            if stat.S_ISREG(facts.st_mode):
                yield Found(folder, PurePosixPath(path), facts)
                return
    with opened(root, path, field="path") as folder:
        for each in Walk().files(folder, PurePosixPath(path)):
            if fnmatch.fnmatchcase(each.shown.name, pattern):
                yield each


def open_found(found: Found) -> DataFile:
    """Open a file of the walk. Raises Refused where another file, or a link, is in its place."""
    shown = found.shown.as_posix()
    try:
        handle = os.open(found.shown.name, FILE, dir_fd=found.folder)
    except OSError as error:
        raise Refused(f"path: {shown!r} cannot be opened: {error.strerror}", field="path") from None
    facts = os.fstat(handle)
    if (facts.st_dev, facts.st_ino) != (found.facts.st_dev, found.facts.st_ino):
        os.close(handle)
        raise Refused(f"path: {shown!r} was swapped for another file meanwhile", field="path")
    return DataFile(shown, handle, facts.st_size)


def _check(found: Sequence[tuple[Kind, DataFile]], root: Path, path: str, pattern: str) -> None:
    if not found:
        endings = ", ".join(ENDINGS)
        place = root / path
        raise Refused(
            f"path: {place} has no dataset: no file matches {pattern!r} and ends with {endings}; "
            "or say the format, whatever the names end with",
            field="path",
        )
    if empty := [file.shown for _, file in found if not file.size]:
        raise Refused(
            f"path: {', '.join(empty[:3])} is empty; leave it out by the pattern", field="path"
        )
    if len({kind for kind, _ in found}) > 1:
        raise Refused(
            f"path: there are CSV and Parquet files in {root / path}; choose one kind by the "
            "format or the pattern",
            field="path",
        )
