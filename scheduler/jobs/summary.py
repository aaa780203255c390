"""The job summary as a page and as a table. Pure: lines of the history in, text out."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from scheduler.history.views import SummaryLine

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be run by a spreadsheet."""

COLUMNS = (
    "schedule", "job", "runs", "succeeded", "failed", "other",
    "mean_duration_s", "max_duration_s", "mean_lateness_s", "max_lateness_s",
)  # fmt: skip


def as_html(lines: Sequence[SummaryLine], *, title: str, since: datetime, until: datetime) -> str:
    """A page that needs nothing beside itself; whatever stands in names is escaped."""
    pages = Environment(
        loader=PackageLoader("scheduler.jobs"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters["seconds"] = seconds
    pages.filters["moment"] = moment
    totals = {name: sum(getattr(line, name) for line in lines) for name in ("ok", "failed", "other")}
    return pages.get_template("job_summary.html").render(
        title=title, lines=lines, totals=totals, runs=sum(totals.values()), since=since, until=until
    )


def as_csv(lines: Sequence[SummaryLine]) -> str:
    """A table for spreadsheets, one line for each schedule and job."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for line in lines:
        counts = (line.ok, line.failed, line.other)
        times = (line.mean_duration, line.max_duration, line.mean_lateness, line.max_lateness)
        names = (guarded(line.schedule or ""), guarded(line.job))
        table.writerow((*names, sum(counts), *counts, *("" if time is None else f"{time:.3f}" for time in times)))
    return text.getvalue()


def guarded(cell: str) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


def seconds(value: float | None) -> str:
    """A length of time in the unit that suits it."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def moment(at: datetime) -> str:
    """A moment for people."""
    return at.strftime("%Y-%m-%d %H:%M UTC")
