"""Cleanup jobs: each returns the deleted counts, and has a dry run with the counts of a real run.

The settings list what may be deleted at all; the parameters of a schedule choose from the list.
"""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.history.retention import (
    count_runs_before,
    delete_reports,
    delete_runs_before,
    expired_reports,
)
from scheduler.job import job, run
from scheduler.jobs.parameters import DryRun, Parameters
from scheduler.jobs.report_files import ReportFiles
from scheduler.jobs.roots import chosen_root, refuse_own_folder
from scheduler.jobs.sweeping import files, keys, rows
from scheduler.services.process import current_services
from scheduler.settings import job_limits

LONGEST = 36_500
BATCH = 500
PAUSE_SECONDS = 0.02
"""Pause between two batches, for the turn of waiting writers."""

UNFINISHED_FOR = timedelta(days=1)
"""Age from which an unfinished report file counts as a remnant of a killed process."""

Days = Annotated[int, Field(ge=1, le=LONGEST)]
Final = Literal["succeeded", "failed", "skipped", "missed", "expired", "revoked", "lost"]


class JobHistory(Parameters):
    """Parameters of `cleanup.job_history`."""

    days: Days = Field(
        default=90, description="Delete runs first recorded more than so many days ago"
    )
    states: list[Final] | None = Field(
        default=None, description="Only runs in these states; by default all that ended"
    )
    schedule: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None, description="Only runs of the schedule with this name"
    )
    dry_run: DryRun = False


class Reports(Parameters):
    """Parameters of `cleanup.reports`."""

    dry_run: DryRun = False


class Files(Parameters):
    """Parameters of `cleanup.files`."""

    root: Annotated[str, Field(min_length=1)] = Field(
        description="One folder of BEATDESK_FILE_ROOTS, by its path or its last name"
    )
    folder: str = Field(
        default="", description="A folder below the root; by default the root itself"
    )
    pattern: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        default="*",
        description="Names of the files: * stands for anything, ? for one character; case counts",
    )
    older_than_days: Days = Field(
        default=30, description="Only files that were last written so many days ago"
    )
    most: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=10_000, description="Stop after so many files"
    )
    dry_run: DryRun = True


class SqlRows(Parameters):
    """Parameters of `cleanup.sql_rows`."""

    rows: Annotated[str, Field(min_length=1)] = Field(
        description="TABLE.COLUMN as in BEATDESK_CLEANUP_SQL_ROWS: the table, and the column with "
        "the time"
    )
    older_than_days: Days | None = Field(
        default=None,
        description="Only rows older than this; by default, and at least, the age in the settings",
    )
    dry_run: DryRun = True


class RedisKeys(Parameters):
    """Parameters of `cleanup.redis_keys`."""

    pattern: Annotated[str, Field(min_length=1)] = Field(
        description="A pattern as in BEATDESK_CLEANUP_REDIS_KEYS"
    )
    idle_hours: Annotated[int, Field(ge=1, le=LONGEST * 24)] | None = Field(
        default=None,
        description="Only keys untouched for longer than this; by default, and at least, the "
        "age in the settings",
    )
    dry_run: DryRun = True


@job("cleanup.job_history", params=JobHistory, queue="bulk", least_role="admin")
def job_history(params: JobHistory) -> dict[str, Any]:
    """Delete old job history.

    Runs that ended, with their attempts and details.

    Deleted in batches, each in a transaction. Runs without an end stay, whatever their age.
    """
    engine = current_services().engine
    cutoff = utc_now() - timedelta(days=params.days)
    there = count_runs_before(engine, cutoff, params.states, params.schedule)
    deleted = 0
    if not params.dry_run:
        deleted = _gently(
            delete_runs_before(engine, cutoff, BATCH, params.states, params.schedule), there, "runs"
        )
    return _result(deleted, there, params.dry_run, before=cutoff)


@job("cleanup.reports", params=Reports, queue="bulk")
def reports(params: Reports) -> dict[str, Any]:
    """Delete reports after their time.

    Report files past their last day, and half-written files of killed processes.

    The file is deleted first and its row second: a crash in between leaves a row for the next run,
    and never a file without a row.
    """
    services = current_services()
    now = utc_now()
    store = ReportFiles(services.settings.reports_dir, services.events)
    parts = store.left_behind(now - UNFINISHED_FOR)
    deleted = size = 0
    while expired := expired_reports(services.engine, now, LONGEST if params.dry_run else BATCH):
        size += sum(report.size for report in expired)
        if params.dry_run:
            return {**_result(0, len(expired), True), "bytes": size, "unfinished": len(parts)}
        for report in expired:
            store.remove(report.path)
        deleted += delete_reports(services.engine, [report.id for report in expired])
        run.progress(deleted, None, f"{deleted:,} reports")
    for part in () if params.dry_run else parts:
        part.unlink(missing_ok=True)
    return {**_result(deleted, deleted, params.dry_run), "bytes": size, "unfinished": len(parts)}


