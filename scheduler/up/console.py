"""The lines of all children on one terminal, each behind the child's name."""

import io
import os
import sys
import threading
from typing import IO, TextIO, cast

from scheduler.terminal_text import visible_lines

COLOURS = {"valkey": 35, "recorder": 34, "worker": 32, "beat": 33, "web": 36, "up": 1}


class Console:
    """Writer of whole lines, for any number of threads. `names` puts the child's name before each
    line.
    """

    def __init__(self, out: TextIO | None = None, *, names: bool = True) -> None:
        self._out = out or sys.stderr
        self._names = names
        self._lock = threading.Lock()
        self._colour = self._out.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        """Write one line, with control characters escaped. A closed terminal raises nothing."""
        with self._lock:
            try:
                self._out.write(f"{self._mark(name)}{visible_lines(text)}\n")
                self._out.flush()
            except (OSError, ValueError):
                # The terminal is closed; the children must not block on a full pipe.
                self._out = io.StringIO()

    def stream(self, name: str) -> TextIO:
        """A text stream with `name` before each line, for the supervisor's own log."""
        return cast(TextIO, _Lines(self, name))

    def follow(self, name: str, source: IO[bytes]) -> threading.Thread:
        """Copy a child's output, in a separate thread, until the output closes."""
        thread = threading.Thread(
            target=self._copy, args=(name, source), name=f"output of {name}", daemon=True
        )
        thread.start()
        return thread

    def _copy(self, name: str, source: IO[bytes]) -> None:
        with source:
            for line in source:
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self.line(name, text)

    def _mark(self, name: str) -> str:
        if not self._names:
            return ""
        mark = f"{name:<8} │ "
        return f"\x1b[{COLOURS.get(name, 37)}m{mark}\x1b[0m" if self._colour else mark


class _Lines(io.TextIOBase):
    """Text stream that writes to a console."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name

    def write(self, text: str) -> int:
        """Write whole lines to the console; a log handler writes nothing else."""
        for line in text.splitlines():
            self._console.line(self._name, line)
        return len(text)
