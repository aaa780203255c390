"""The job for profiles of datasets: the columns of CSV or Parquet files, as a page and as JSON."""

from datetime import timedelta
from typing import Any

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.job import job, run
from scheduler.jobs.profiling.parameters import DatasetProfile
from scheduler.jobs.report_files import ReportFiles
from scheduler.jobs.roots import chosen_root, refuse_own_folder
from scheduler.services.process import current_services

PERCENT = 100


@job("datasets.profile", title="Profile a dataset", params=DatasetProfile, queue="bulk")
def profile(params: DatasetProfile) -> dict[str, Any]:
    """Profile the columns of CSV or Parquet files below a folder of BEATDESK_FILE_ROOTS.

    Rows, types, empty and distinct values, least, greatest, mean, quantiles, histograms and the
    most frequent values, as a page and as JSON. All files of a folder and its subfolders count as
    one dataset. Malformed rows of a CSV are left out, counted and shown. Links are not followed.
    Memory and disk are bounded by the settings.
    """
    # DuckDB takes 40 MB: only in workers that run this job.
    from scheduler.jobs.profiling.page import as_html, as_json
    from scheduler.jobs.profiling.work import profiled

    services = current_services()
    now = utc_now()
    if params.format == "parquet" and (
        params.delimiter or params.header is not None or params.encoding != "utf-8"
    ):
        raise Refused("format: delimiter, header and encoding are for CSV files", field="format")
    root = chosen_root(services.settings.file_roots, params.root)
    refuse_own_folder(root, services.settings.data_dir)
    done = profiled(params, root, services.settings, now, _tell)
    keep_until = now + timedelta(days=params.keep_days)
    with ReportFiles(services.settings.reports_dir, services.events).batch(
        run=run.id, keep_until=keep_until, now=now
    ) as batch:
        for format, media_type, content in (
            ("html", "text/html", as_html(done)),
            ("json", "application/json", as_json(done)),
        ):
            with batch.file(done.title, f"dataset-profile.{format}", media_type) as file:
                file.write(content)
    run.progress(PERCENT, PERCENT, "stored")
    facts = {
        "rows": done.rows,
        "columns": len(done.columns),
        "bad_rows": done.bad.count,
        "files": len(done.files),
    }
    stored = [
        {"report": each.report, "path": each.path, "size": each.size} for each in batch.stored
    ]
    return {**facts, "bytes": done.size, "reports": stored}


def _tell(share: float, text: str) -> None:
    run.progress(round(PERCENT * share, 1), PERCENT, text)
