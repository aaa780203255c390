"""Files that jobs leave in the data folder's `reports/`: written whole or not at all, then told to
the stream.

A file grows beside its place under a name that begins with a dot and ends with `.part`, and is
moved when all files of the run are whole: a run that fails, and a disk that is full, leave nothing
that looks like a report.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from scheduler.errors import BeatdeskError
from scheduler.events.schema import ReportStored
from scheduler.events.stream import EventStream

PART = ".part"
"""The end of the name of a file that is not whole."""

_READ_BYTES = 1 << 20


class ReportNotStored(BeatdeskError):
    """The report cannot be stored."""


@dataclass(frozen=True)
class _Draft:
    """A file that is not in its place yet."""

    report: str
    title: str
    media_type: str
    path: Path
    beside: Path


class Shelf:
    """The files of one run, as they are being written."""

    def __init__(self, folder: Path, day: str) -> None:
        self._folder = folder
        self._day = day
        self._drafts: list[_Draft] = []
        self.stored: list[ReportStored] = []
        """What was stored, when all is done."""

    @contextmanager
    def file(self, title: str, name: str, media_type: str) -> Iterator[BinaryIO]:
        """Write one file; `name` is a plain file name."""
        report = str(uuid4())
        path = self._folder / self._day / f"{report[:8]}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".", suffix=PART, dir=path.parent)
        os.close(handle)
        self._drafts.append(_Draft(report, title, media_type, path, Path(beside)))
        with Path(beside).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def publish(
        self, events: EventStream, *, run: str | None, keep_until: datetime | None, now: datetime
    ) -> None:
        """Move all files into their places, and tell it; where that cannot be told, they are not
        there either.
        """
        facts = [_facts(draft, self._folder) for draft in self._drafts]
        told = [ReportStored(at=now, run=run, keep_until=keep_until, **each) for each in facts]
        try:
            for draft in self._drafts:
                draft.beside.replace(draft.path)
            _sync(self._folder / self._day)
            events.append_many(told)
        except BaseException:
            for draft in self._drafts:
                draft.path.unlink(missing_ok=True)
            raise
        self.stored = told

    def clear(self) -> None:
        """Take away what is not whole."""
        for draft in self._drafts:
            draft.beside.unlink(missing_ok=True)


class ReportFiles:
    """The folder. Each report has a name of its own there, so that none overwrites another."""

    def __init__(self, folder: Path, events: EventStream) -> None:
        self._folder = folder
        self._events = events

    @contextmanager
    def shelf(
        self, *, run: str | None, keep_until: datetime | None, now: datetime
    ) -> Iterator[Shelf]:
        """Files that appear together when the block ends well, under the day's folder; if it does
        not, none appears.

        Raises ReportNotStored where the folder or the disk does not take them.
        """
        shelf = Shelf(self._folder, now.strftime("%Y-%m-%d"))
        try:
            yield shelf
            shelf.publish(self._events, run=run, keep_until=keep_until, now=now)
        except OSError as error:
            if error.errno is None or isinstance(error, ConnectionError):
                raise
            raise ReportNotStored(_refusal(self._folder, error)) from error
        finally:
            shelf.clear()

    def store(
        self,
        title: str,
        name: str,
        media_type: str,
        content: bytes,
        *,
        run: str | None,
        keep_until: datetime | None,
        now: datetime,
    ) -> ReportStored:
        """Write one file that is at hand as a whole, and say so; `name` is a plain file name."""
        with (
            self.shelf(run=run, keep_until=keep_until, now=now) as shelf,
            shelf.file(title, name, media_type) as file,
        ):
            file.write(content)
        return shelf.stored[0]

    def remove(self, path: str) -> bool:
        """Remove a report's file; False where it was gone already. A path that leads out of the
        folder is refused.
        """
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            raise ValueError(f"{path!r} is not in the reports folder {self._folder}")
        try:
            file.unlink()
        except FileNotFoundError:
            return False
        return True

    def left_behind(self, before: datetime) -> list[Path]:
        """Files that were never finished, because their process was killed, and that nobody wrote
        to since `before`.
        """
        parts = self._folder.rglob(f".*{PART}") if self._folder.is_dir() else ()
        return [
            part
            for part in parts
            if not part.is_symlink() and part.stat().st_mtime < before.timestamp()
        ]


def _facts(draft: _Draft, folder: Path) -> dict[str, object]:
    """What the event says of the file, read back from the disk."""
    digest = hashlib.sha256()
    with draft.beside.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return {
        "report": draft.report,
        "title": draft.title,
        "path": draft.path.relative_to(folder).as_posix(),
        "media_type": draft.media_type,
        "size": draft.beside.stat().st_size,
        "sha256": digest.hexdigest(),
    }


def _sync(folder: Path) -> None:
    """Force the new names to the disk: nobody sees half a file, not after a power cut either."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refusal(folder: Path, error: OSError) -> str:
    return (
        f"the report cannot be stored in {folder}: {error.strerror}; nothing of it was kept. Make "
        "room there, or let this user write to it, and run it again"
    )
