"""The child process of a report: reads a user's database within hard limits of the system.

    python -m scheduler.jobs.sql.child   address, statement, values and limits on standard input,
                                         columns and batches of rows on standard output

Some work of a database's library cannot be ended from Python: one call of a function may take
minutes, or gigabytes. Such work ends with the process, and the worker goes on.
"""

import contextlib
import math
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Any, BinaryIO

from scheduler.errors import BadArguments, BeatdeskError
from scheduler.jobs.sql import frames
from scheduler.jobs.sql.caps import Batch, Budget, Caps, StatementFailed, TooMuch
from scheduler.jobs.sql.source import reading
from scheduler.jobs.tables.cells import weight

MEMORY = 1 << 30
"""Most bytes of the process's address space."""

TEMPORARY_FILE = 1 << 30
"""Most bytes of a file that SQLite writes while it sorts."""

LONGEST_VALUE = 4_000_000
"""Most bytes of one value."""

BATCH_BYTES = 1_000_000
BATCH_ROWS = 1000
SPARE_SECONDS = 2
"""Seconds after the report's own time at which the system ends the process."""

KINDS = {"late": TooMuch, "too much": TooMuch, "arguments": BadArguments, "failed": StatementFailed}
"""The errors of a child, by their name in a message; `late` is worded by the worker."""


def main() -> None:
    """Write the columns, the rows, and the end or the error of a statement to standard output."""
    order = frames.content_of(_read_order(sys.stdin.buffer))
    limit(float(order["seconds"]))
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    try:
        for content in answers(order):
            out.write(frames.message(content))
    except BrokenPipeError:  # the worker is gone, or wants no more
        return


def limit(seconds: float) -> None:
    """Bound the process: memory, processor time, time, and size of files."""
    end = math.ceil(seconds) + SPARE_SECONDS
    bounds = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: end,
        resource.RLIMIT_FSIZE: TEMPORARY_FILE,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        hardest = resource.getrlimit(kind)[1]
        least = bound if hardest == resource.RLIM_INFINITY else min(bound, hardest)
        with contextlib.suppress(ValueError, OSError):  # a system without this limit, as macOS
            resource.setrlimit(kind, (least, least))
    signal.setitimer(signal.ITIMER_REAL, seconds + SPARE_SECONDS)


def answers(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns, the batches, and the end or the error of a statement."""
    seconds = float(order["seconds"])
    budget = Budget(Caps(rows=sys.maxsize, bytes=sys.maxsize, seconds=seconds), monotonic)
    values = frames.unpacked(order["values"])
    try:
        with reading(order["address"], order["statement"], values, budget) as (columns, batches):
            yield {"columns": columns}
            for batch in even(batches):
                yield {"rows": [[frames.packed(value) for value in row] for row in batch]}
        yield {"end": True}
    except MemoryError:
        yield {"error": "too much", "text": OUT_OF_MEMORY}
    except BeatdeskError as error:
        yield {"error": "late" if budget.is_over() else _kind_of(error), "text": str(error)}


OUT_OF_MEMORY = (
    f"the statement needs more than {MEMORY // 1_000_000:,} MB of memory; select fewer or shorter "
    "values, or let the database make them shorter"
)


def even(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield the rows in batches of about `BATCH_BYTES`. Raises TooMuch for a longer value."""
    waiting: Batch = []
    size = 0
    for row in (row for batch in batches for row in batch):
        row_size = weight(row)
        if row_size > LONGEST_VALUE:
            refuse_long(row)
        waiting.append(row)
        size += row_size
        if size >= BATCH_BYTES or len(waiting) >= BATCH_ROWS:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def refuse_long(row: tuple[Any, ...]) -> None:
    """Raise TooMuch for a row with a value of more than `LONGEST_VALUE` bytes."""
    for number, value in enumerate(row, 1):
        if weight((value,)) > LONGEST_VALUE:
            raise TooMuch(
                f"column {number} has a value of more than {LONGEST_VALUE / 1e6:g} MB; select a "
                "part of it, such as substr(…, 1, 1000)"
            )


def _kind_of(error: BeatdeskError) -> str:
    """The name of the error in a message."""
    if isinstance(error, TooMuch):
        return "too much"
    return "arguments" if isinstance(error, BadArguments) else "failed"


def _read_order(source: BinaryIO) -> bytes:
    (length,) = frames.LENGTH.unpack(source.read(frames.LENGTH.size))
    return source.read(length)


if __name__ == "__main__":
    main()
