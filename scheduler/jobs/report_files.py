"""Report files in the data folder's `reports/`: written whole or not at all, each with an event.

A file is written as a draft beside its place, under a name from a dot to `.part`, and is moved once
all files of the run are whole: a failed run, or a full disk, leaves nothing that looks like a
report.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from scheduler.errors import BeatdeskError, Refused
from scheduler.events.schema import ReportStored
from scheduler.events.stream import EventStream

PART = ".part"
"""Suffix of a draft's name."""

LONGEST_NAME = 200
"""Most bytes of a file's name, which gets an id before it."""

_PLAIN_NAME = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_READ_BYTES = 1 << 20


class ReportNotStored(BeatdeskError):
    """The report cannot be stored."""


@dataclass(frozen=True)
class _Draft:
    """A draft of a file: at `draft_path` now, at `path` once published."""

    report: str
    title: str
    media_type: str
    path: Path
    draft_path: Path


def refuse_odd(name: str) -> None:
    """Raise Refused for a name with a folder, a control character, or more than 200 bytes.

    The name becomes a header's value when somebody downloads the file.
    """
    if not _PLAIN_NAME.fullmatch(name) or name in (".", "..") or len(name.encode()) > LONGEST_NAME:
        raise Refused(
            f"name: {name[:80]!r} is not a plain file name; leave out folders, line breaks and "
            f"other control characters, and use at most {LONGEST_NAME} bytes",
            field="name",
        )


class ReportBatch:
    """The files of one run, published together."""

    def __init__(self, folder: Path, day: str) -> None:
        self._folder = folder
        self._day = day
        self._drafts: list[_Draft] = []
        self.stored: list[ReportStored] = []
        """The stored reports, once published."""

    @contextmanager
    def file(self, title: str, name: str, media_type: str) -> Iterator[BinaryIO]:
        """Write the draft of one file; `name` is a plain file name. Raises Refused for another."""
        refuse_odd(name)
        report = str(uuid4())
        path = self._folder / self._day / f"{report[:8]}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft_path = tempfile.mkstemp(prefix=".", suffix=PART, dir=path.parent)
        os.close(handle)
        self._drafts.append(_Draft(report, title, media_type, path, Path(draft_path)))
        with Path(draft_path).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def publish(
        self, events: EventStream, *, run: str | None, keep_until: datetime | None, now: datetime
    ) -> None:
        """Move all files into their places and write their events; without the events, the files
        are removed again.
        """
        facts = [_facts(draft, self._folder) for draft in self._drafts]
        reports = [ReportStored(at=now, run=run, keep_until=keep_until, **each) for each in facts]
        try:
            for draft in self._drafts:
                draft.draft_path.replace(draft.path)
            _sync(self._folder / self._day)
            events.append_many(reports)
        except BaseException:
            for draft in self._drafts:
                draft.path.unlink(missing_ok=True)
            raise
        self.stored = reports

    def clear(self) -> None:
        """Remove the drafts."""
        for draft in self._drafts:
            draft.draft_path.unlink(missing_ok=True)


class ReportFiles:
    """The folder of reports. Each file has a unique name, so none overwrites another."""

    def __init__(self, folder: Path, events: EventStream) -> None:
        self._folder = folder
        self._events = events

    @contextmanager
    def batch(
        self, *, run: str | None, keep_until: datetime | None, now: datetime
    ) -> Iterator[ReportBatch]:
        """A batch of files that appear in the day's folder if the block ends without an error.

        `run` is the run's id, `keep_until` the day from which `cleanup.reports` deletes the files.
        Raises ReportNotStored for a failure of the folder or the disk.
        """
        batch = ReportBatch(self._folder, now.strftime("%Y-%m-%d"))
        try:
            yield batch
            batch.publish(self._events, run=run, keep_until=keep_until, now=now)
        except OSError as error:
            if error.errno is None or isinstance(error, ConnectionError):
                raise
            raise ReportNotStored(_refusal(self._folder, error)) from error
        finally:
            batch.clear()

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
        """Store one file. Returns its event; `name` is a plain file name."""
        with (
            self.batch(run=run, keep_until=keep_until, now=now) as batch,
            batch.file(title, name, media_type) as file,
        ):
            file.write(content)
        return batch.stored[0]

    def remove(self, path: str) -> bool:
        """Remove a report's file. Returns False where the file is gone already. Raises ValueError
        for a path out of the folder.
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
        """Drafts last written before `before`: remnants of killed processes."""
        parts = self._folder.rglob(f".*{PART}") if self._folder.is_dir() else ()
        return [
            part
            for part in parts
            if not part.is_symlink() and part.stat().st_mtime < before.timestamp()
        ]


def _facts(draft: _Draft, folder: Path) -> dict[str, object]:
    """Fields of the file's event, with size and checksum read back from the disk."""
    digest = hashlib.sha256()
    with draft.draft_path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return {
        "report": draft.report,
        "title": draft.title,
        "path": draft.path.relative_to(folder).as_posix(),
        "media_type": draft.media_type,
        "size": draft.draft_path.stat().st_size,
        "sha256": digest.hexdigest(),
    }


def _sync(folder: Path) -> None:
    """Force the new names to the disk, so a power cut leaves no half file."""
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
