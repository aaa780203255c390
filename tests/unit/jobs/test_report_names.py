"""Names of report files: plain, so that they can be a header's value."""

import pytest

from scheduler.errors import Refused
from scheduler.jobs.report_files import refuse_odd
from scheduler.jobs.sql_report import SqlQuery


@pytest.mark.parametrize(
    "name",
    ["a\nb.csv", "a\rb", "a\x00b", "../a", "..", ".", "", "a/b", "a\\b", "a\x1b[0m", "a\u2028b",
     "x" * 201, "\ud800"],
)  # fmt: skip
def test_an_odd_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="is not a plain file name"):
        refuse_odd(name)


@pytest.mark.parametrize("name", ["sales.csv", "Übersicht 2026.pdf", "..hidden", "a b'c.txt"])
def test_a_plain_name_is_accepted(name: str) -> None:
    refuse_odd(name)


@pytest.mark.parametrize("title", ["a\nb", "a\x00b", "a\x1b[0m"])
def test_a_title_of_several_lines_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="title"):
        SqlQuery(statement="SELECT 1", title=title)
