"""Reports over the history, stored as files. A file is complete or not there; its event follows it."""

import functools
from datetime import datetime, timedelta
from typing import Any

from celery import Task, shared_task

from scheduler.clock import utc_now
from scheduler.jobs.report_files import ReportFiles
from scheduler.jobs.summary import as_csv, as_html
from scheduler.runs.process import this_desk

MOST_DAYS = 366
KEEP = timedelta(days=90)


@shared_task(name="reports.job_summary", bind=True)
def job_summary(self: Task[Any, Any], days: int = 1) -> dict[str, Any]:
    """Job summary: what ran, what failed, how long it took.

    Writes an HTML page and a CSV file over the last `days` days (1 to 366), one line for each schedule and job.
    Both are kept for 90 days and can be downloaded in the console.
    """
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days is a whole number from 1 to {MOST_DAYS}, not {days!r}")
    now = utc_now()
    since = now - timedelta(days=days)
    desk = this_desk()
    lines = desk.history.summary(since, now)
    title = f"Job summary, {_day(since)} to {_day(now)}"
    files = ReportFiles(desk.settings.reports_dir, desk.events)
    keep = functools.partial(files.store, title, run=self.request.id, keep_until=now + KEEP, now=now)
    page = as_html(lines, title=title, since=since, until=now)
    stored = [
        keep("job-summary.html", "text/html", page.encode()),
        keep("job-summary.csv", "text/csv", as_csv(lines).encode()),
    ]
    return {"schedules": len(lines), "files": [{"path": report.path, "size": report.size} for report in stored]}


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
