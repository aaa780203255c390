"""CSV as RFC 4180 has it, in UTF-8: texts in quotes and guarded against formulas, numbers bare,
none empty.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

from scheduler.jobs.tables.cells import guarded, is_number, text


class CsvTable:
    """Data only: totals would be taken for a row by whatever program reads it."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self.rows([columns])

    def rows(self, batch: Sequence[Sequence[Any]]) -> None:
        """Write these."""
        self._file.write(
            "".join(f"{','.join(map(cell, row))}\r\n" for row in batch).encode("utf-8", "replace")
        )

    def end(self, count: int, totals: dict[int, Any]) -> None:
        """Nothing follows."""


def cell(value: Any) -> str:
    """One cell. Every text is quoted, so that another separator than the comma cannot cut a formula
    out of it.
    """
    if value is None:
        return ""
    if is_number(value) or isinstance(value, bool):
        return text(value)
    return '"' + guarded(text(value)).replace('"', '""') + '"'