@job("cleanup.files", params=Files, queue="bulk")
def old_files(params: Files) -> dict[str, Any]:
    """Delete old files.

    Old files below a folder of BEATDESK_FILE_ROOTS with names that match a pattern.

    Links are neither followed nor deleted, other devices are left alone, folders stay. Schedule a
    dry run first, look at its result, then switch the dry run off.
    """
    settings = current_services().settings
    now = utc_now()
    root = chosen_root(settings.file_roots, params.root)
    refuse_own_folder(root, settings.data_dir)
    before = now - timedelta(days=params.older_than_days)
    rule = files.Rule(params.pattern, before.timestamp(), params.most, params.dry_run)
    swept = files.sweep(root, params.folder, rule, _report_files)
    result = _result(
        0 if params.dry_run else swept.files, swept.files, params.dry_run, before=before
    )
    facts = {
        "bytes": swept.bytes,
        "looked_at": swept.looked_at,
        "left": swept.left,
        "more": swept.capped,
    }
    return {**result, **facts, "examples": swept.examples}


@job("cleanup.sql_rows", params=SqlRows, queue="bulk")
def sql_rows(params: SqlRows) -> dict[str, Any]:
    """Delete old rows.

    Old rows of a table listed in BEATDESK_CLEANUP_SQL_ROWS, in the database of
    BEATDESK_CLEANUP_DSN.

    Deleted in batches, each in a transaction. Rows without a time stay.
    """
    settings = current_services().settings
    now = utc_now()
    if settings.cleanup_dsn is None:
        raise Refused(
            "no database is configured; set BEATDESK_CLEANUP_DSN, and BEATDESK_CLEANUP_SQL_ROWS"
        )
    entries = {entry.name: entry for entry in map(job_limits.sql_rows, settings.cleanup_sql_rows)}
    entry = _chosen("rows", params.rows, entries, "BEATDESK_CLEANUP_SQL_ROWS")
    age = _age("older_than_days", params.older_than_days, timedelta(days=1), entry.age)
    there = rows.count(settings.cleanup_dsn, entry, now - age)
    deleted = 0
    if not params.dry_run:
        deleted = _gently(rows.delete(settings.cleanup_dsn, entry, now - age, BATCH), there, "rows")
    return _result(deleted, there, params.dry_run, before=now - age)


@job("cleanup.redis_keys", params=RedisKeys, queue="bulk")
def redis_keys(params: RedisKeys) -> dict[str, Any]:
    """Delete idle keys.

    Long idle keys with names that match a pattern of BEATDESK_CLEANUP_REDIS_KEYS.

    On the server of BEATDESK_REDIS_URL. Keys of Beatdesk, RedBeat and Celery, queues, and lists
    with messages stay, whatever the pattern.
    """
    services = current_services()
    entries = {
        entry.pattern: entry
        for entry in map(job_limits.redis_keys, services.settings.cleanup_redis_keys)
    }
    entry = _chosen("pattern", params.pattern, entries, "BEATDESK_CLEANUP_REDIS_KEYS")
    idle = _age("idle_hours", params.idle_hours, timedelta(hours=1), entry.idle)
    queues = {queue for worker in services.catalogue.workers() for queue in worker.queues}
    queues |= keys.bound_queues(services.redis)
    found = looked_at = 0
    examples: list[str] = []
    for examined, names in keys.unlink_idle(
        services.redis, entry, int(idle.total_seconds()), queues, dry_run=params.dry_run
    ):
        looked_at += examined
        found += len(names)
        examples += names[: files.EXAMPLES - len(examples)]
        run.progress(found, None, f"{found:,} keys")
    result = _result(0 if params.dry_run else found, found, params.dry_run)
    return {**result, "looked_at": looked_at, "examples": examples}


def _gently(batches: Iterable[int], there: int, what: str) -> int:
    """Delete the batches, with a pause after each. Returns the number of deleted items."""
    deleted = 0
    for count in batches:
        deleted += count
        run.progress(deleted, max(there, deleted), f"{deleted:,} {what}")
        threading.Event().wait(PAUSE_SECONDS)
    return deleted


def _report_files(swept: files.Swept) -> None:
    run.progress(swept.looked_at, None, f"{swept.files:,} of {swept.looked_at:,} files")


def _result(
    deleted: int, found: int, dry_run: bool, before: datetime | None = None
) -> dict[str, Any]:
    """The common part of all cleanup jobs' results."""
    result = {"deleted": deleted, "would_delete": found, "dry_run": dry_run}
    return result if before is None else {**result, "before": before.isoformat()}


def _chosen(name: str, wanted: str, entries: dict[str, Any], setting: str) -> Any:
    if wanted not in entries:
        raise Refused(
            f"{name}: {wanted!r} is not listed in {setting} "
            f"({', '.join(entries) or 'which is empty'})",
            field=name,
        )
    return entries[wanted]


def _age(name: str, wanted: int | None, unit: timedelta, least: timedelta) -> timedelta:
    """The wanted age, or the settings' where none is given. Raises Refused for a lower age than
    the settings allow.
    """
    if wanted is None:
        return least
    if wanted * unit < least:
        raise Refused(
            f"{name}: {wanted} is less than the settings allow ({least / unit:g})", field=name
        )
    return wanted * unit
