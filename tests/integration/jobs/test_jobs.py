"""Reports and cleaning on a real worker, over a history that was folded from events."""

import csv
import hashlib
import io
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, update

from scheduler.celery_app.app import create_app
from scheduler.events.schema import Event, ReportStored
from scheduler.history.engine import writing
from scheduler.history.models import Run as RunRow
from scheduler.history.queries.views import RunFilter
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.builders import a_run_history, a_schedule
from tests.support.history.recording import record
from tests.support.processes import start_worker
from tests.support.runs.house import House, send_approved
from tests.support.runs.stream import Stream

Run = Callable[..., Any]

HOSTILE = "=cmd|'/c calc'!A1"
SCRIPT = "<script>alert(1)</script>"


def now() -> datetime:
    """The real time: jobs look back from it."""
    return datetime.now(UTC)  # noqa: TID251 - see above


@pytest.fixture
def run_job(services: Services, settings: Settings, stream: Stream) -> Iterator[Run]:
    """Run a job on a worker and give the event that ends it."""
    app = create_app(settings)
    start_worker(settings)

    def run_job(name: str, **kwargs: Any) -> Any:
        return stream.end(send_approved(app, name, kwargs))

    yield run_job
    app.close()


def past_runs(
    when: datetime, *, schedule: str = "nightly", ok: int = 0, failed: int = 0
) -> list[Event]:
    """Runs of a schedule, two seconds long each."""
    states = ["succeeded"] * ok + ["failed"] * failed
    return [
        event
        for number, state in enumerate(states)
        for event in a_run_history(
            f"{schedule[:8]}-{when.date()}-{number}",
            schedule=a_schedule(schedule, "tests.add"),
            tick=when + timedelta(minutes=number),
            state=state,
        )
    ]


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_the_summary_is_a_page_and_a_table_over_the_history(
    services: Services, settings: Settings, stream: Stream, run_job: Run
) -> None:
    record(
        services,
        *past_runs(now() - timedelta(hours=3), ok=3, failed=1),
        *past_runs(now() - timedelta(hours=2), schedule=HOSTILE, ok=1),
        *past_runs(now() - timedelta(hours=2), schedule=SCRIPT, ok=1),
        *past_runs(now() - timedelta(days=3), schedule="too-old", ok=1),
    )
    end = run_job("reports.job_summary", days=1, formats=["html", "csv", "pdf"])
    assert end.kind == "run.succeeded", end
    stored = [event for event in stream.events() if isinstance(event, ReportStored)]
    kinds = ["text/html", "text/csv", "application/pdf"]
    assert [(report.media_type, report.run) for report in stored] == [
        (kind, end.run) for kind in kinds
    ]
    html, table, paper = ((settings.reports_dir / report.path).read_bytes() for report in stored)
    for report, content in zip(stored, (html, table, paper), strict=True):
        assert (report.size, report.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert report.keep_until is not None
        assert report.keep_until > now() + timedelta(days=89)
    rows = {row["schedule"]: row for row in csv.DictReader(io.StringIO(table.decode(), newline=""))}
    assert set(rows) >= {"nightly", f"'{HOSTILE}", SCRIPT}
    assert "too-old" not in rows
    nightly = rows["nightly"]
    assert [nightly[name] for name in ("job", "runs", "succeeded", "failed")] == [
        "tests.add",
        "4",
        "3",
        "1",
    ]
    assert float(nightly["median_duration_s"]) == pytest.approx(2.0, abs=0.1)
    assert float(nightly["max_lateness_s"]) == pytest.approx(0.02, abs=0.01)
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)
    assert {"nightly", "By schedule", "tests.add"} <= set(words.splitlines())
    page = Page(html.decode())
    assert {"nightly", SCRIPT, HOSTILE} <= set(page.words)
    assert "script" not in page.tags
    assert not list(settings.reports_dir.rglob("*.part"))


def test_the_summary_of_an_empty_history_says_so(
    settings: Settings, stream: Stream, run_job: Run
) -> None:
    assert (
        run_job("reports.job_summary", period="month", timezone="Europe/Berlin").kind
        == "run.succeeded"
    )
    report = next(event for event in stream.events() if isinstance(event, ReportStored))
    assert "Nothing ran in this time." in (settings.reports_dir / report.path).read_text()


