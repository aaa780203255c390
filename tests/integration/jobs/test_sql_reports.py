"""Reports over a database of yours, on a real worker; and disks that do not take them."""

import csv
import io
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from scheduler.celery_app.app import create_app
from scheduler.events.schema import ReportStored
from scheduler.jobs.tables.cells import unguarded
from scheduler.settings.schema import Settings
from tests.support.mail_server import mail_server
from tests.support.needs import missing
from tests.support.processes import ROOT, start_worker
from tests.support.runs.stream import Stream

Run = Callable[..., Any]
ROWS = 2500


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A database of a shop."""
    path = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, who TEXT, amount REAL)")
        rows = [(number, f"=cmd{number}", number / 4) for number in range(ROWS)]
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
    return path


@pytest.fixture
def job_settings(settings: Settings, shop: Path) -> Settings:
    """The settings of the worker: it may ask the shop."""
    return settings.model_copy(update={"report_dsn": f"sqlite:///{shop}", "report_max_rows": ROWS})


@pytest.fixture
def run_job(job_settings: Settings, stream: Stream) -> Iterator[Run]:
    """Run a job on a worker and give the event that ends it."""
    app = create_app(job_settings)
    start_worker(job_settings)

    def run_job(**kwargs: Any) -> Any:
        return stream.end(str(app.send_task("reports.sql_query", kwargs=kwargs).id))

    yield run_job
    app.close()


def files_below(folder: Path) -> list[Path]:
    """Every file there, hidden ones too."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_one_statement_becomes_a_table_in_each_format(
    settings: Settings, stream: Stream, run_job: Run
) -> None:
    statement = "SELECT id, who, amount FROM sales WHERE id < :most AND :tick > '2026' ORDER BY id"
    for format in ("csv", "xlsx", "html"):
        asked = {
            "statement": statement,
            "parameters": {"most": 2000},
            "totals": ["amount"],
            "title": "Sales / day",
        }
        end = run_job(**asked, format=format)
        assert end.kind == "run.succeeded", end
        assert (end.result["rows"], end.result["totals"]) == (2000, {"amount": 499750.0})
        assert end.result["path"].endswith(f"-sales-day.{format}")
    stored = [event for event in stream.events() if isinstance(event, ReportStored)]
    table, book, page = (settings.reports_dir / report.path for report in stored)
    rows = list(csv.reader(io.StringIO(table.read_text(), newline="")))
    assert rows[0] == ["id", "who", "amount"]
    assert [unguarded(row[1]) for row in rows[1:]] == [f"=cmd{number}" for number in range(2000)]
    cells = [[cell.value for cell in row] for row in load_workbook(book).active.iter_rows()]
    assert cells[1999 + 1] == [1999, "=cmd1999", 499.75]
    assert cells[-1][2] == 499750.0
    assert "499,750.0" in page.read_text()
    assert all(report.title.startswith("Sales / day, 20") and report.run for report in stored)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        (
            {"statement": "DELETE FROM sales"},
            "SQLite refuses the statement: DELETE sales is not allowed in a report",
        ),
        (
            {"statement": "SELECT * FROM sales UNION ALL SELECT * FROM sales"},
            "more than 2,500 rows",
        ),
        (
            {"statement": "SELECT 1", "max_rows": 0},
            "max_rows: Input should be greater than or equal to 1",
        ),
        (
            {"statement": "SELECT 1", "format": "pdf"},
            "format: Input should be 'csv', 'xlsx' or 'html'",
        ),
        ({"statement": "SELECT 1 AS a", "totals": ["b"]}, "the result has no column 'b'; it has a"),
        ({}, "statement: Field required"),
    ],
)
def test_what_cannot_be_reported_fails_with_the_reason_and_leaves_nothing(
    settings: Settings, run_job: Run, shop: Path, kwargs: dict[str, Any], words: str
) -> None:
    end = run_job(**kwargs)
    assert end.kind == "run.failed"
    assert words in end.error
    assert not files_below(settings.reports_dir)
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute("SELECT count(*) FROM sales").fetchone() == (ROWS,)


