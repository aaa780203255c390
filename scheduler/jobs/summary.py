"""The job summary: what the history counted, put together for people. Pure: counts in, page and
table out.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scheduler.history.outcomes import KINDS, OutcomeLine
from scheduler.jobs import charts
from scheduler.jobs.pages import render, seconds
from scheduler.jobs.periods import Period
from scheduler.jobs.tables.csv_table import CsvTable

MOST_COMPARED = 12
"""Schedules in the chart of durations: those whose runs took longest in all."""

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
    """One schedule and job, with its tags, and how long its runs usually took before."""

    counts: OutcomeLine
    tags: tuple[str, ...]
    usual: float | None

    @property
    def name(self) -> str:
        """The schedule, or the job where it was not scheduled."""
        return self.counts.schedule or self.counts.job

    @property
    def runs(self) -> int:
        """Those that ran, or are about to."""
        return self.counts.succeeded + self.counts.failed + self.counts.other

    @property
    def change(self) -> float | None:
        """How much longer than usual the median run took, as a share: 0.5 is half as long again."""
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
    """Everything that a report shows."""

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
        """The sums of each tag, by name; a schedule counts for each of its tags."""
        return [self._tag(tag) for tag in sorted({tag for line in self.lines for tag in line.tags})]

    @property
    def bars(self) -> list[charts.Part]:
        """The chart over time."""
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
        """The chart of durations: the schedules whose runs took longest in all, longest first."""
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
    """The counts of a bar from bottom to top, by colour."""
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
    """A page that needs nothing beside itself; whatever stands in names is escaped."""
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
    """A table for spreadsheets, one line for each schedule and job."""
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
