"""A profile as a page for people and as JSON for programs. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from scheduler.jobs import charts
from scheduler.jobs.pages import render
from scheduler.jobs.profiling.measuring import Histogram, Measured, Value
from scheduler.jobs.profiling.reading import BadRows

MOST_FILES_SHOWN = 50


@dataclass(frozen=True)
class Profile:
    """Content of a report."""

    title: str
    at: datetime
    kind: str
    files: Sequence[tuple[str, int]]
    """Names and sizes in bytes."""
    rows: int
    bad: BadRows
    columns: Sequence[Measured]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)


def as_json(profile: Profile) -> bytes:
    """The profile as JSON; times are texts."""
    facts: dict[str, Any] = {
        "title": profile.title,
        "at": profile.at.isoformat(),
        "format": profile.kind,
        "files": [{"path": path, "bytes": size} for path, size in profile.files],
        "rows": profile.rows,
        "bad_rows": {
            "count": profile.bad.count,
            "more": profile.bad.more,
            "examples": _bad(profile.bad),
        },
        "columns": [_column(column) for column in profile.columns],
    }
    return json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False).encode(
        "utf-8", "replace"
    )


def as_html(profile: Profile) -> bytes:
    """The profile as a page."""
    drawn = {column.name: _drawn(column) for column in profile.columns}
    shown = profile.files[:MOST_FILES_SHOWN]
    values = {
        "profile": profile,
        "drawn": drawn,
        "files": shown,
        "unseen": len(profile.files) - len(shown),
    }
    return render("dataset_profile.html", **values, figure=figure, size=size, share=share).encode(
        "utf-8", "replace"
    )


def figure(value: Value | None) -> str:
    """A value for people: numbers with their significant digits, texts unchanged."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value if value else "(empty)"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if 0.01 <= abs(value) < 1e9 or value == 0 else f"{value:.4g}"


def size(count: int) -> str:
    """A number of bytes for people, in bytes, kB, MB or GB."""
    for unit, bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes:
            return f"{count / bytes:,.1f} {unit}"
    return f"{count} bytes"


def share(part: int, whole: int) -> str:
    """A share in percent; 0% and 100% only for exact shares."""
    if not whole or not part:
        return "0%"
    percent = 100 * part / whole
    if part == whole or 0.1 <= percent <= 99.9:
        return f"{percent:.1f}%" if percent % 1 else f"{percent:.0f}%"
    return "< 0.1%" if percent < 0.1 else "> 99.9%"


def _drawn(column: Measured) -> Markup | None:
    """SVG of a column's histogram; `charts` escapes the names in it."""
    if column.histogram is None:
        return None
    title = f"How the values of {column.name} are spread"
    return Markup(charts.histogram(_bars(column.histogram), title))  # noqa: S704


def _bars(histogram: Histogram) -> list[tuple[str, int]]:
    return [(f"{count:,} rows", count) for count in histogram.counts]


def _bad(bad: BadRows) -> list[dict[str, Any]]:
    return [example._asdict() for example in bad.examples]


def _column(column: Measured) -> dict[str, Any]:
    frequent = [{"value": value, "rows": many} for value, many in column.frequent]
    return {**asdict(column), "frequent": frequent}
