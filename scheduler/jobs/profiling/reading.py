"""The table of a dataset, read from its files, to be measured column by column.

Parquet files are queried in place. CSV files are read once into a table in the work folder, because
each query would parse the text again. All files of a dataset have the same columns; differing types
are widened.
"""

import codecs
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from scheduler.errors import Refused
from scheduler.jobs.profiling.dataset import DataFile, Dataset
from scheduler.jobs.profiling.engine import DatasetUnreadable, Engine

MOST_COLUMNS = 1000
MOST_REJECTED = 100_000
"""Most rejected values recorded of one file; beyond, the count of bad rows is a lower bound."""

EXAMPLES = 20
LONGEST_LINE = 200
_HEAD_BYTES = 65_536
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE")

Encoding = Literal["utf-8", "latin-1", "utf-16"]
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class CsvForm:
    """Form of the CSV files; None is detected."""

    delimiter: str | None = None
    header: bool | None = None
    encoding: Encoding = "utf-8"
    sample_rows: int = 20_480


class Column(NamedTuple):
    """A column's name, and its type in DuckDB."""

    name: str
    type: str


class BadRow(NamedTuple):
    """A left-out row: its place, the problem, and its beginning."""

    file: str
    line: int
    problem: str
    text: str


@dataclass
class BadRows:
    """The rows of the CSV files with values of wrong types."""

    count: int = 0
    more: bool = False
    """Whether there are more than `count`."""
    examples: list[BadRow] = field(default_factory=list)


class Table(NamedTuple):
    """A table: the SQL after FROM, the columns, and the left-out rows."""

    source: str
    columns: Sequence[Column]
    bad: BadRows


class _Sniffed(NamedTuple):
    file: DataFile
    options: str
    columns: Sequence[Column]


def parquet_table(engine: Engine, files: Dataset) -> Table:
    """The table of Parquet files. Raises DatasetUnreadable for a broken file, Refused for files
    with different columns.
    """
    each = []
    for file in files.files:
        described = engine.query(f"DESCRIBE SELECT * FROM read_parquet({text(file.address)})")
        each.append((file, [Column(row[0], row[1]) for row in described]))
    _refuse_different(each)
    addresses = ", ".join(text(file.address) for file in files.files)
    source = f"read_parquet([{addresses}], union_by_name = true)"
    described = engine.query(f"DESCRIBE SELECT * FROM {source}")
    return Table(source, [Column(row[0], row[1]) for row in described], BadRows())


def csv_table(engine: Engine, files: Dataset, form: CsvForm, tell: Tell) -> Table:
    """The table of CSV files, after their reading. `tell` gets the share of bytes and the file.

    Raises DatasetUnreadable for a file that is not CSV in the encoding, Refused for files with
    different columns.
    """
    sniffed = [_sniff(engine, file, form) for file in files.files]
    _refuse_different([(each.file, each.columns) for each in sniffed])
    columns = [
        Column(column.name, widened([dict(each.columns)[column.name] for each in sniffed]))
        for column in sniffed[0].columns
    ]
    written = ", ".join(f"{name(column.name)} {column.type}" for column in columns)
    engine.query(f"CREATE TABLE data ({written})")
    bad = BadRows()
    done = 0
    for each in sniffed:

        def so_far(share: float, each: _Sniffed = each, done: int = done) -> None:
            tell((done + share * each.file.size) / files.size, each.file.shown)

        tell(done / files.size, each.file.shown)
        engine.query(_insert(each, columns), so_far)
        _count_bad(engine, each.file, bad)
        done += each.file.size
    return Table("data", columns, bad)


def widened(types: Sequence[str]) -> str:
    """The narrowest type for the values of all these types, or else VARCHAR."""
    if len(set(types)) == 1:
        return types[0]
    if set(types) <= set(_NUMBERS):
        return max(types, key=_NUMBERS.index)
    return "TIMESTAMP" if set(types) == {"DATE", "TIMESTAMP"} else "VARCHAR"


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A column's name as a quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def _sniff(engine: Engine, file: DataFile, form: CsvForm) -> _Sniffed:
    """Columns and form of a CSV file; bad rows are ignored only where detection fails otherwise."""
    _check_encoding(file, form.encoding)
    given = _given(file, form)
    query = (
        "SELECT Delimiter, NewLineDelimiter, Comment, SkipRows, HasHeader, Columns, DateFormat, "
        f"TimestampFormat FROM sniff_csv({text(file.address)}, {given}, sample_size = "
        f"{form.sample_rows}"
    )
    try:
        found = engine.query(f"{query})")[0]
    except DatasetUnreadable:
        found = engine.query(f"{query}, ignore_errors = true)")[0]
    delimiter, newline, comment, skip, header, columns, dates, times = found
    options = [
        given,
        "auto_detect = false",
        f"skip = {int(skip)}",
        f"new_line = {text(newline)}",
        f"comment = {text('' if comment == '(empty)' else comment)}",
        *(
            []
            if form.delimiter
            else [f"delim = {text('' if delimiter == '(empty)' else delimiter)}"]
        ),
        *([f"header = {str(header).lower()}"] if form.header is None else []),
        *([f"dateformat = {text(dates)}"] if dates else []),
        *([f"timestampformat = {text(times)}"] if times else []),
    ]
    return _Sniffed(
        file, ", ".join(options), [Column(each["name"], each["type"]) for each in columns]
    )


