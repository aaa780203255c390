"""Tables as they are read back: by csv, by openpyxl, and by a parser of HTML."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from scheduler.errors import BadArguments
from scheduler.jobs.sql.placeholders import names, numbered
from scheduler.jobs.tables import xlsx_table
from scheduler.jobs.tables.cells import FORMULA_STARTS, guarded, unguarded
from scheduler.jobs.tables.csv_table import CsvTable
from scheduler.jobs.tables.writing import Format, Totals, writer

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "'=1",
    "''=1",
    '"=1',
    "＝1+1",
    "=cmd|'/c calc'!A1",
]
HARMLESS = [
    "",
    "Ada",
    "'quoted'",
    "a=b",
    "1-2",
    'say "no"',
    "two\nlines",
    "Ünïcode 中文",
    "a;=1+1",
    " spaces ",
]
COLUMNS = ["id", "who", "amount", "when"]
ROWS = [
    (1, "=1+1", Decimal("10.25"), datetime(2026, 11, 21, 6, 0, tzinfo=UTC)),
    (2, None, Decimal("-0.05"), None),
    (3, "<script>", Decimal("12345678901234567.89"), datetime(1800, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) != text or text.startswith('"')
    assert not guarded(text).startswith(FORMULA_STARTS)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@given(st.text() | st.text(alphabet="'=+-@ \t\n\"a", max_size=8))
def test_what_was_guarded_comes_back_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(FORMULA_STARTS)


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers()),
        max_size=20,
    )
)
def test_csv_is_read_back_as_it_was_written(rows: list[tuple[str, int]]) -> None:
    file = io.BytesIO()
    CsvTable(file, ["text", "number"]).rows(rows)
    read = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    assert [(unguarded(one), int(two)) for one, two in read[1:]] == rows


def test_csv_guards_texts_and_leaves_numbers() -> None:
    file = io.BytesIO()
    CsvTable(file, ["=head", "b"]).rows(
        [("-5", -5), (None, Decimal("1E+3")), (True, 1.5), (b"\x01", [1, "x"])]
    )
    lines = file.getvalue().decode().split("\r\n")
    assert lines == ['"\'=head","b"', '"\'-5",-5', ",1000", "true,1.5", '"01","[1, ""x""]"', ""]


def written(
    tmp_path: Path, format: Format, rows: Sequence[Sequence[Any]], sums: Sequence[str] = ()
) -> Path:
    """A file with these rows."""
    path = tmp_path / f"table.{format}"
    totals = Totals(COLUMNS, sums)
    with path.open("wb") as file, writer(format, file, "A <title>", COLUMNS) as table:
        for row in rows:
            table.rows([row])
            totals.add([row])
        table.end(totals.count, totals.sums)
    return path


def test_xlsx_holds_texts_as_texts_and_totals_in_the_last_row(tmp_path: Path) -> None:
    sheet = load_workbook(written(tmp_path, "xlsx", ROWS, ["amount"])).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == COLUMNS
    assert rows[1] == [1, "=1+1", 10.25, datetime(2026, 11, 21, 6, 0)]  # noqa: DTZ001 - a spreadsheet has no zones
    assert sheet["B2"].data_type == "s"
    assert rows[2] == [2, None, -0.05, None]
    assert rows[3] == [3, "<script>", "12345678901234567.89", "1800-01-01T00:00:00+00:00"]
    assert rows[4][0] == "Total of 3 rows"
    assert rows[4][2] == pytest.approx(12345678901234578.09)
    assert not list(tmp_path.glob(".*"))


def test_xlsx_goes_on_in_another_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_table, "MOST_ROWS", 2)
    book = load_workbook(
        written(tmp_path, "xlsx", [(number, "x", 1, date(2026, 1, 1)) for number in range(5)])
    )
    assert [[row[0].value for row in sheet] for sheet in book] == [
        ["id", 0, 1],
        ["id", 2, 3],
        ["id", 4],
    ]


class Page(HTMLParser):
    """The tags, and the rows of the table."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def test_a_page_shows_everything_as_text(tmp_path: Path) -> None:
    text = written(tmp_path, "html", ROWS, ["amount"]).read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert page.rows[3][1] == "<script>"
    assert page.rows[-1][:3] == ["Total", "", "12,345,678,901,234,578.09"]
    assert "<title>A &lt;title&gt;</title>" in text
    assert text.rstrip().endswith("</html>")


def test_totals_are_exact_and_only_of_numbers() -> None:
    totals = Totals(["a", "b"], ["a", "b"])
    totals.add([(Decimal("0.1"), 1), (Decimal("0.2"), 0.5), (None, None)])
    assert totals.by_name == {"a": "0.3", "b": 1.5}
    with pytest.raises(BadArguments, match="the column 'a' has 'seven', which is not a number"):
        totals.add([("seven", 1)])
    with pytest.raises(BadArguments, match="the result has no column 'c'; it has a, b"):
        Totals(["a", "b"], ["c"])


def test_names_become_numbers_outside_of_texts_comments_and_casts() -> None:
    statement = """SELECT ':no', "a:b", $$ :no $$, $x$ :no $x$, x::text, a[1:2], :one -- :no
        /* :no */ FROM t WHERE b = :two AND c = :one AND d='it''s :no'"""
    assert names(statement) == ["one", "two"]
    text, values = numbered(statement, {"one": 1, "two": 2, "three": 3})
    assert values == [1, 2]
    assert text == statement.replace(":one", "$1").replace(":two", "$2")


def test_a_missing_value_is_a_dash_in_a_page(tmp_path: Path) -> None:
    text = written(tmp_path, "html", [[None] * len(COLUMNS)]).read_text(encoding="utf-8")
    assert '<td class="none">–</td>' in text
