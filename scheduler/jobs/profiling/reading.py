"""Reading a dataset's files into something that can be measured column by column: its `Table`.

Parquet is read where it is. CSV is read once, into a table in the work folder, since each question
would read all of the text anew. Files of one dataset have the same columns; types that differ are
widened.
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
"""Values of bad rows that are noted in one file; beyond it, the rows are told as so many or more.
"""

EXAMPLES = 20
LONGEST_LINE = 200
_HEAD_BYTES = 65_536
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE")

Encoding = Literal["utf-8", "latin-1", "utf-16"]
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class CsvForm:
    """How the CSV is written, as far as that is not found out."""

    delimiter: str | None = None
    header: bool | None = None
    encoding: Encoding = "utf-8"
    sample_rows: int = 20_480


class Column(NamedTuple):
    """A column's name and its type as DuckDB calls it."""

    name: str
    type: str


class BadRow(NamedTuple):
    """A row that was left out: where it is, why, and how it begins."""

    file: str
    line: int
    problem: str
    text: str


@dataclass
class BadRows:
    """The rows of a CSV that do not fit the others."""

    count: int = 0
    more: bool = False
    """Whether there are more than were counted."""
    examples: list[BadRow] = field(default_factory=list)


class Table(NamedTuple):
    """What to write after FROM, and the columns."""

    source: str
    columns: Sequence[Column]
    bad: BadRows


class _Sniffed(NamedTuple):
    file: DataFile
    options: str
    columns: Sequence[Column]


def parquet_table(engine: Engine, files: Dataset) -> Table:
    """Raises DatasetUnreadable where a file is broken, Refused where they do not fit together."""
    each = []
    for file in files.files:
        described = engine.ask(f"DESCRIBE SELECT * FROM read_parquet({text(file.address)})")
        each.append((file, [Column(row[0], row[1]) for row in described]))
    _refuse_different(each)
    addresses = ", ".join(text(file.address) for file in files.files)
    source = f"read_parquet([{addresses}], union_by_name = true)"
    described = engine.ask(f"DESCRIBE SELECT * FROM {source}")
    return Table(source, [Column(row[0], row[1]) for row in described], BadRows())


def csv_table(engine: Engine, files: Dataset, form: CsvForm, tell: Tell) -> Table:
    """Raises DatasetUnreadable where a file is no CSV in this encoding, Refused where they do not
    fit together.
    """
    sniffed = [_sniff(engine, file, form) for file in files.files]
    _refuse_different([(each.file, each.columns) for each in sniffed])
    columns = [
        Column(column.name, widened([dict(each.columns)[column.name] for each in sniffed]))
        for column in sniffed[0].columns
    ]
    written = ", ".join(f"{name(column.name)} {column.type}" for column in columns)
    engine.ask(f"CREATE TABLE data ({written})")
    bad, done = BadRows(), 0
    for each in sniffed:

        def so_far(share: float, each: _Sniffed = each, done: int = done) -> None:
            tell((done + share * each.file.size) / files.size, each.file.shown)

        tell(done / files.size, each.file.shown)
        engine.ask(_insert(each, columns), so_far)
        _count_bad(engine, each.file, bad)
        done += each.file.size
    return Table("data", columns, bad)


def widened(types: Sequence[str]) -> str:
    """The type that holds what any of these holds."""
    if len(set(types)) == 1:
        return types[0]
    if set(types) <= set(_NUMBERS):
        return max(types, key=_NUMBERS.index)
    return "TIMESTAMP" if set(types) == {"DATE", "TIMESTAMP"} else "VARCHAR"


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A column's name as SQL has it."""
    return '"' + value.replace('"', '""') + '"'


def _sniff(engine: Engine, file: DataFile, form: CsvForm) -> _Sniffed:
    """The columns of a file and how it is written; rows that do not fit are overlooked only if
    nothing fits.
    """
    _check_encoding(file, form.encoding)
    given = _given(file, form)
    query = (
        "SELECT Delimiter, NewLineDelimiter, Comment, SkipRows, HasHeader, Columns, DateFormat, "
        f"TimestampFormat FROM sniff_csv({text(file.address)}, {given}, sample_size = "
        f"{form.sample_rows}"
    )
    try:
        found = engine.ask(f"{query})")[0]
    except DatasetUnreadable:
        found = engine.ask(f"{query}, ignore_errors = true)")[0]
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
    """The options that are not found out. Quotes are those of RFC 4180, also where the first rows
    have none.
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
    """Count what the newest reading has left out. Raises DatasetUnreadable where it is a matter of
    the encoding.
    """
    rows = engine.ask(
        "SELECT line, any_value(error_type), any_value(error_message), any_value(csv_line), "
        "bool_or(error_type = 'INVALID ENCODING'), count(*) FROM reject_errors GROUP BY line "
        "ORDER BY line"
    )
    for line, _, _, _, encoding, _ in rows:
        if encoding:
            raise DatasetUnreadable(
                f"{file.shown} is not in the encoding that was given, in line {line}"
            )
    bad.count += len(rows)
    bad.more = bad.more or sum(row[5] for row in rows) >= MOST_REJECTED
    for line, _, said, written, _, _ in rows[: EXAMPLES - len(bad.examples)]:
        problem = str(said).splitlines()[0][:LONGEST_LINE]
        bad.examples.append(BadRow(file.shown, line, problem, str(written)[:LONGEST_LINE]))
    engine.ask("DROP TABLE reject_errors")
    engine.ask("DROP TABLE reject_scans")


def _check_encoding(file: DataFile, encoding: Encoding) -> None:
    """Look at the beginning, where a wrong encoding would spoil the columns' names. Raises
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
            f"{file.shown} is not {encoding}: byte {getattr(error, 'start', 0)} does not fit; say "
            "its encoding"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetUnreadable(f"{file.shown} cannot be read: {error}") from None


def _refuse_different(each: Sequence[tuple[DataFile, Sequence[Column]]]) -> None:
    """Raise Refused where the files do not have the same columns, or too many."""
    first, columns = each[0]
    names = {column.name for column in columns}
    if len(columns) > MOST_COLUMNS:
        raise Refused(
            f"path: {first.shown} has {len(columns)} columns, and at most {MOST_COLUMNS} are "
            "profiled"
        )
    for file, others in each[1:]:
        if different := names.symmetric_difference(column.name for column in others):
            told = ", ".join(sorted(different)[:5])
            raise Refused(
                f"path: {file.shown} and {first.shown} do not have the same columns ({told}); "
                "profile them apart, by the pattern",
                field="path",
            )