def _given(file: DataFile, form: CsvForm) -> str:
    """The options given to DuckDB rather than detected. Quotes follow RFC 4180, even if the first
    rows have none.
    """
    options = ["""quote = '"', escape = '"'""", f"encoding = {text(form.encoding)}"]
    options.append(f"compression = {text('gzip' if file.packed else 'none')}")
    options += [f"delim = {text(form.delimiter)}"] if form.delimiter else []
    options += [f"header = {str(form.header).lower()}"] if form.header is not None else []
    return ", ".join(options)


def _insert(sniffed: _Sniffed, columns: Sequence[Column]) -> str:
    types = dict(columns)
    read = ", ".join(
        f"{text(column.name)}: {text(types[column.name])}" for column in sniffed.columns
    )
    rejects = f"store_rejects = true, rejects_limit = {MOST_REJECTED}"
    source = (
        f"read_csv({text(sniffed.file.address)}, columns = {{{read}}}, {sniffed.options}, "
        f"{rejects})"
    )
    return f"INSERT INTO data BY NAME SELECT * FROM {source}"


def _count_bad(engine: Engine, file: DataFile, bad: BadRows) -> None:
    """Count the rows left out by the newest reading. Raises DatasetUnreadable for rows in another
    encoding.
    """
    rows = engine.query(
        "SELECT line, any_value(error_type), any_value(error_message), any_value(csv_line), "
        "bool_or(error_type = 'INVALID ENCODING'), count(*) FROM reject_errors GROUP BY line "
        "ORDER BY line"
    )
    for line, _, _, _, encoding, _ in rows:
        if encoding:
            raise DatasetUnreadable(f"{file.shown} is not in the given encoding, in line {line}")
    bad.count += len(rows)
    bad.more = bad.more or sum(row[5] for row in rows) >= MOST_REJECTED
    for line, _, message, written, _, _ in rows[: EXAMPLES - len(bad.examples)]:
        problem = str(message).splitlines()[0][:LONGEST_LINE]
        bad.examples.append(BadRow(file.shown, line, problem, str(written)[:LONGEST_LINE]))
    engine.query("DROP TABLE reject_errors")
    engine.query("DROP TABLE reject_scans")


def _check_encoding(file: DataFile, encoding: Encoding) -> None:
    """Decode the beginning of a file: a wrong encoding would spoil the columns' names. Raises
    DatasetUnreadable.
    """
    try:
        with Path(file.address).open("rb") as plain:
            head = (
                gzip.GzipFile(fileobj=plain).read(_HEAD_BYTES)
                if file.packed
                else plain.read(_HEAD_BYTES)
            )
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeError as error:
        raise DatasetUnreadable(
            f"{file.shown} is not {encoding}: byte {getattr(error, 'start', 0)} does not fit; "
            "give its encoding"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetUnreadable(f"{file.shown} cannot be read: {error}") from None


def _refuse_different(each: Sequence[tuple[DataFile, Sequence[Column]]]) -> None:
    """Raise Refused for files with different columns, or too many."""
    first, columns = each[0]
    names = {column.name for column in columns}
    if len(columns) > MOST_COLUMNS:
        raise Refused(
            f"path: {first.shown} has {len(columns)} columns, and at most {MOST_COLUMNS} are "
            "profiled"
        )
    for file, others in each[1:]:
        if different := names.symmetric_difference(column.name for column in others):
            names_text = ", ".join(sorted(different)[:5])
            raise Refused(
                f"path: {file.shown} and {first.shown} do not have the same columns "
                f"({names_text}); profile them apart, by the pattern",
                field="path",
            )
