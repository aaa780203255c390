"""`datasets.profile` and `images.thumbnails` on a real worker: what ends well, what fails, and what
is left then.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from PIL import Image

from scheduler.celery_app.app import create_app
from scheduler.clock import utc_now
from scheduler.events.schema import ReportStored
from scheduler.jobs.profiling.workplace import FOLDER
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.needs import missing
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream
from tests.support.waiting import wait_for

Run = Callable[..., Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a CSV, a picture, and one of each that is broken."""
    root = tmp_path / "files"
    (root / "pictures").mkdir(parents=True)
    (root / "sales.csv").write_text(
        "n,who\n" + "".join(f"{n},customer {n % 5}\n" for n in range(1000)) + '7,"a, b"\n'
    )
    (root / "broken.parquet").write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    Image.new("RGB", (400, 200), "red").save(root / "pictures" / "good.jpg")
    (root / "pictures" / "broken.jpg").write_text("no picture")
    (root / "wrecks").mkdir()
    (root / "wrecks" / "broken.jpg").write_text("no picture")
    return root


@pytest.fixture
def send_job(settings: Settings, root: Path) -> Iterator[Callable[..., str]]:
    """Send a job to a worker; the run's id."""
    allowed = settings.model_copy(update={"file_roots": (root,)})
    app = create_app(allowed)
    start_worker(allowed)

    def send_job(job: str, options: dict[str, Any] | None = None, **kwargs: Any) -> str:
        return str(app.send_task(job, kwargs=kwargs, **(options or {})).id)

    yield send_job
    app.close()


