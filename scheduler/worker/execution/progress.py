"""Progress and log lines of a run. Both may be dropped; states of runs may not.

A job writes progress and lines into memory, which takes microseconds. A thread per process sends
both twice a second (`worker.execution.progress_sender`), and the end of the run sends the rest. A
process whose jobs report nothing has no such thread.

Log lines are bounded per attempt: the first half of the permitted lines is sent at once; of the
later lines the newest are buffered until the end, because the last lines explain the end.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from scheduler.events.bounds import bounded_text
from scheduler.events.schema import Event, LogLine, RunLogged, RunProgressed, run_event

OWN_LOGGER = "beatdesk.worker"
"""Logger of the lines that Beatdesk adds to a run's log."""

TEXT_LIMIT = 200
"""Bytes of the text beside a progress bar."""

LOGGER_LIMIT = 100
LINES_PER_EVENT = 100
_LARGEST = 1e15


class Bounds(NamedTuple):
    """Limits of a run's log: lines per attempt, and bytes per line."""

    lines: int
    line_bytes: int


class ProgressBatch(NamedTuple):
    """Events to be sent now."""

    progress: list[Event]
    lines: list[Event]


class ProgressLog:
    """Unsent progress and log lines of an attempt, for the job's threads and the sender's.

    `wake` is called with each report. `conceal`, set while the run uses secrets, hides secrets.
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
        # Made when it is needed: most jobs log little.
        self._last_lines: deque[LogLine] | None = None
        self._line_count = 0
        self._number = 0
        self._left_out = 0
        self.conceal: Callable[[str], str] = str

    def progress(self, done: float, total: float | None, text: str) -> None:
        """Take the progress of the run, in place of any earlier progress.

        Raises ValueError for an infinite number or NaN: a bar cannot show such a number.
        """
        done = _number(done, "done")
        if total is not None:
            total = _number(total, "total")
        with self._lock:
            self._progress = (self._now(), done, total, str(text))
        self._wake(self)

    def line(self, level: str, logger: str, text: str) -> None:
        """Take a log line of the run, cut to the permitted bytes."""
        line = LogLine(
            at=self._now(),
            level=level[:20],
            logger=self.conceal(logger)[:LOGGER_LIMIT],
            text=bounded_text(self.conceal(text), self._bounds.line_bytes),
        )
        with self._lock:
            self._line_count += 1
            if self._line_count <= self._bounds.lines // 2:
                self._lines.append(line)
            else:
                if self._last_lines is None:
                    self._last_lines = deque(
                        maxlen=max(1, self._bounds.lines - self._bounds.lines // 2)
                    )
                self._left_out += len(self._last_lines) == self._last_lines.maxlen
                self._last_lines.append(line)
        self._wake(self)

    @property
    def has_rest(self) -> bool:
        """Whether there are lines that go out only with the end of the attempt."""
        return bool(self._last_lines or self._left_out)

    def drop_lines(self) -> None:
        """Drop the unsent lines, and count the lines as left out."""
        with self._lock:
            self._left_out += len(self._lines) + len(self._last_lines or ())
            self._lines = []
            self._last_lines = None

    def take(self, *, over: bool = False) -> ProgressBatch:
        """Take the events to be sent; with `over`, also the events of the attempt's end."""
        left_out = 0
        last: list[LogLine] = []
        with self._lock:
            progress = self._progress
            self._progress = None
            lines = self._lines
            self._lines = []
            if over:
                left_out = self._left_out
                self._left_out = 0
                last = list(self._last_lines or ())
                self._last_lines = None
            first = self._number
            self._number += len(lines) + left_out + len(last)
        events = self._logged(first, lines, 0) + self._logged(first + len(lines), last, left_out)
        return ProgressBatch([self._progressed(*progress)] if progress else [], events)

    def _progressed(self, at: datetime, done: float, total: float | None, text: str) -> Event:
        fields: dict[str, Any] = {
            "worker": self._worker,
            "done": done,
            "total": total,
            "text": bounded_text(self.conceal(text), TEXT_LIMIT),
        }
        return run_event(RunProgressed, self._run, self._attempt, at, **fields)

    def _logged(self, first: int, lines: list[LogLine], left_out: int) -> list[Event]:
        """Events of at most `LINES_PER_EVENT` lines; the first counts the lines left out before."""
        events: list[Event] = []
        for start in range(0, len(lines) or bool(left_out), LINES_PER_EVENT):
            part = lines[start : start + LINES_PER_EVENT]
            events.append(
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
        return events


def _number(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"run.progress: {name} is a number, not {value!r}")
    return max(-_LARGEST, min(float(value), _LARGEST))
