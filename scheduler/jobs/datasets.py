"""The profile of a dataset: what is in the columns of CSV or Parquet files, as a page and as
JSON.
"""

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
def profile(asks: DatasetProfile) -> dict[str, Any]:
    """What is in the columns of CSV or Parquet files below a folder of BEATDESK_FILE_ROOTS.

    Rows, types, empty and distinct values, least, greatest, mean, quantiles, histograms and the
    most frequent values, as a page and as JSON. All files of a folder and the folders in it count
    as one dataset. Rows of a CSV that do not fit are left out, counted and shown. Links are not
    followed. Memory and disk are bounded by the settings.
    """
    from scheduler.jobs.profiling.page import (
        as_html,
        as_json,
    )  # DuckDB takes 40 MB: only of workers that use it
    from scheduler.jobs.profiling.work import profiled

    services, now = current_services(), utc_now()
    if asks.format == "parquet" and (
        asks.delimiter or asks.header is not None or asks.encoding != "utf-8"
    ):
        raise Refused("format: delimiter, header and encoding are for CSV files", field="format")
    root = chosen_root(services.settings.file_roots, asks.root)
    refuse_own_folder(root, services.settings.data_dir)
    done = profiled(asks, root, services.settings, now, _tell)
    keep_until = now + timedelta(days=asks.keep_days)
    with ReportFiles(services.settings.reports_dir, services.events).shelf(
        run=run.id, keep_until=keep_until, now=now
    ) as shelf:
        for format, media_type, content in (
            ("html", "text/html", as_html(done)),
            ("json", "application/json", as_json(done)),
        ):
            with shelf.file(done.title, f"dataset-profile.{format}", media_type) as file:
                file.write(content)
    run.progress(PERCENT, PERCENT, "stored")
    facts = {
        "rows": done.rows,
        "columns": len(done.columns),
        "bad_rows": done.bad.count,
        "files": len(done.files),
    }
    stored = [
        {"report": each.report, "path": each.path, "size": each.size} for each in shelf.stored
    ]
    return {**facts, "bytes": done.size, "reports": stored}


def _tell(share: float, text: str) -> None:
    run.progress(round(PERCENT * share, 1), PERCENT, text)
