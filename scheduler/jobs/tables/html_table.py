"""A table as a self-contained page, written batch by batch; cells are escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any, BinaryIO

from scheduler.jobs.pages import render
from scheduler.jobs.tables.cells import is_number, text


class HtmlTable:
    """Page writer: heading, rows, totals."""

    def __init__(self, file: BinaryIO, title: str, columns: Sequence[str]) -> None:
        self._file = file
        self._title = title
        self._columns = columns
        self._begun = False

    def rows(self, batch: Sequence[Sequence[Any]]) -> None:
        """Write a batch of rows; the first batch decides on the columns of numbers."""
        self._begin(batch)
        self._write("".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in batch))

    def end(self, count: int, totals: dict[int, Any]) -> None:
        """Close the table with its totals."""
        self._begin([])
        sums = [totals.get(place) for place in range(len(self._columns))]
        cells = [None if total is None else f"{total:,}" for total in sums]
        self._write(render("table_foot.html", count=count, cells=cells, any=bool(totals)))

    def _begin(self, batch: Sequence[Sequence[Any]]) -> None:
        if self._begun:
            return
        self._begun = True
        numeric = [
            any(is_number(row[place]) for row in batch) for place in range(len(self._columns))
        ]
        self._write(
            render(
                "table_head.html",
                title=self._title,
                columns=list(zip(self._columns, numeric, strict=True)),
            )
        )

    def _write(self, page: str) -> None:
        self._file.write(page.encode("utf-8", "replace"))


def _cell(value: Any) -> str:
    if value is None:
        return '<td class="none">–</td>'
    words = escape(text(value))
    return f'<td class="number">{words}</td>' if is_number(value) else f"<td>{words}</td>"
