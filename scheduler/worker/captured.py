"""What jobs log, by Python's own `logging`: caught for their runs, with secrets hidden in every
line of the process.

Whatever is written to standard output is not caught. Celery's and our own machinery speaks of other
things than the job does, and is left out.
"""

import logging
from collections.abc import Callable

from scheduler.worker.current import current
from scheduler.worker.progress import ProgressLog

OFF = "OFF"
_MACHINERY = (
    "celery.app",
    "celery.worker",
    "celery.redirected",
    "celery.pool",
    "kombu",
    "scheduler.runs",
    "redis",
)


class RunHandler(logging.Handler):
    """Gives each line to the run in whose midst it was logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Outside of a run nothing happens."""
        execution = current()
        if (
            execution is None
            or not isinstance(execution.teller, ProgressLog)
            or record.name.startswith(_MACHINERY)
        ):
            return
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - whatever a job wrote into its line, the job goes on
            text = f"[a line that cannot be written: {record.msg!r}]"
        execution.teller.line(record.levelname, record.name, text)


class Concealing(logging.Filter):
    """Hides the secrets of the run in a line that goes elsewhere."""

    def __init__(self, conceal: Callable[[str], str]) -> None:
        super().__init__()
        self._conceal = conceal

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes, some of them changed."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - the handler says what is wrong with it
            return True
        hidden = self._conceal(said)
        if hidden != said:
            record.msg, record.args = hidden, None
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            trace = logging.Formatter().formatException(record.exc_info)
            if (hidden := self._conceal(trace)) != trace:
                record.exc_text, record.exc_info = hidden, None
        return True


def install(level: str) -> None:
    """Catch what jobs log in this process, from `level` up; done before, nothing happens."""
    root = logging.getLogger()
    if level == OFF or any(isinstance(handler, RunHandler) for handler in root.handlers):
        return
    for handler in root.handlers:  # what went elsewhere goes on as it was set
        handler.setLevel(max(handler.level, root.level))
    caught = RunHandler(level)
    root.addHandler(caught)
    root.setLevel(min(root.level, caught.level))


def guarded(conceal: Callable[[str], str]) -> Callable[[], None]:
    """Hide with `conceal` in all that goes elsewhere, until the answer is called."""
    concealing = Concealing(conceal)
    handlers = [
        handler for handler in logging.getLogger().handlers if not isinstance(handler, RunHandler)
    ]
    for handler in handlers:
        handler.addFilter(concealing)

    def end() -> None:
        for handler in handlers:
            handler.removeFilter(concealing)

    return end
