"""Files that jobs leave in the data folder's `reports/`: written whole or not at all, then told to the stream."""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from scheduler.events.schema import ReportStored
from scheduler.events.stream import EventStream


class ReportFiles:
    """The folder. Each report has a name of its own there, so that none overwrites another."""

    def __init__(self, folder: Path, events: EventStream) -> None:
        self._folder = folder
        self._events = events

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
        """Write the file under the day's folder and say so; `name` is a plain file name."""
        report = str(uuid4())
        path = Path(now.strftime("%Y-%m-%d")) / f"{report[:8]}-{name}"
        _write_whole(self._folder / path, content)
        event = ReportStored(
            at=now,
            report=report,
            run=run,
            title=title,
            path=path.as_posix(),
            media_type=media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            keep_until=keep_until,
        )
        self._events.append(event)
        return event

    def remove(self, path: str) -> bool:
        """Remove a report's file; False where it was gone already. A path that leads out of the folder is refused."""
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            raise ValueError(f"{path!r} is not in the reports folder {self._folder}")
        try:
            file.unlink()
        except FileNotFoundError:
            return False
        return True


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside, force to the disk, then move into place: nobody sees half a file, not after a power cut either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
