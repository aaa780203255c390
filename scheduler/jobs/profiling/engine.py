"""DuckDB, limited to the opened files, to a size of memory and disk, and interruptible.

Queries run in a thread, so the waiting job can report progress and be stopped: an exception in the
job (a soft time limit, say) interrupts the query first.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from typing import Any

import duckdb

from scheduler.errors import BeatdeskError
from scheduler.jobs.profiling.workplace import NoRoom, Workplace, remedy

THREADS = 2
LOOK_SECONDS = 0.2
LONGEST_PROBLEM = 500

Tell = Callable[[float], None]
"""Called with the done share of a statement, from 0 to 1."""


class DatasetUnreadable(BeatdeskError):
    """The files cannot be read as a dataset."""


class TooLittleMemory(BeatdeskError):
    """The profile needs more memory than the settings allow."""


class Engine:
    """One DuckDB. `names` has the names for messages, by the files' addresses."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, place: Workplace, names: Mapping[str, str]
    ) -> None:
        self._connection = connection
        self._place = place
        self._names = names
        self._thread = ThreadPoolExecutor(1, "duckdb")

    def query(self, statement: str, tell: Tell | None = None) -> list[tuple[Any, ...]]:
        """Run a statement. Returns its rows; `tell` gets the progress.

        Raises DatasetUnreadable, TooLittleMemory or NoRoom, and an exception raised in the calling
        thread meanwhile.
        """
        future = self._thread.submit(self._rows, statement)
        try:
            while True:
                try:
                    return future.result(LOOK_SECONDS)
                except NotYet:
                    self._place.check()
                    if tell is not None:
                        tell(min(max(self._connection.query_progress(), 0.0), 100.0) / 100)
        except duckdb.Error as error:
            raise self._refusal(error) from None
        finally:
            self._end(future)

    def close(self) -> None:
        """Close the connection and its files."""
        self._thread.shutdown()
        self._connection.close()

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def _end(self, future: "Future[Any]") -> None:
        """Interrupt a statement until its end: an interrupt before its start has no effect."""
        while not future.done():
            self._connection.interrupt()
            try:
                future.exception(LOOK_SECONDS)
            except NotYet:
                continue

    def _refusal(self, error: duckdb.Error) -> BeatdeskError:
        text = str(error)
        if "No space left" in text or "max_temp_directory_size" in text:
            return NoRoom(
                f"there is not enough room for the work in {self._place.path.parent}; {remedy()}"
            )
        if isinstance(error, duckdb.OutOfMemoryException):
            return TooLittleMemory(
                "the profile needs more memory than it may use; raise "
                "BEATDESK_DATASET_MEMORY_MEGABYTES, or profile fewer files"
            )
        return DatasetUnreadable(self._named_text(text))

    def _named_text(self, text: str) -> str:
        """DuckDB's message with the files' names, and without its advice on SQL."""
        for address, name in self._names.items():
            text = re.sub(re.escape(address) + r"(?!\d)", lambda _, name=name: name, text)  # type: ignore[misc]
        lines = [
            line.strip() for line in re.split(r"\n\s*(?:LINE \d|Possible )", text)[0].splitlines()
        ]
        return ". ".join(line.rstrip(".") for line in lines if line)[:LONGEST_PROBLEM]


@contextmanager
def engine(place: Workplace, names: Mapping[str, str], memory_megabytes: int) -> Iterator[Engine]:
    """An engine with access to the files at these addresses, and to the workplace."""
    bounds: dict[str, str | bool | int | float | list[str]] = {
        "threads": THREADS,
        "memory_limit": f"{memory_megabytes}MB",
        "temp_directory": str(place.path / "spilled"),
        "max_temp_directory_size": f"{place.most}B",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
    }
    connection = duckdb.connect(str(place.path / "work.duckdb"), config=bounds)
    for setting in _locks(list(names)):
        connection.execute(setting)
    made = Engine(connection, place, names)
    try:
        yield made
    finally:
        made.close()


def _locks(addresses: Sequence[str]) -> list[str]:
    """The last settings of a connection: they lock its configuration."""
    allowed = ", ".join(f"'{address}'" for address in addresses)
    return [
        "SET TimeZone = 'UTC'",
        "SET preserve_insertion_order = false",
        "SET enable_progress_bar = true",
        "SET enable_progress_bar_print = false",
        f"SET allowed_paths = [{allowed}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]
