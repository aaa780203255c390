"""Log lines as text or as one JSON object each, to standard error. Called by roots; decides nothing
else.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("alembic", "kombu", "amqp", "urllib3")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
    "data",
}


class JsonFormatter(logging.Formatter):
    """One object a line; line breaks in messages are escaped, so that nobody can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record's facts, and whatever `extra` it has that JSON can hold."""
        facts = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(facts, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A line for people. Line breaks in the message itself are shown as such and not obeyed."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Keep the message on its line; a traceback follows on its own."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


def formatter(format: str) -> logging.Formatter:
    """The formatter for the setting `log_format`."""
    return JsonFormatter() if format == "json" else TextFormatter(TEXT, "%Y-%m-%d %H:%M:%S")


def configure(level: str = "INFO", format: str = "text", stream: TextIO | None = None) -> None:
    """Send everything from `level` up to `stream`, once, replacing what was set up before."""
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
