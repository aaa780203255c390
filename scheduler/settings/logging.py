"""Logging to standard error, as text or as one JSON object a line. Configured by roots only."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from scheduler.terminal_text import visible_json, visible_lines

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("alembic", "kombu", "amqp", "urllib3")

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
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return visible_json(json.dumps(facts, default=str, ensure_ascii=False))


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


def formatter(format: str) -> logging.Formatter:
    """Return the formatter for the setting `log_format`."""
    return JsonFormatter() if format == "json" else TextFormatter(TEXT, "%Y-%m-%d %H:%M:%S")


def configure(level: str = "INFO", format: str = "text", stream: TextIO | None = None) -> None:
    """Log all records from `level` up to `stream` (default: standard error).

    Replaces the handlers of an earlier configuration, so that no record is logged twice.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(
            max(logging.WARNING, logging.getLevelNamesMapping()[level])
        )