def test_old_history_is_deleted_and_the_rest_stays(services: Services, run_job: Run) -> None:
    record(
        services,
        *past_runs(now() - timedelta(days=40), schedule="old", ok=700, failed=3),
        *past_runs(now() - timedelta(days=20), schedule="new", ok=2),
        *a_run_history("old-and-running", tick=now() - timedelta(days=50), state="started"),
    )
    trial = run_job("cleanup.job_history", days=30, dry_run=True).result
    assert (trial["deleted"], trial["would_delete"]) == (0, 703)
    assert run_job("cleanup.job_history", days=30, states=["failed"]).result["deleted"] == 3
    assert run_job("cleanup.job_history", days=30).result["deleted"] == 700
    left = services.history.runs(RunFilter(), after=None, limit=50).items
    assert sorted(run.id for run in left if run.schedule in {"old", "new"}) == [
        run.id for run in sorted(left, key=lambda run: run.id) if run.schedule == "new"
    ]
    assert services.history.run("old-and-running").state == "running"


@pytest.mark.parametrize(
    ("job", "kwargs", "words"),
    [
        *[
            ("reports.job_summary", {"days": days}, "days: Input should be ")
            for days in (0, 367, "1", True, 1.5)
        ],
        ("reports.job_summary", {"days": 1, "period": "week"}, "give a period or days, not both"),
        (
            "reports.job_summary",
            {"timezone": "Berlin"},
            "there is no time zone 'Berlin'; did you mean 'Europe/Berlin'?",
        ),
        ("reports.job_summary", {"formats": []}, "formats: List should have at least 1 item"),
        ("cleanup.job_history", {"days": 0}, "days: Input should be greater than or equal to 1"),
        ("cleanup.job_history", {"states": "failed"}, "states: Input should be a valid list"),
        (
            "cleanup.job_history",
            {"states": ["running"]},
            "states.0: Input should be 'succeeded', 'failed', ",
        ),
        (
            "cleanup.files",
            {"root": "/etc"},
            "root: '/etc' is not a folder of BEATDESK_FILE_ROOTS (none)",
        ),
        (
            "cleanup.sql_rows",
            {"rows": "a.b"},
            "no database is configured; set BEATDESK_CLEANUP_DSN",
        ),
        (
            "cleanup.redis_keys",
            {"pattern": "*"},
            "'*' is not listed in BEATDESK_CLEANUP_REDIS_KEYS (which is empty)",
        ),
        (
            "reports.sql_query",
            {"statement": "SELECT 1"},
            "no database is configured; set BEATDESK_REPORT_DSN",
        ),
        (
            "demo.long_task",
            {"duration": -1},
            "duration is a whole number of seconds from 0 to 3600, not -1",
        ),
    ],
)
def test_parameters_that_make_no_sense_fail_the_run_with_the_reason(
    house: House, job: str, kwargs: dict[str, Any], words: str
) -> None:
    end = house.stream.end(send_approved(house.app, job, kwargs))
    assert end.kind == "run.failed"
    assert words in end.error


def test_reports_that_were_kept_long_enough_go_with_their_files(
    services: Services, settings: Settings, stream: Stream, run_job: Run
) -> None:
    run_job("reports.job_summary")
    fresh = [event for event in stream.events() if isinstance(event, ReportStored)]
    gone = [
        report.model_copy(
            update={"report": f"old-{number}", "path": f"old/{number}.html", "keep_until": now()}
        )
        for number, report in enumerate(fresh)
    ]
    folder = settings.reports_dir / "old"
    folder.mkdir()
    (folder / "0.html").write_text("old")
    record(services, *gone)
    (folder / ".half.part").write_text("half")
    os.utime(folder / ".half.part", (0, 0))
    (folder / ".growing.part").write_text("half")
    trial = run_job("cleanup.reports", dry_run=True).result
    assert (trial["deleted"], trial["would_delete"], trial["unfinished"]) == (0, 2, 1)
    done = run_job("cleanup.reports").result
    assert (done["deleted"], done["unfinished"]) == (2, 1)
    assert done["bytes"] == sum(report.size for report in gone)
    (folder / ".growing.part").unlink()
    assert not list(folder.iterdir())
    assert {report.id for report in services.history.reports().items} == {
        report.report for report in fresh
    }
    assert all((settings.reports_dir / report.path).exists() for report in fresh)


