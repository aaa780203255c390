"""The worker's side of the child process that reads a user's database.

The child is a program of its own, and not a fork, in every kind of pool: it has none of the
worker's memory, connections and locks. It is killed when the report is over, however it ends.
"""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import scheduler
from scheduler.jobs.sql import frames
from scheduler.jobs.sql.caps import Batch, Budget, StatementFailed, TooMuch
from scheduler.jobs.sql.child import KINDS, OUT_OF_MEMORY, SPARE_SECONDS

CHILD = "scheduler.jobs.sql.child"
_PACKAGES = str(Path(scheduler.__file__).parent.parent)
_READ = 1 << 20
_KILLED_FOR_TIME = (-signal.SIGALRM, -signal.SIGXCPU)


@contextmanager
def query(
    address: str, statement: str, values: Mapping[str, Any], budget: Budget
) -> Iterator[tuple[list[str], Iterator[Batch]]]:
    """Run a statement in a child process. Gives the columns, and the rows in batches.

    Raises as `source.reading`, also where the child is ended by a limit of the system.
    """
    order = {
        "address": address,
        "statement": statement,
        "values": frames.packed(dict(values)),
        "seconds": budget.seconds_left,
    }
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        answers = _answers(child, frames.message(order), budget)
        columns = next(answers).get("columns")
        if not isinstance(columns, list):
            raise StatementFailed("the process that reads the database has not answered")
        yield columns, (_rows(answer["rows"]) for answer in answers if "rows" in answer)
    finally:
        _end(child)


def _environment() -> dict[str, str]:
    """The worker's environment without Beatdesk's settings and secrets, of which none is needed."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BEATDESK_")}
    return kept | {"PYTHONPATH": _PACKAGES, "MALLOC_ARENA_MAX": "2"}


def _answers(
    child: "subprocess.Popen[bytes]", order: bytes, budget: Budget
) -> Iterator[dict[str, Any]]:
    """Yield the child's messages up to the end. Raises the child's error."""
    if child.stdin is None or child.stdout is None:
        raise StatementFailed("the process that reads the database has no pipes")
    try:
        child.stdin.write(order)
        child.stdin.close()
    except BrokenPipeError:
        raise _failure(child, budget) from None
    reader = _Reader(child.stdout.fileno(), monotonic() + budget.seconds_left + SPARE_SECONDS)
    while True:
        raw = reader.message()
        if raw is None:
            raise _failure(child, budget)
        content = frames.content_of(raw)
        if "error" in content:
            if content["error"] == "late":
                raise budget.late()
            raise KINDS[content["error"]](content["text"])
        yield content
        if "end" in content:
            return


class _Reader:
    """Messages from a pipe; none after the deadline, a reading of the monotonic clock."""

    def __init__(self, pipe: int, deadline: float) -> None:
        self._pipe = pipe
        self._deadline = deadline
        self._read = bytearray()

    def message(self) -> bytes | None:
        """Return the next message; None at the pipe's end, and after the deadline."""
        size = frames.LENGTH.size
        if not self._fill(size):
            return None
        (length,) = frames.LENGTH.unpack(self._read[:size])
        if length > frames.LONGEST_MESSAGE or not self._fill(size + length):
            return None
        raw = bytes(self._read[size : size + length])
        del self._read[: size + length]
        return raw

    def _fill(self, count: int) -> bool:
        """Read until there are `count` bytes. Returns whether there are."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while len(self._read) < count:
                left = self._deadline - monotonic()
                if left <= 0 or not selector.select(left):
                    return False
                chunk = os.read(self._pipe, _READ)
                if not chunk:
                    return False
                self._read += chunk
        return True


def _rows(rows: list[list[Any]]) -> Batch:
    return [tuple(frames.unpacked(value) for value in row) for row in rows]


def _failure(child: "subprocess.Popen[bytes]", budget: Budget) -> StatementFailed:
    """The error of a child that sends no more."""
    if budget.is_over():
        return budget.late()
    try:
        code = child.wait(SPARE_SECONDS)
    except subprocess.TimeoutExpired:
        return budget.late()
    return budget.late() if code in _KILLED_FOR_TIME else TooMuch(OUT_OF_MEMORY)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the child where it still runs, and close its pipes."""
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
    child.wait()
