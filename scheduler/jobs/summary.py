"""The job summary: counts of the history as a page and a table. Pure."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scheduler.history.outcome_kinds import KINDS
from scheduler.history.queries.outcomes import OutcomeLine
from scheduler.jobs import charts
from scheduler.jobs.pages import render, seconds
from scheduler.jobs.periods import Period
from scheduler.jobs.tables.csv_table import CsvTable

MOST_COMPARED = 12
"""Schedules in the chart of durations: the longest total durations."""

COLUMNS = (
    "schedule",
    "job",
    "tags",
    "runs",
    "succeeded",
    "failed",
    "missed",
    "skipped",
    "other",
    "late",
    "median_duration_s",
    "usual_duration_s",
    "max_duration_s",
    "mean_lateness_s",
    "max_lateness_s",
)


@dataclass(frozen=True)
class Line:
    """One schedule and job, with tags and the usual duration of earlier runs, in seconds."""

    counts: OutcomeLine
    tags: tuple[str, ...]
    usual: float | None

    @property
    def name(self) -> str:
        """The schedule's name, or the job's for runs without a schedule."""
        return self.counts.schedule or self.counts.job

    @property
    def runs(self) -> int:
        """Number of runs, ended and open."""
        return self.counts.succeeded + self.counts.failed + self.counts.other

    @property
    def change(self) -> float | None:
        """Change of the median duration against the usual, as a share: 0.5 is 50 % longer."""
        if not self.usual or self.counts.median is None:
            return None
        return self.counts.median / self.usual - 1


@dataclass(frozen=True)
class TagLine:
    """All schedules with one tag."""

    tag: str
    schedules: int
    runs: int
    succeeded: int
    failed: int
    missed: int
    late: int


@dataclass(frozen=True)
class Summary:
    """Content of a report."""

    title: str
    period: Period
    lines: Sequence[Line]
    parts: Sequence[Mapping[str, int]]
    late_after: int

    @property
    def totals(self) -> dict[str, int]:
        """The sums of all lines."""
        names = (*KINDS, "late")
        sums = {name: sum(getattr(line.counts, name) for line in self.lines) for name in names}
        return {"runs": sum(line.runs for line in self.lines), **sums}

    @property
    def tags(self) -> list[TagLine]:
        """The sums of each tag, ordered by name; a schedule counts for each of its tags."""
        return [self._tag(tag) for tag in sorted({tag for line in self.lines for tag in line.tags})]

    @property
    def bars(self) -> list[charts.Part]:
        """The bars of the chart over time."""
        starts = self.period.bounds[:-1]
        every = max(1, len(starts) // 12)
        form = {"hour": "%H:%M", "day": "%a %d" if len(starts) <= 7 else "%d", "week": "%d %b"}[
            self.period.by
        ]
        name = "%Y-%m-%d %H:%M" if self.period.by == "hour" else "%A, %Y-%m-%d"
        return [
            charts.Part(
                start.strftime(form) if place % every == 0 else "",
                start.strftime(name),
                coloured(part),
            )
            for place, (start, part) in enumerate(zip(starts, self.parts, strict=True))
        ]

    @property
    def compared(self) -> list[charts.Compared]:
        """The lines of the chart of durations, longest total duration first."""
        timed = [line for line in self.lines if line.counts.median is not None]
        weighty = sorted(
            timed, key=lambda line: -(line.counts.median or 0) * line.counts.succeeded
        )[:MOST_COMPARED]
        return [
            charts.Compared(line.name, line.counts.median or 0, line.usual, against_usual(line))
            for line in sorted(weighty, key=lambda line: -(line.counts.median or 0))
        ]

    def _tag(self, tag: str) -> TagLine:
        lines = [line for line in self.lines if tag in line.tags]
        names = ("succeeded", "failed", "missed", "late")
        sums = {name: sum(getattr(line.counts, name) for line in lines) for name in names}
        return TagLine(tag, len(lines), sum(line.runs for line in lines), **sums)


def coloured(part: Mapping[str, int]) -> dict[str, int]:
    """The counts of a bar by colour, from bottom to top."""
    other = part["skipped"] + part["other"]
    return {
        "ok": part["succeeded"],
        "failed": part["failed"],
        "late": part["missed"],
        "other": other,
    }


def against_usual(line: Line) -> str:
    """A median duration against the usual one, in words."""
    now = seconds(line.counts.median)
    if line.usual is None or line.change is None:
        return f"{now}, new"
    return f"{now}, usually {seconds(line.usual)} ({line.change:+.0%})"


def as_html(summary: Summary) -> str:
    """The report as a self-contained page; names are escaped."""
    over_time = charts.over_time(summary.bars, f"Runs by {summary.period.by}")
    compared = charts.compared(summary.compared, "Median durations against the usual")
    return render(
        "job_summary.html",
        summary=summary,
        over_time=Markup(over_time),  # noqa: S704 - made by `charts`, which escapes names
        compared=Markup(compared) if summary.compared else "",  # noqa: S704 - as above
        against_usual=against_usual,
    )


def as_csv(summary: Summary) -> bytes:
    """The report as CSV, one line for each schedule and job."""
    file = io.BytesIO()
    table = CsvTable(file, COLUMNS)
    table.rows([_row(line) for line in summary.lines])
    return file.getvalue()


def _row(line: Line) -> list[object]:
    counts = line.counts
    kinds = [getattr(counts, kind) for kind in KINDS]
    times = (counts.median, line.usual, counts.longest, counts.mean_lateness, counts.most_lateness)
    rounded = [None if time is None else round(time, 3) for time in times]
    return [
        counts.schedule or "",
        counts.job,
        " ".join(line.tags),
        line.runs,
        *kinds,
        counts.late,
        *rounded,
    ]