def test_a_path_that_leads_out_of_the_folder_is_not_removed(
    services: Services, stream: Stream, run_job: Run, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    run_job("reports.job_summary")
    report = next(event for event in stream.events() if isinstance(event, ReportStored))
    record(
        services,
        report.model_copy(update={"report": "evil", "path": "../../precious", "keep_until": now()}),
    )
    end = run_job("cleanup.reports")
    assert end.kind == "run.failed"
    assert precious.read_text() == "keep me"


def test_the_demo_takes_its_time(house: House) -> None:
    end = house.stream.end(house.send("demo.long_task", kwargs={"duration": 1}))
    assert end.result == {"duration": 1}
    assert end.runtime >= 1


def test_the_history_is_cleaned_by_schedule_and_state(services: Services, run_job: Run) -> None:
    for schedule in ("one", "two"):
        record(services, *past_runs(now() - timedelta(days=40), schedule=schedule, ok=3, failed=2))
    about = {"days": 30, "schedule": "one", "states": ["succeeded", "lost"]}
    assert run_job("cleanup.job_history", **about, dry_run=True).result["would_delete"] == 3
    assert run_job("cleanup.job_history", **about).result["deleted"] == 3
    left = services.history.runs(RunFilter(), after=None, limit=50).items
    assert sorted((run.schedule, run.state) for run in left if run.schedule) == [
        *[("one", "failed")] * 2,
        *[("two", "failed")] * 2,
        *[("two", "succeeded")] * 3,
    ]


def test_the_recorder_does_not_wait_for_a_cleaning(
    services: Services, run_job: Run, engine: Engine
) -> None:
    record(services, *past_runs(now() - timedelta(days=40), schedule="old", ok=3000))
    over, times = threading.Event(), []

    def keep_recording() -> None:
        while not over.is_set():
            begun = perf_counter()
            with writing(engine).begin() as connection:
                connection.execute(
                    update(RunRow).where(RunRow.id == "old-nobody").values(state="failed")
                )
            times.append(perf_counter() - begun)

    recorder = threading.Thread(target=keep_recording)
    recorder.start()
    try:
        end = run_job("cleanup.job_history", days=30)
    finally:
        over.set()
        recorder.join()
    assert end.result["deleted"] == 3000
    assert len(times) > 20
    assert max(times) < 2.0


@pytest.fixture
def allowing(settings: Settings, tmp_path: Path) -> Settings:
    """A worker that may delete: some files, some rows, some keys."""
    shop = tmp_path / "app.sqlite3"
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.execute("CREATE TABLE sessions (id INTEGER, created_at TEXT)")
        connection.execute("INSERT INTO sessions VALUES (1, '2020-01-01'), (2, '2099-01-01')")
    old = tmp_path / "exports" / "old.csv"
    old.parent.mkdir()
    old.write_text("old")
    os.utime(old, (0, 0))
    given = {
        "file_roots": (old.parent,),
        "cleanup_dsn": f"sqlite:///{shop}",
        "cleanup_sql_rows": ("sessions.created_at 30d",),
        "cleanup_redis_keys": ("session:* 2h",),
    }
    return settings.model_copy(update=given)


@pytest.mark.parametrize(
    ("job", "kwargs"),
    [
        ("cleanup.files", {"root": "exports"}),
        ("cleanup.sql_rows", {"rows": "sessions.created_at", "older_than_days": 31}),
        ("cleanup.redis_keys", {"pattern": "session:*"}),
    ],
)
def test_what_the_settings_allow_is_deleted_after_a_dry_run(
    allowing: Settings, stream: Stream, services: Services, job: str, kwargs: dict[str, Any]
) -> None:
    services.redis.set("session:1", "x")
    dump = services.redis.execute_command("DUMP", "session:1", NEVER_DECODE=True)
    services.redis.execute_command("RESTORE", "session:1", 0, dump, "REPLACE", "IDLETIME", 8000)
    app = create_app(allowing)
    start_worker(allowing)
    ends = [
        stream.end(str(app.send_task(job, kwargs={**kwargs, **more}).id))
        for more in ({}, {"dry_run": False}) * 2
    ]
    app.close()
    assert [(end.result["deleted"], end.result["would_delete"]) for end in ends] == [
        (0, 1),
        (1, 1),
        (0, 0),
        (0, 0),
    ]


@pytest.mark.parametrize(
    ("job", "kwargs", "words"),
    [
        (
            "cleanup.sql_rows",
            {"rows": "users.created_at"},
            "'users.created_at' is not listed in BEATDESK_CLEANUP_SQL",
        ),
        (
            "cleanup.sql_rows",
            {"rows": "sessions.created_at", "older_than_days": 29},
            "29 is less than the settings allow (30)",
        ),
        (
            "cleanup.redis_keys",
            {"pattern": "session:*", "idle_hours": 1},
            "1 is less than the settings allow (2)",
        ),
        (
            "cleanup.files",
            {"root": "exports", "folder": "../data"},
            "must lead downwards from the root",
        ),
        (
            "cleanup.files",
            {"root": "exports", "older_than_days": 0},
            "older_than_days: Input should be greater",
        ),
    ],
)
def test_a_schedule_cannot_ask_for_more_than_the_settings_allow(
    allowing: Settings, stream: Stream, job: str, kwargs: dict[str, Any], words: str
) -> None:
    app = create_app(allowing)
    start_worker(allowing)
    end = stream.end(str(app.send_task(job, kwargs={**kwargs, "dry_run": False}).id))
    app.close()
    assert end.kind == "run.failed"
    assert words in end.error
