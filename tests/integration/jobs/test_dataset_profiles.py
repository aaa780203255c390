"""Profiles of real files: what they say, and what they refuse."""

import gzip
from pathlib import Path

import pytest

from scheduler.jobs.profiling.measuring import Measured
from scheduler.jobs.profiling.page import Profile
from scheduler.jobs.profiling.reading import MOST_REJECTED
from scheduler.settings.schema import Settings
from tests.support.dataset_files import ROWS, parquet, profile, sales


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with nothing in it."""
    root = tmp_path / "files"
    root.mkdir()
    return root


@pytest.fixture
def services(tmp_path: Path, root: Path) -> Settings:
    """The settings of a worker that may read there."""
    return Settings(data_dir=tmp_path / "data", file_roots=(root,))


def by_name(done: Profile) -> dict[str, Measured]:
    """The columns."""
    return {column.name: column for column in done.columns}


def test_a_csv_is_measured_column_by_column(services: Settings, root: Path) -> None:
    sales(root / "sales.csv")
    done = profile(services, "sales.csv")
    columns = by_name(done)
    assert (done.rows, done.kind, done.bad.count) == (ROWS, "csv", 0)
    assert [(name, column.kind) for name, column in columns.items()] == [
        ("id", "number"),
        ("who", "text"),
        ("amount", "number"),
        ("paid", "boolean"),
        ("at", "time"),
        ("remark", "text"),
    ]
    number = columns["id"]
    assert (number.type, number.least, number.greatest, number.mean) == (
        "BIGINT",
        0,
        ROWS - 1,
        (ROWS - 1) / 2,
    )
    assert (number.distinct, number.exact, number.nulls, number.frequent) == (ROWS, True, 0, [])
    assert list(number.quantiles) == ["5%", "25%", "50%", "75%", "95%"]
    assert abs(float(number.quantiles["50%"]) - ROWS / 2) < ROWS / 50
    assert number.histogram is not None
    assert (len(number.histogram.counts), sum(number.histogram.counts)) == (24, ROWS)
    assert columns["who"].frequent == [("Ada", ROWS // 10)]
    assert columns["paid"].frequent == [("false", ROWS * 3 // 4), ("true", ROWS // 4)]
    assert (columns["at"].least, columns["at"].greatest) == (
        "2026-01-01 10:00:00",
        "2026-12-01 10:00:00",
    )
    assert columns["at"].distinct == 12
    remark = columns["remark"]
    assert (remark.nulls, remark.distinct, remark.frequent) == (
        ROWS * 2 // 3,
        1,
        [("a, b", ROWS // 3)],
    )
    assert (remark.shortest, remark.longest) == (4, 4)


def test_parquet_files_of_a_folder_and_of_those_in_it_are_one_dataset(
    services: Settings, root: Path
) -> None:
    (root / "2026" / "11").mkdir(parents=True)
    parquet(
        root / "2026" / "a.parquet",
        "SELECT 1::INTEGER AS n, [1, 2] AS list, 0.5::DECIMAL(9, 2) AS price",
    )
    parquet(
        root / "2026" / "11" / "b.parquet",
        "SELECT 5::BIGINT AS n, NULL::INTEGER[] AS list, 2.5::DECIMAL(9, 2) AS price",
    )
    (root / "2026" / "notes.md").write_text("nothing of this kind")
    done = profile(services, "2026")
    columns = by_name(done)
    assert [path for path, _ in done.files] == ["2026/a.parquet", "2026/11/b.parquet"]
    assert (done.rows, done.kind) == (2, "parquet")
    assert (columns["n"].type, columns["n"].least, columns["n"].greatest) == ("BIGINT", 1, 5)
    assert (columns["price"].least, columns["price"].greatest, columns["price"].mean) == (
        0.5,
        2.5,
        1.5,
    )
    assert (columns["list"].kind, columns["list"].nulls, columns["list"].least) == (
        "other",
        1,
        None,
    )


def test_values_that_are_no_numbers_are_counted_apart(services: Settings, root: Path) -> None:
    values = "(1.0::DOUBLE), ('nan'::DOUBLE), ('inf'::DOUBLE), (3.0), (NULL)"
    parquet(root / "odd.parquet", f"SELECT * FROM (VALUES {values}) AS odd(x)")  # noqa: S608
    column = profile(services).columns[0]
    assert (column.rows, column.nulls, column.not_finite) == (5, 1, 2)
    assert (column.least, column.greatest, column.mean) == (1.0, 3.0, 2.0)


def test_rows_that_do_not_fit_are_left_out_counted_and_shown(
    services: Settings, root: Path
) -> None:
    with sales(root / "sales.csv").open("a") as file:
        file.write("x17,Ada,1,true,2026-01-01 10:00:00,\n5,too few\n")
    done = profile(services, "sales.csv")
    assert (done.rows, done.bad.count, done.bad.more) == (ROWS, 2, False)
    conversion, columns = done.bad.examples
    assert (conversion.file, conversion.line, conversion.text.startswith("x17,Ada")) == (
        "sales.csv",
        ROWS + 2,
        True,
    )
    assert "x17" in conversion.problem
    assert (columns.line, "Columns" in columns.problem) == (ROWS + 3, True)


def test_bad_rows_are_counted_up_to_a_bound(services: Settings, root: Path) -> None:
    with sales(root / "sales.csv").open("a") as file:
        file.write("x\n" * MOST_REJECTED)
    done = profile(services, "sales.csv")
    assert (done.bad.more, len(done.bad.examples)) == (True, 20)
    assert MOST_REJECTED / 6 <= done.bad.count < MOST_REJECTED


def test_types_of_several_csv_files_are_widened_and_their_order_of_columns_does_not_matter(
    services: Settings, root: Path
) -> None:
    (root / "a.csv").write_text("n,x,when\n1,1,2026-01-01\n")
    (root / "b.csv").write_text("x,when,n\nword,2026-01-02 10:00:00,2.5\n")
    done = profile(services)
    assert [(column.name, column.type) for column in done.columns] == [
        ("n", "DOUBLE"),
        ("x", "VARCHAR"),
        ("when", "TIMESTAMP"),
    ]
    assert by_name(done)["n"].mean == 1.75


def test_a_csv_may_be_packed_quoted_in_latin_and_divided_by_what_it_likes(
    services: Settings, root: Path
) -> None:
    (root / "old.txt").write_bytes('größe;satz\n1,5;"a;""b"""\n'.encode("latin-1"))
    columns = by_name(profile(services, "old.txt", encoding="latin-1", delimiter=";"))
    assert (columns["größe"].greatest, columns["satz"].greatest) == ("1,5", 'a;"b"')
    (root / "packed.csv.gz").write_bytes(gzip.compress(b"n\n1\n2\n"))
    assert profile(services, "packed.csv.gz").columns[0].mean == 1.5
    (root / "wide.csv").write_bytes("n,ü\n1,ä\n".encode("utf-16"))
    assert by_name(profile(services, "wide.csv", encoding="utf-16"))["ü"].greatest == "ä"
    (root / "bare.csv").write_text("1,2\n3,4\n")
    assert profile(services, "bare.csv", header=False).rows == 2


def test_a_quoted_delimiter_far_below_the_rows_that_were_looked_at_is_read_as_one_value(
    services: Settings, root: Path
) -> None:
    (root / "late.csv").write_text("n,word\n" + "1,plain\n" * ROWS + '2,"a, ""b"""\n')
    done = profile(services)
    assert (done.rows, done.bad.count, by_name(done)["word"].least) == (ROWS + 1, 0, 'a, "b"')


def test_only_names_that_match_are_taken(services: Settings, root: Path) -> None:
    for name in ("a-1.csv", "a-2.csv", "b-1.csv"):
        (root / name).write_text("n\n1\n")
    assert profile(services, pattern="a-*").rows == 2
