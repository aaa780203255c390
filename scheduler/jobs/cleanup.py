"""Cleaning up: history and reports that are older than they are worth."""

from datetime import timedelta
from typing import Any

from celery import shared_task

from scheduler.clock import utc_now
from scheduler.history.retention import count_runs_before, delete_reports, delete_runs_before, expired_reports
from scheduler.jobs.report_files import ReportFiles
from scheduler.runs.process import this_desk

LONGEST = 36_500
BATCH = 500


@shared_task(name="cleanup.job_history")
def job_history(days: int = 90, states: list[str] | None = None, dry_run: bool = False) -> dict[str, Any]:
    """Delete old job history.

    Runs first heard of more than `days` days ago (1 to 36500) are deleted, in batches, with their attempts and
    details; runs that have not ended stay. `states` keeps to some of the final states (for example only
    `["succeeded"]`). With `dry_run` nothing is deleted and what would be is counted.
    """
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST:
        raise ValueError(f"days is a whole number from 1 to {LONGEST}, not {days!r}")
    if states is not None and (not isinstance(states, list) or not all(isinstance(state, str) for state in states)):
        raise ValueError(f"states is a list of final states, or nothing for all of them, not {states!r}")
    engine = this_desk().engine
    cutoff = utc_now() - timedelta(days=days)
    if dry_run:
        count = count_runs_before(engine, cutoff, states)
    else:
        count = sum(delete_runs_before(engine, cutoff, BATCH, states))
    return {"deleted": 0 if dry_run else count, "would_delete": count, "before": cutoff.isoformat(), "dry_run": dry_run}


@shared_task(name="cleanup.reports")
def reports() -> dict[str, int]:
    """Delete reports that were kept long enough.

    Each report says until when it is to be kept. The file goes first and its row second, so that a crash in
    between leaves a row, which the next run finds, and never a file that nobody knows.
    """
    desk = this_desk()
    files = ReportFiles(desk.settings.reports_dir, desk.events)
    deleted = 0
    while expired := expired_reports(desk.engine, utc_now(), BATCH):
        for report in expired:
            files.remove(report.path)
        deleted += delete_reports(desk.engine, [report.id for report in expired])
    return {"deleted": deleted}
