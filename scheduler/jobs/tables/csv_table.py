"""CSV by RFC 4180, in UTF-8: quoted texts guarded against formulas, bare numbers, empty None."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from scheduler.jobs.tables.cells import guarded, is_number, text


class CsvTable:
    """CSV writer, without a row of totals: a reading program would take totals for data."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self.rows([columns])

    def rows(self, batch: Sequence[Sequence[Any]]) -> None:
        """Write a batch of rows."""
        self._file.write(
            "".join(f"{','.join(map(cell, row))}\r\n" for row in batch).encode("utf-8", "replace")
        )

    def end(self, count: int, totals: dict[int, Any]) -> None:
        """Write nothing: CSV has no end."""


def cell(value: Any) -> str:
    """One cell. Every text is quoted, so a program with another separator does not split a formula
    off.
    """
    if value is None:
        return ""
    if is_number(value) or isinstance(value, bool):
        return text(value)
    return '"' + guarded(text(value)).replace('"', '""') + '"'
