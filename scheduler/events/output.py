"""Events about the output of jobs, a part of the event vocabulary.

log.written                 log lines of an attempt
report.stored               a job stored a file
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from scheduler.events.edits import Event
from scheduler.rules.model.spec import Frozen


class LogLine(Frozen):
    """A log line of a job."""

    at: AwareDatetime
    level: str
    logger: str
    text: str


class RunLogged(Event):
    """Log lines of an attempt, in order.

    `first` is the number of the first line in `lines`, counted from 0 over the whole attempt.
    `left_out` is the number of dropped lines right before the first line: an attempt logs at most
    `RUN_LOG_LINES`.
    """

    kind: Literal["log.written"] = "log.written"
    run: str
    attempt: int = Field(ge=1)
    worker: str | None = None
    first: int = Field(ge=0)
    left_out: int = Field(0, ge=0)
    lines: list[LogLine] = []


class ReportStored(Event):
    """A job stored a file. `path` is relative to the data folder's `reports/`; `size` in bytes."""

    kind: Literal["report.stored"] = "report.stored"
    report: str
    run: str | None
    title: str
    path: str
    media_type: str
    size: int
    sha256: str
    keep_until: AwareDatetime | None = None
