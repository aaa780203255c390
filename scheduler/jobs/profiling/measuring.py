"""Measurement of columns, one after the other: counts, frequent values, and distribution."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from scheduler.jobs.profiling.engine import Engine
from scheduler.jobs.profiling.reading import Column, Table, name

Kind = Literal["number", "time", "text", "boolean", "other"]
Value = int | float | str

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 24
MOST_FREQUENT = 8
EXACT_BELOW = 1_000_000
"""The number of distinct values up to which all are counted; beyond, only a sketch's candidates are
counted.
"""

NEARLY_ALL = 0.8
"""The share of distinct values beyond which a column with more than `EXACT_BELOW` has no frequent
values.
"""

LONGEST_VALUE = 80

_INTEGER = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")
_FRACTION = re.compile(r"FLOAT|DOUBLE|DECIMAL\(.*\)")
_TIME = re.compile(r"DATE|TIMESTAMP.*")
_TEXT = re.compile(r"VARCHAR|UUID|ENUM\(.*\)|TIME.*|INTERVAL")


@dataclass(frozen=True)
class Histogram:
    """Counts of values in parts of equal width between the least and the greatest value."""

    least: float
    greatest: float
    counts: list[int]


@dataclass(frozen=True)
class Measured:
    """Figures of a column. Quantiles are approximate."""

    name: str
    type: str
    kind: Kind
    rows: int
    nulls: int
    distinct: int
    exact: bool
    """Whether the number of distinct values was counted, and not estimated."""
    not_finite: int = 0
    """Number of infinite values and NaN, left out of the figures below."""
    least: Value | None = None
    greatest: Value | None = None
    mean: float | None = None
    quantiles: dict[str, Value] = field(default_factory=dict)
    shortest: int | None = None
    longest: int | None = None
    """Characters of the shortest and the longest text."""
    frequent: list[tuple[str, int]] = field(default_factory=list)
    """The most frequent values with a count above 1, with their counts."""
    histogram: Histogram | None = None


def kind_of(type: str) -> Kind:
    """The kind of a DuckDB type, for the figures of its columns."""
    if _INTEGER.fullmatch(type) or _FRACTION.fullmatch(type):
        return "number"
    if type == "BOOLEAN":
        return "boolean"
    if _TIME.fullmatch(type):
        return "time"
    return "text" if _TEXT.fullmatch(type) else "other"


def measured(engine: Engine, table: Table, tell: Callable[[float, str], None]) -> list[Measured]:
    """Figures of every column. `tell` gets the finished share and the column's name.

    Raises the errors of `Engine.query`.
    """
    all_columns = []
    for place, column in enumerate(table.columns):
        tell(place / len(table.columns), column.name)
        all_columns.append(_Asking(engine, table.source, column).measured())
    return all_columns


class _Asking:
    """The queries about one column."""

    def __init__(self, engine: Engine, source: str, column: Column) -> None:
        self._engine = engine
        self._source = source
        self._column = column
        self._name = name(column.name)
        self._kind = kind_of(column.type)
        self._finite = (
            f"isfinite({self._name})" if self._unbounded() else f"{self._name} IS NOT NULL"
        )
        self._value = self._comparable()

    def measured(self) -> Measured:
        """All figures of the column."""
        rows, filled, distinct, finite = self._one(
            f"count(*), count({self._name}), approx_count_distinct({self._name}), count(*) FILTER "
            f"({self._finite})"
        )
        figures: dict[str, Any] = {}
        if finite and self._kind in ("number", "time"):
            figures = self._spread()
        elif finite and self._kind == "text":
            figures = self._lengths()
        exact = distinct <= EXACT_BELOW and self._kind != "other"
        if filled and exact:
            distinct, figures["frequent"] = self._counted()
        elif filled and self._kind != "other" and distinct < NEARLY_ALL * filled:
            figures["frequent"] = self._sketched()
        facts = (self._column.name, self._column.type, self._kind)
        return Measured(
            *facts, rows, rows - filled, min(distinct, filled), exact, filled - finite, **figures
        )

    def _unbounded(self) -> bool:
        return self._kind == "time" or self._column.type in ("FLOAT", "DOUBLE")

    def _comparable(self) -> str:
        """SQL of the value in a type whose minimum and maximum Python can show."""
        fraction = self._kind == "number" and not _INTEGER.fullmatch(self._column.type)
        return f"CAST({self._name} AS DOUBLE)" if fraction else self._name

    def _spread(self) -> dict[str, Any]:
        """Least, greatest, mean, quantiles and histogram of numbers and times."""
        number = self._kind == "number"
        shown = "{}" if number else "CAST({} AS VARCHAR)"
        list_shown = "{}" if number else "CAST({} AS VARCHAR[])"
        least, greatest = (shown.format(f"{which}({self._value})") for which in ("min", "max"))
        quantiles = list_shown.format(f"approx_quantile({self._value}, {list(QUANTILES)})")
        mean = f"avg(CAST({self._value} AS DOUBLE))" if number else "NULL"
        low, high, average, cuts, start, end = self._one(
            f"{least}, {greatest}, {mean}, {quantiles}, min({self._place()}), max({self._place()})",
            self._finite,
        )
        names = [f"{share:.0%}" for share in QUANTILES]
        return {
            "least": low,
            "greatest": high,
            "mean": average if average is not None and math.isfinite(average) else None,
            "quantiles": dict(zip(names, cuts, strict=True)),
            "histogram": self._histogram(start, end),
        }

    def _place(self) -> str:
        """SQL of the value as a number on the histogram's axis."""
        return f"CAST({self._name} AS DOUBLE)" if self._kind == "number" else f"epoch({self._name})"

    def _histogram(self, least: float, greatest: float) -> Histogram | None:
        width = (greatest - least) / BINS
        if not math.isfinite(width) or width <= 0:
            return None
        place = (
            f"least(greatest(CAST(floor(({self._place()} - ({least!r})) / {width!r}) AS BIGINT), "
            f"0), {BINS - 1})"
        )
        found = dict(self._rows(f"{place} AS bin, count(*)", f"WHERE {self._finite} GROUP BY bin"))
        return Histogram(least, greatest, [found.get(bin, 0) for bin in range(BINS)])

    def _lengths(self) -> dict[str, Any]:
        characters = f"length(CAST({self._name} AS VARCHAR))"
        shown = f"left(CAST({{}}({self._name}) AS VARCHAR), {LONGEST_VALUE})"
        columns = (
            f"{shown.format('min')}, {shown.format('max')}, min({characters}), max({characters})"
        )
        least, greatest, shortest, longest = self._one(columns)
        return {"least": least, "greatest": greatest, "shortest": shortest, "longest": longest}

    def _counted(self) -> tuple[int, list[tuple[str, int]]]:
        """The exact number of distinct values, and the most frequent ones."""
        counted = (
            f"SELECT {self._name} AS value, count(*) AS many FROM {self._source} WHERE "
            f"{self._name} IS NOT NULL"
        )
        found = self._engine.query(
            f"WITH counted AS MATERIALIZED ({counted} GROUP BY value) SELECT left(CAST(value AS "
            f"VARCHAR), {LONGEST_VALUE}), many, (SELECT count(*) FROM counted) FROM counted ORDER "
            f"BY many DESC, value LIMIT {MOST_FREQUENT}"
        )
        return found[0][2], [(value, many) for value, many, _ in found if many > 1]

    def _sketched(self) -> list[tuple[str, int]]:
        """The counts of a sketch's candidates for the most frequent values."""
        candidates = (
            f"SELECT unnest(approx_top_k({self._name}, {MOST_FREQUENT})) FROM {self._source}"
        )
        found = self._rows(
            f"left(CAST({self._name} AS VARCHAR), {LONGEST_VALUE}), count(*) AS many",
            f"WHERE {self._name} IN ({candidates}) GROUP BY {self._name} ORDER BY many DESC, "
            f"{self._name}",
        )
        return [(value, many) for value, many in found if many > 1]

    def _one(self, columns: str, only: str | None = None) -> tuple[Any, ...]:
        return self._rows(columns, f"WHERE {only}" if only else "")[0]

    def _rows(self, columns: str, rest: str) -> list[tuple[Any, ...]]:
        return self._engine.query(f"SELECT {columns} FROM {self._source} {rest}")
