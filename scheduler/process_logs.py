"""Logging to standard error, as text or as one JSON object a line. Configured by roots only.

Secrets in the lines are hidden by the same function as in events, results and the console: a
driver's error may have an address with a password, a job's line a header.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from scheduler.events.bounds import masked, masked_text
from scheduler.events.secret_names import MASK, is_hidden
from scheduler.terminal_text import visible_json, visible_lines

log = logging.getLogger(__name__)

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("alembic", "kombu", "amqp", "urllib3")

LONGEST_TEXT = 65_536
"""Characters of a message or traceback that are logged; masking takes time by the character."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
    "data",
}


class JsonFormatter(logging.Formatter):
    """A formatter with one JSON object a line; escaped line breaks prevent forged lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, with the values of `extra`; a value without a JSON type as
        text.
        """
        facts = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_text or record.exc_info:
            facts["traceback"] = record.exc_text or traceback_of(record)
        return visible_json(json.dumps(facts, default=_as_text, ensure_ascii=False))


class TextFormatter(logging.Formatter):
    """A formatter for people; line breaks in a message are escaped, which prevents forged lines.

    Other control characters are escaped too, in tracebacks as well: the lines go to a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, without control characters but line breaks and tabs."""
        return visible_lines(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the message on a single line; a traceback follows on lines of its own."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


class MaskingFilter(logging.Filter):
    """A filter of a handler that hides secrets in a record: message, traceback, values of `extra`.

    Changes the record in place. A message or traceback of more than `LONGEST_TEXT` characters is
    cut first, so that no line takes long.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the secrets. Always True."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - the handler reports a line that cannot be formatted
            return True
        if (hidden := _masked(text)) != text:
            record.msg = hidden
            record.args = None
        if record.exc_text or record.exc_info:
            record.exc_text = _masked(record.exc_text or traceback_of(record))
        if record.stack_info:
            record.stack_info = _masked(record.stack_info)
        for name in vars(record).keys() - _STANDARD:
            setattr(record, name, _masked_extra(name, getattr(record, name)))
        return True


def traceback_of(record: logging.LogRecord) -> str:
    """Return the traceback of a record; empty without one."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return logging.Formatter().formatException(record.exc_info)


def _masked(text: str) -> str:
    cut = len(text) - LONGEST_TEXT
    if cut > 0:
        text = f"{text[:LONGEST_TEXT]}… [cut: {cut} characters more]"
    return masked_text(text)


def _masked_extra(name: str, value: Any) -> Any:
    """The value of a field of `extra` without secrets. Objects of other types become text later."""
    try:
        if is_hidden(name, value):
            return MASK
        return masked(value) if isinstance(value, str | dict | list | tuple) else value
    except Exception as error:  # noqa: BLE001 - a value's own methods may raise anything
        return f"[cannot be shown: {type(error).__name__}]"


def _as_text(value: object) -> str:
    return masked_text(str(value))


def mask_handlers(logger: str) -> None:
    """Hide secrets in what the handlers of a logger write that does not use the root's."""
    for handler in logging.getLogger(logger).handlers:
        if not any(isinstance(each, MaskingFilter) for each in handler.filters):
            handler.addFilter(MaskingFilter())


def _log_end_of_process(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, Exception):
        log.critical("the process ends by an error", exc_info=(kind, error, traceback))
    else:
        sys.__excepthook__(kind, error, traceback)


def _log_end_of_thread(facts: threading.ExceptHookArgs) -> None:
    if facts.exc_value is None or facts.exc_type is SystemExit:
        return
    name = facts.thread.name if facts.thread else "?"
    error = (facts.exc_type, facts.exc_value, facts.exc_traceback)
    log.critical("the thread %s ends by an error", name, exc_info=error)


def formatter(format: str) -> logging.Formatter:
    """Return the formatter for the setting `log_format`."""
    return JsonFormatter() if format == "json" else TextFormatter(TEXT, "%Y-%m-%d %H:%M:%S")


def configure(level: str = "INFO", format: str = "text", stream: TextIO | None = None) -> None:
    """Log all records from `level` up to `stream` (default: standard error).

    Replaces the handlers of an earlier configuration, so that no record is logged twice. What ends
    a process or a thread is logged too: Python would print it with its secrets.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(format))
    handler.addFilter(MaskingFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = _log_end_of_process
    threading.excepthook = _log_end_of_thread
    for name in QUIET:
        logging.getLogger(name).setLevel(
            max(logging.WARNING, logging.getLevelNamesMapping()[level])
        )
