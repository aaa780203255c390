"""Standard output and errors of a worker's process, in which the secrets of runs are hidden.

A job that prints writes to the process's output, beside the log. Only whole spellings in a single
write are hidden: what a job writes piece by piece stays.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

Conceal = Callable[[str], str]

_lock = threading.Lock()
_conceals: list[Conceal] = []


class ConcealingStream:
    """A stream that hides the secrets of all runs in the process; else the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text without secrets. Returns the length of the given text, as streams do."""
        hidden = text
        for conceal in list(_conceals):
            hidden = conceal(hidden)
        self._stream.write(hidden)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each line without secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def conceal_output(conceal: Conceal) -> Callable[[], None]:
    """Apply `conceal` to the process's output. Returns the function that stops it."""
    with _lock:
        _conceals.append(conceal)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, ConcealingStream):
                setattr(sys, name, ConcealingStream(stream))

    def end() -> None:
        with _lock:
            _conceals.remove(conceal)

    return end
