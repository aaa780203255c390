"""Limits of one statement: rows, bytes and seconds. The caller passes the clock."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scheduler.errors import BeatdeskError
from scheduler.jobs.tables.cells import weight

Batch = list[tuple[Any, ...]]


class StatementFailed(BeatdeskError):
    """The database refused the statement."""


class TooMuch(StatementFailed):
    """The statement exceeds a limit."""


@dataclass(frozen=True)
class Caps:
    """Limits: rows, bytes of values, and seconds."""

    rows: int
    bytes: int
    seconds: float


class Budget:
    """The remaining rows, bytes and seconds of a statement; `clock` returns seconds."""

    def __init__(self, caps: Caps, clock: Callable[[], float]) -> None:
        self._caps = caps
        self._clock = clock
        self._begun = clock()
        self._rows = 0
        self._bytes = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the limit; 0 after it."""
        return max(0.0, self._caps.seconds - (self._clock() - self._begun))

    def is_over(self) -> bool:
        """Whether the time limit is exceeded."""
        return self.seconds_left <= 0

    def late(self) -> TooMuch:
        """The error for a statement past its time."""
        return TooMuch(
            f"the report takes longer than {self._caps.seconds:g} seconds; make the statement "
            "cheaper, or raise BEATDESK_REPORT_MAX_SECONDS"
        )

    def counted(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches within the caps. Raises TooMuch at the first batch beyond."""
        for batch in batches:
            self._rows += len(batch)
            self._bytes += sum(map(weight, batch))
            if self._rows > self._caps.rows:
                raise TooMuch(
                    f"the statement gives more than {self._caps.rows:,} rows; narrow it, or raise "
                    "the parameter max_rows or BEATDESK_REPORT_MAX_ROWS"
                )
            if self._bytes > self._caps.bytes:
                raise TooMuch(
                    f"the statement gives more than {self._caps.bytes / 1e6:,.0f} MB; narrow it, "
                    "or raise BEATDESK_REPORT_MAX_MEGABYTES"
                )
            if self.is_over():
                raise self.late()
            yield batch
