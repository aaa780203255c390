"""Writers of tables by format, and the totals of columns."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, BinaryIO, Literal, Protocol

from scheduler.errors import BadArguments
from scheduler.jobs.tables.cells import is_number

Format = Literal["csv", "xlsx", "html"]

MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}


class TableWriter(Protocol):
    """Writer of one table: rows in batches, then the end."""

    def rows(self, batch: Sequence[Sequence[Any]]) -> None:
        """Write a batch of rows."""

    def end(self, count: int, totals: dict[int, Any]) -> None:
        """Write the end of the table; `totals` are sums by the index of their column."""


class Totals:
    """Number of rows, and the sums of the `wanted` columns. Raises BadArguments for a missing
    column.
    """

    def __init__(self, columns: Sequence[str], wanted: Sequence[str]) -> None:
        unknown = [name for name in wanted if name not in columns]
        if unknown:
            raise BadArguments(
                f"totals: the result has no column {unknown[0]!r}; it has "
                f"{', '.join(columns)[:500]}"
            )
        self._names = {columns.index(name): name for name in wanted}
        self._exact: dict[int, Decimal | int] = dict.fromkeys(self._names, 0)
        self._floats: dict[int, list[float]] = {place: [] for place in self._names}
        self.count = 0

    def add(self, batch: Sequence[Sequence[Any]]) -> None:
        """Add rows. Raises BadArguments for a value of a summed column that is not a number."""
        self.count += len(batch)
        for place, name in self._names.items():
            values = [row[place] for row in batch if row[place] is not None]
            wrong = next((value for value in values if not is_number(value)), None)
            if wrong is not None:
                raise BadArguments(
                    f"totals: the column {name!r} has {str(wrong)[:60]!r}, which is not a number"
                )
            self._exact[place] += sum(value for value in values if not isinstance(value, float))
            floats = [value for value in values if isinstance(value, float)]
            self._floats[place] = (
                [math.fsum([*self._floats[place], *floats])] if floats else self._floats[place]
            )

    @property
    def sums(self) -> dict[int, Any]:
        """The sums by the index of their column: exact for integers and decimals."""
        return {
            place: float(exact) + self._floats[place][0] if self._floats[place] else exact
            for place, exact in self._exact.items()
        }

    @property
    def by_name(self) -> dict[str, Any]:
        """The sums by the name of their column, for JSON: decimals as text."""
        return {
            self._names[place]: str(total) if isinstance(total, Decimal) else total
            for place, total in self.sums.items()
        }


@contextmanager
def writer(
    format: Format, file: BinaryIO, title: str, columns: Sequence[str]
) -> Iterator[TableWriter]:
    """The writer of a format, to a binary file."""
    from scheduler.jobs.tables.csv_table import CsvTable
    from scheduler.jobs.tables.html_table import HtmlTable
    from scheduler.jobs.tables.xlsx_table import opened

    if format == "xlsx":
        with opened(file, title, columns) as workbook:
            yield workbook
    else:
        yield CsvTable(file, columns) if format == "csv" else HtmlTable(file, title, columns)
