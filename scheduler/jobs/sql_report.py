"""The job for reports on a user's database: one read-only statement, as CSV, XLSX or a page."""

import re
from collections.abc import Iterable
from datetime import timedelta
from time import monotonic
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.job import job, run
from scheduler.jobs.parameters import KeepDays, Parameters
from scheduler.jobs.report_files import ReportFiles
from scheduler.jobs.report_mail import MailTo, mail, refuse_unmailable
from scheduler.jobs.sql.caps import Batch, Budget, Caps
from scheduler.jobs.sql.child_process import query
from scheduler.jobs.tables.writing import MEDIA_TYPES, Format, Totals, writer
from scheduler.services.process import current_services
from scheduler.settings.schema import Settings

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
"""Text without line breaks and other control characters."""

Bound = str | int | float | bool | None


class SqlQuery(Parameters):
    """Parameters of `reports.sql_query`."""

    statement: Annotated[str, Field(min_length=1, max_length=20_000)] = Field(
        description="One SELECT; :name stands for a value of parameters, :tick for the moment the "
        "run was due (UTC)"
    )
    parameters: Annotated[dict[str, Bound], Field(max_length=50)] = Field(
        default={},
        description="Values for the names in the statement; they are bound, not written into it",
    )
    title: Annotated[str, Field(min_length=1, max_length=120, pattern=ONE_LINE)] = Field(
        default="SQL report", description="Title of the report, also used for the file's name"
    )
    format: Format = Field(
        default="csv", description="csv for programs, xlsx for spreadsheets, html for people"
    )
    totals: Annotated[list[str], Field(max_length=50)] = Field(
        default=[],
        description="Columns to add up: the last row in xlsx and html, and in the run's result",
    )
    max_rows: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Fail beyond so many rows; BEATDESK_REPORT_MAX_ROWS is the most"
    )
    keep_days: KeepDays = 90
    mail_to: MailTo = []


@job("reports.sql_query", params=SqlQuery, queue="bulk")
def sql_query(params: SqlQuery) -> dict[str, Any]:
    """SQL query as a report.

    One statement on the database of BEATDESK_REPORT_DSN, as CSV, XLSX or a page.

    Only reading statements are accepted, within the settings' caps on rows, bytes and time. The
    report is stored whole or not at all. Times are in UTC in XLSX. CSV has no row of totals, since
    programs would read totals as data.
    """
    services = current_services()
    now = utc_now()
    refuse_unmailable(services, params.mail_to)
    budget = Budget(caps_of(services.settings, params.max_rows), monotonic)
    files = ReportFiles(services.settings.reports_dir, services.events)
    name = f"{file_name(params.title)}.{params.format}"
    values = {**params.parameters, "tick": run.tick or now}
    keep_until = now + timedelta(days=params.keep_days)
    title = f"{params.title}, {run.tick or now:%Y-%m-%d}"
    with (
        query(address_of(services.settings), params.statement, values, budget) as (
            columns,
            batches,
        ),
        files.batch(run=run.id, keep_until=keep_until, now=now) as batch,
        batch.file(title, name, MEDIA_TYPES[params.format]) as file,
    ):
        totals = write_table(params, file, title, columns, budget.counted(batches))
    report = batch.stored[0]
    mailed = mail(services, batch.stored, params.mail_to, f"{totals.count:,} rows.", now)
    facts = {"rows": totals.count, "columns": columns[:100], "totals": totals.by_name}
    return {**facts, "report": report.report, "path": report.path, "size": report.size, **mailed}


def write_table(
    params: SqlQuery, file: BinaryIO, title: str, columns: list[str], batches: Iterable[Batch]
) -> Totals:
    """Write the table batch by batch, with progress. Returns count and totals."""
    totals = Totals(columns, params.totals)
    with writer(params.format, file, title, columns) as table:
        for batch in batches:
            table.rows(batch)
            totals.add(batch)
            run.progress(totals.count, None, f"{totals.count:,} rows")
        table.end(totals.count, totals.sums)
    return totals


def address_of(settings: Settings) -> str:
    """Address of the report database. Raises Refused where the settings have none."""
    if settings.report_dsn is None:
        raise Refused(
            "no database is configured; set BEATDESK_REPORT_DSN to "
            "postgresql://reader@host/name or sqlite:////folder/file.sqlite3, with a login that "
            "can only read"
        )
    return settings.report_dsn


def caps_of(settings: Settings, max_rows: int | None) -> Caps:
    """The caps of one report: a schedule may lower the settings' number of rows, never raise it."""
    rows = min(max_rows or settings.report_max_rows, settings.report_max_rows)
    return Caps(rows, settings.report_max_megabytes * 1_000_000, settings.report_max_seconds)


def file_name(title: str) -> str:
    """The title as a plain file name: small letters, digits and dashes, at most 60."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "report"
