"""What a run tells while it goes on: how far it is, and its log lines. Both may be dropped; states
may not.

A job that tells something writes it into memory, which takes microseconds. One thread per process
sends what is there twice a second (`worker.progress_sender`), and the end of the run takes the rest
with it. Nothing of this exists in a process whose jobs tell nothing.

Log lines are bounded per attempt: the first half of what is allowed goes out as it comes, of the
rest the newest are kept until the end, because the last lines are those that explain it.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from scheduler.events.bounds import bounded_text
from scheduler.events.schema import Event, LogLine, RunLogged, RunProgressed, run_event

TEXT_LIMIT = 200
"""Bytes of the text beside a bar."""

LOGGER_LIMIT = 100
LINES_PER_EVENT = 100
_LARGEST = 1e15


class Bounds(NamedTuple):
    """How much a run may tell: lines per attempt, and bytes of each."""

    lines: int
    line_bytes: int


class Said(NamedTuple):
    """What is to be sent now."""

    progress: list[Event]
    lines: list[Event]


class ProgressLog:
    """What one attempt of a run has told and nobody has sent yet. Used by the job's threads and by
    the sender's.
    """

    def __init__(
        self,
        run: str,
        attempt: int,
        worker: str | None,
        bounds: Bounds,
        *,
        now: Callable[[], datetime],
        wake: Callable[["ProgressLog"], None],
    ) -> None:
        self._run = run
        self._attempt = attempt
        self._worker = worker
        self._bounds = bounds
        self._now = now
        self._wake = wake
        self._lock = threading.Lock()
        self._progress: tuple[datetime, float, float | None, str] | None = None
        self._lines: list[LogLine] = []
        self._last: deque[LogLine] | None = None  # made when it is needed: most jobs log little
        self._told = 0
        self._number = 0
        self._left_out = 0
        self.conceal: Callable[[str], str] = str

    def progress(self, done: float, total: float | None, text: str) -> None:
        """The run is so far. Numbers that are none are refused where they are told, because a bar
        cannot show them.
        """
        done, total = _number(done, "done"), None if total is None else _number(total, "total")
        with self._lock:
            self._progress = (
                self._now(),
                done,
                total,
                text if isinstance(text, str) else str(text),
            )
        self._wake(self)

    def line(self, level: str, logger: str, text: str) -> None:
        """The run has logged a line."""
        line = LogLine(
            at=self._now(),
            level=level[:20],
            logger=logger[:LOGGER_LIMIT],
            text=bounded_text(self.conceal(text), self._bounds.line_bytes),
        )
        with self._lock:
            self._told += 1
            if self._told <= self._bounds.lines // 2:
                self._lines.append(line)
            else:
                if self._last is None:
                    self._last = deque(maxlen=max(1, self._bounds.lines - self._bounds.lines // 2))
                self._left_out += len(self._last) == self._last.maxlen
                self._last.append(line)
        self._wake(self)

    @property
    def has_rest(self) -> bool:
        """Is there something that only the end takes along?"""
        return bool(self._last or self._left_out)

    def drop_lines(self) -> None:
        """Forget the lines that wait, and remember how many they were."""
        with self._lock:
            self._left_out += len(self._lines) + len(self._last or ())
            self._lines, self._last = [], None

    def take(self, *, over: bool = False) -> Said:
        """What is to be sent; with `over`, all that there is."""
        with self._lock:
            progress, self._progress = self._progress, None
            lines, self._lines = self._lines, []
            left_out = 0
            if over:
                left_out, self._left_out = self._left_out, 0
                last, self._last = list(self._last or ()), None
            else:
                last = []
            first = self._number
            self._number += len(lines) + left_out + len(last)
        told = self._logged(first, lines, 0) + self._logged(first + len(lines), last, left_out)
        return Said([self._progressed(*progress)] if progress else [], told)

    def _progressed(self, at: datetime, done: float, total: float | None, text: str) -> Event:
        said = bounded_text(self.conceal(text), TEXT_LIMIT)
        about: dict[str, Any] = {"worker": self._worker, "done": done, "total": total, "text": said}
        return run_event(RunProgressed, self._run, self._attempt, at, **about)

    def _logged(self, first: int, lines: list[LogLine], left_out: int) -> list[Event]:
        """Events of a bounded size. The lines that were left out are told with those that follow
        them.
        """
        told: list[Event] = []
        for start in range(0, len(lines) or bool(left_out), LINES_PER_EVENT):
            part = lines[start : start + LINES_PER_EVENT]
            told.append(
                RunLogged(
                    run=self._run,
                    attempt=self._attempt,
                    worker=self._worker,
                    at=part[0].at if part else self._now(),
                    first=first + start + left_out,
                    left_out=left_out if start == 0 else 0,
                    lines=part,
                )
            )
        return told


def _number(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"run.progress: {name} is a number, not {value!r}")
    return max(-_LARGEST, min(float(value), _LARGEST))
