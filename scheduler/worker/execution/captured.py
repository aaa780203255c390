"""Log lines of jobs: lines of Python's `logging`, captured for the run that logged the line.

While a run uses secrets, the secrets are hidden in every line of the process. Text written to
standard output is not captured. Lines of Celery's and of Beatdesk's own machinery are not the
job's, and are left out (`_MACHINERY`).
"""

import logging
from collections.abc import Callable

from scheduler.worker.execution.current import current
from scheduler.worker.execution.progress import ProgressLog

OFF = "OFF"
_MACHINERY = (
    "celery.app",
    "celery.worker",
    "celery.redirected",
    "celery.pool",
    "kombu",
    "scheduler.runs",
    "scheduler.worker",
    "redis",
)


class RunHandler(logging.Handler):
    """Hands each line to the run that logged the line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a line to the current run; outside of a run nothing happens."""
        execution = current()
        if (
            execution is None
            or not isinstance(execution.progress_sink, ProgressLog)
            or record.name.startswith(_MACHINERY)
        ):
            return
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - a line that cannot be formatted must not end the job
            text = f"[a line that cannot be written: {record.msg!r}]"
        execution.progress_sink.line(record.levelname, record.name, text)


class ConcealingFilter(logging.Filter):
    """Hides the secrets of a run in lines of other handlers."""

    def __init__(self, conceal: Callable[[str], str]) -> None:
        super().__init__()
        self._conceal = conceal

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the line's secrets: in message, traceback, logger's name, fields. Always True."""
        for field, value in list(vars(record).items()):
            if field != "msg" and isinstance(value, str):
                setattr(record, field, self._conceal(value))
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - the handler reports a line that cannot be formatted
            return True
        hidden = self._conceal(text)
        if hidden != text:
            record.msg = hidden
            record.args = None
        trace = record.exc_text
        if trace is None and record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
        if trace and (hidden := self._conceal(trace)) != trace:
            record.exc_text = hidden
            record.exc_info = None
        return True


def install(level: str) -> None:
    """Capture log lines of jobs in the process, from `level` up.

    Does nothing where `level` is OFF, or where lines are captured already. The other handlers keep
    their former level.
    """
    root = logging.getLogger()
    if level == OFF or any(isinstance(handler, RunHandler) for handler in root.handlers):
        return
    for handler in root.handlers:  # the root's level falls below; theirs must not
        handler.setLevel(max(handler.level, root.level))
    caught = RunHandler(level)
    root.addHandler(caught)
    root.setLevel(min(root.level, caught.level))


def conceal_elsewhere(conceal: Callable[[str], str]) -> Callable[[], None]:
    """Apply `conceal` to the lines of all other handlers. Returns the function that stops it.

    Before their other filters: a mask for a part of a secret would hide the secret from `conceal`.
    """
    concealing = ConcealingFilter(conceal)
    handlers = [
        handler for handler in logging.getLogger().handlers if not isinstance(handler, RunHandler)
    ]
    for handler in handlers:
        handler.filters.insert(0, concealing)

    def end() -> None:
        for handler in handlers:
            handler.removeFilter(concealing)

    return end
