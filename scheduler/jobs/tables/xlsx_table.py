"""XLSX by XlsxWriter, row by row (`constant_memory`). Texts are written as texts, so none becomes a
formula.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from scheduler.jobs.tables.cells import text

MOST_ROWS = 1_048_575
"""Most rows below the heading of a sheet; further rows go on another sheet."""

LONGEST_TEXT = 32_767
EXACT_DIGITS = 15
_MOST_EXACT = 999_999_999_999_999
"""Largest number stored exactly by a spreadsheet, in 64-bit floating point; larger numbers are
written as text.
"""

FIRST_YEAR = 1900


class XlsxTable:
    """One table, spread over several sheets if too long for one."""

    def __init__(self, book: Any, columns: Sequence[str]) -> None:
        self._book = book
        self._columns = columns
        self._bold = book.add_format({"bold": True})
        self._sum = book.add_format({"bold": True, "top": 1, "num_format": "#,##0.######"})
        self._head = book.add_format({"bold": True, "bg_color": "#E9EDF3", "bottom": 1})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._sheets = 0
        self._begin_sheet()

    def rows(self, batch: Sequence[Sequence[Any]]) -> None:
        """Write a batch of rows."""
        for row in batch:
            if self._row > MOST_ROWS:
                self._begin_sheet()
            for place, value in enumerate(row):
                if value is not None:
                    self._write(self._row, place, value)
            self._row += 1

    def end(self, count: int, totals: dict[int, Any]) -> None:
        """Write the totals as a last, bold row."""
        if not totals:
            return
        if self._row > MOST_ROWS:
            self._begin_sheet()
        if 0 not in totals:
            self._sheet.write_string(self._row, 0, f"Total of {count:,} rows", self._bold)
        for place, total in totals.items():
            self._sheet.write_number(self._row, place, float(total), self._sum)

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            "Report" if self._sheets == 1 else f"Report {self._sheets}"
        )
        self._sheet.freeze_panes(1, 0)
        for place, name in enumerate(self._columns):
            self._sheet.set_column(place, place, min(40, max(12, len(name) + 4)))
            self._sheet.write_string(0, place, name, self._head)
        self._row = 1

    def _write(self, row: int, place: int, value: Any) -> None:
        """Write one cell. Times with a zone become UTC, because a spreadsheet has no zones."""
        if isinstance(value, bool):
            self._sheet.write_boolean(row, place, value)
        elif _is_exact(value):
            self._sheet.write_number(row, place, float(value))
        elif isinstance(value, datetime) and value.year >= FIRST_YEAR:
            naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            self._sheet.write_datetime(row, place, naive, self._moment)
        elif (
            isinstance(value, date) and not isinstance(value, datetime) and value.year >= FIRST_YEAR
        ):
            self._sheet.write_datetime(row, place, value, self._day)
        else:
            words = text(value)
            self._sheet.write_string(
                row, place, words if len(words) <= LONGEST_TEXT else f"{words[: LONGEST_TEXT - 1]}…"
            )


@contextmanager
def opened(file: BinaryIO, title: str, columns: Sequence[str]) -> Iterator[XlsxTable]:
    """A workbook. Its parts are written beside the file, on the same disk. Raises OSError for a
    failure of the disk.
    """
    beside = Path(file.name).parent
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=beside) as folder:
        options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
        book = xlsxwriter.Workbook(file, options)
        book.set_properties({"title": title[:255]})
        try:
            yield XlsxTable(book, columns)
            book.close()
        except XlsxWriterException as error:
            raise error.__cause__ or error.__context__ or error from None
        finally:
            _let_go(book)


def _let_go(book: Any) -> None:
    """Close the sheets' temporary files: a failed run would leave them open, and their
    space taken.
    """
    for sheet in book.worksheets():
        with suppress(OSError):  # the rest of a buffer does not fit on the disk, and is not needed
            sheet.row_data_fh.close()


def _is_exact(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= _MOST_EXACT
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, Decimal):
        return False
    digits: int = len(value.as_tuple().digits)
    return value.is_finite() and digits <= EXACT_DIGITS