def test_a_folder_that_takes_no_files_is_told(settings: Settings, run_job: Run) -> None:
    settings.reports_dir.write_text("I am a file")
    end = run_job(statement="SELECT 1")
    assert end.kind == "run.failed"
    assert f"the report cannot be stored in {settings.reports_dir}: " in end.error
    assert "nothing of it was kept" in end.error


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Path]:
    """The reports are on a disk of 32 kB."""
    settings.reports_dir.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=32k", "beatdesk-test", str(settings.reports_dir)]
    if (
        os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        missing("only root may mount a disk that is full at once")
    yield settings.reports_dir
    subprocess.run(["umount", "-l", str(settings.reports_dir)], check=True)


@pytest.mark.parametrize("format", ["csv", "xlsx", "html"])
def test_a_full_disk_fails_the_run_and_keeps_no_half_file(
    small_disk: Path, run_job: Run, format: str
) -> None:
    statement = (
        "SELECT a.id * b.id * 7919, a.who || b.who FROM sales a, sales b WHERE b.id < 20 LIMIT 2500"
    )
    end = run_job(statement=statement, format=format)
    assert end.kind == "run.failed", end
    assert (
        f"the report cannot be stored in {small_disk}: No space left on device; nothing of it was "
        "kept" in end.error
    )
    assert not files_below(small_disk)
    assert shutil.disk_usage(small_disk).used == 0, (
        "a file that is gone, and still open, fills the disk"
    )


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_report_goes_by_mail_and_is_not_made_again_for_it(
    job_settings: Settings, stream: Stream, refusals: int
) -> None:
    app = create_app(job_settings)
    kwargs = {
        "statement": "SELECT who FROM sales LIMIT 3",
        "title": "Sales",
        "mail_to": ["ada@example.org"],
    }
    with mail_server(lambda number, _: "451 later" if number <= refusals else None) as server:
        changed = {"smtp_url": f"smtp://127.0.0.1:{server.port}", "mail_retry_seconds": 0.2}
        start_worker(job_settings.model_copy(update=changed))
        end = stream.end(str(app.send_task("reports.sql_query", kwargs=kwargs).id))
        assert end.kind == "run.succeeded", end
        if refusals:
            assert "451" in end.result["mail_problem"]
            assert stream.one(end.result["mail_again"], "run.queued").facts.job == "mail.send"
        else:
            assert end.result["mail"]
    app.close()
    assert sum(isinstance(event, ReportStored) for event in stream.events()) == 1
    taken = [mail.mail for mail in server.taken]
    assert [str(mail["Subject"])[:7] for mail in taken] == ["Sales, "] * (1 - refusals)
    assert [part.get_filename() for mail in taken for part in mail.iter_attachments()] == [
        "sales.csv"
    ] * (1 - refusals)


def test_without_a_server_for_mails_no_report_is_made(settings: Settings, run_job: Run) -> None:
    end = run_job(statement="SELECT 1", mail_to=["ada@example.org"])
    assert end.kind == "run.failed"
    assert "mail_to: there is no server for mails; set BEATDESK_SMTP_URL" in end.error
    assert not files_below(settings.reports_dir)


LIMITED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from scheduler.jobs.report_files import ReportFiles, ReportNotStored
from scheduler.jobs.tables.writing import writer

files = ReportFiles(Path(sys.argv[1]), None)
try:
    with files.batch(run=None, keep_until=None, now=datetime(2026, 11, 21, tzinfo=UTC)) as batch:
        with batch.file("title", "whole.txt", "text/plain") as file:
            file.write(b"whole")
        with batch.file("title", "table", "text/csv") as file, writer(sys.argv[2], file, "title", ["a"]) as table:
            for number in range(3000):
                table.rows([(f"{number:0300}",)] * 10)
            table.end(0, {})
except ReportNotStored as refused:
    print(refused)
"""


@pytest.mark.parametrize("format", ["csv", "xlsx", "html"])
def test_a_file_that_may_not_grow_is_taken_away_with_those_before_it(
    tmp_path: Path, format: str
) -> None:
    folder = tmp_path / "reports"
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), format],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert f"the report cannot be stored in {folder}: File too large" in ran.stdout
    assert not files_below(folder)