@pytest.fixture
def run_job(stream: Stream, send_job: Callable[..., str]) -> Run:
    """Run a job on a worker and give the event that ends it."""

    def run_job(job: str, options: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        return stream.end(send_job(job, options, **kwargs))

    return run_job


def files_below(folder: Path) -> list[Path]:
    """Every file there, hidden ones too."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_profile_is_stored_as_a_page_and_as_json(
    settings: Settings, stream: Stream, run_job: Run
) -> None:
    end = run_job("datasets.profile", root="files", path="sales.csv", keep_days=7)
    assert end.kind == "run.succeeded", end
    assert {name: end.result[name] for name in ("rows", "columns", "bad_rows", "files")} == {
        "rows": 1001,
        "columns": 2,
        "bad_rows": 0,
        "files": 1,
    }
    page, told = (event for event in stream.events() if isinstance(event, ReportStored))
    assert (page.media_type, told.media_type, page.run, page.title) == (
        "text/html",
        "application/json",
        end.run,
        told.title,
    )
    assert (page.keep_until - page.at).days == 7
    assert "customer 3" in (settings.reports_dir / page.path).read_text()
    assert json.loads((settings.reports_dir / told.path).read_text())["rows"] == 1001


def test_thumbnails_are_made_next_to_broken_pictures(root: Path, run_job: Run) -> None:
    end = run_job(
        "images.thumbnails",
        root="files",
        folder="pictures",
        to_folder="small",
        sizes=[100, 50, 100],
    )
    assert end.kind == "run.succeeded", end
    assert (end.result["made"], end.result["pictures"], end.result["broken"]) == (2, 2, 1)
    assert end.result["problems"] == [
        {"picture": "broken.jpg", "problem": "is not a JPEG, PNG, WebP or GIF picture"}
    ]
    assert sorted(
        path.relative_to(root / "small").as_posix() for path in files_below(root / "small")
    ) == [
        "100/good.jpg",
        "50/good.jpg",
    ]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("datasets.profile", {"root": "files", "path": "broken.parquet"}, "broken.parquet"),
    ("datasets.profile", {"root": "files", "path": "gone.csv"}, "No such file"),
    ("datasets.profile", {"root": "elsewhere"}, "is not a folder of BEATDESK_FILE_ROOTS"),
    (
        "datasets.profile",
        {"root": "files", "sample_rows": 0},
        "sample_rows: Input should be greater",
    ),
    ("datasets.profile", {"root": "files", "delimiter": '"'}, "a delimiter has no quotes"),
    (
        "datasets.profile",
        {"root": "files", "format": "parquet", "header": True},
        "are for CSV files",
    ),
    ("datasets.profile", {}, "root: Field required"),
    (
        "images.thumbnails",
        {"root": "files", "folder": "wrecks", "to_folder": "s"},
        "1 of 1 pictures could not",
    ),
    (
        "images.thumbnails",
        {"root": "files", "folder": "pictures", "to_folder": "s", "strict": True},
        "1 of 2 pictures could not be made smaller (broken.jpg: is not a JPEG, PNG, WebP or GIF picture); 2 "
        "thumb",
    ),
    (
        "images.thumbnails",
        {"root": "files", "folder": "pictures", "to_folder": "pictures"},
        "holds the folder",
    ),
    (
        "images.thumbnails",
        {"root": "files", "folder": "gone", "to_folder": "s"},
        "cannot be opened as a folder",
    ),
    (
        "images.thumbnails",
        {"root": "files", "to_folder": "s", "sizes": [9]},
        "sizes.0: Input should be greater",
    ),
    (
        "images.thumbnails",
        {"root": "files", "to_folder": "s", "max_megapixels": 100},
        "max_megapixels: Input",
    ),
]


def test_what_cannot_be_done_fails_with_the_reason_and_leaves_no_report(
    settings: Settings, run_job: Run
) -> None:
    for job, kwargs, words in REFUSED:
        end = run_job(job, **kwargs)
        assert (end.kind, words in end.error) == ("run.failed", True), (kwargs, end)
    assert not files_below(settings.reports_dir)
    assert not files_below(settings.data_dir / FOLDER)


def test_a_root_that_holds_the_schedules_is_refused_by_both(
    settings: Settings, stream: Stream
) -> None:
    inside = settings.model_copy(update={"file_roots": (settings.data_dir.parent,)})
    app = create_app(inside)
    start_worker(inside)
    for job, rest in (("datasets.profile", {}), ("images.thumbnails", {"to_folder": "s"})):
        end = stream.end(
            str(app.send_task(job, kwargs={"root": str(settings.data_dir.parent), **rest}).id)
        )
        assert "no job goes there" in end.error
    app.close()


@pytest.fixture
def wide(root: Path) -> str:
    """A file whose profile takes many seconds."""
    columns = ", ".join(f"(i * {number} % 9973)::DOUBLE AS c{number}" for number in range(800))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM range(20000) AS r(i)) TO '{root}/wide.parquet'"  # noqa: S608
        )
    return "wide.parquet"


def test_a_cancelled_profile_ends_in_its_midst_and_nothing_is_left(
    settings: Settings, services: Services, stream: Stream, send_job: Callable[..., str], wide: str
) -> None:
    run = send_job("datasets.profile", root="files", path=wide)
    wait_for(lambda: "run.progressed" in stream.kinds(run), 30, "the profile is at work")
    services.control.cancel(run, "ada@example.org", utc_now())
    end = stream.end(run)
    assert (end.kind, end.actor) == ("run.revoked", "ada@example.org")
    assert not files_below(settings.reports_dir)
    # The worker's main process records the end; the one with the job may clean up after that.
    wait_for(lambda: not files_below(settings.data_dir / FOLDER), 10, "nothing is left")
    assert (
        stream.end(send_job("datasets.profile", root="files", path="sales.csv")).kind
        == "run.succeeded"
    )


def test_a_time_limit_ends_a_profile_in_its_midst_and_nothing_is_left(
    settings: Settings, run_job: Run, wide: str
) -> None:
    end = run_job("datasets.profile", {"soft_time_limit": 1}, root="files", path=wide)
    assert end.kind == "run.failed", end
    assert "SoftTimeLimitExceeded" in end.error
    assert not files_below(settings.reports_dir)
    assert not files_below(settings.data_dir / FOLDER)
    assert run_job("datasets.profile", root="files", path="sales.csv").kind == "run.succeeded"


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Path]:
    """The reports are on a disk of 4 kB."""
    settings.reports_dir.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=4k", "beatdesk-test", str(settings.reports_dir)]
    if (
        os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        missing("only root may mount a disk that is full at once")
    yield settings.reports_dir
    subprocess.run(["umount", "-l", str(settings.reports_dir)], check=True)


def test_a_full_disk_fails_a_profile_and_keeps_no_half_report(
    small_disk: Path, run_job: Run
) -> None:
    end = run_job("datasets.profile", root="files", path="sales.csv")
    assert end.kind == "run.failed", end
    assert (
        f"the report cannot be stored in {small_disk}: No space left on device; nothing of it was "
        "kept" in end.error
    )
    assert not files_below(small_disk)
