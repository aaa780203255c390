"""Files that jobs left: shown in a sandbox, and never a file from elsewhere."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import ReportStored, RunFacts
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.builders import a_run_history, a_schedule
from tests.support.webadmin.visitor import Visitor

Store = Callable[..., str]


@pytest.fixture
def store(services: Services) -> Store:
    """`store("a.html", "text/html")`: a report of which the history knows; the address of its
    page.
    """

    def record(
        path: str, media_type: str = "text/html", content: str | None = "<h1>Hello</h1>"
    ) -> str:
        services.settings.reports_dir.mkdir(parents=True, exist_ok=True)
        if content is not None:
            (services.settings.reports_dir / path).write_text(content)
        name = f"rep-{abs(hash(path))}"
        facts = {
            "title": "Summary",
            "path": path,
            "media_type": media_type,
            "size": 9,
            "sha256": "0" * 64,
        }
        event = ReportStored(at=utc_now(), report=name, run=None, **facts)
        services.events.append(event)
        Recorder(services.events, services.engine, services.redis, 100, "test").run_once(
            utc_now(), 1
        )
        return f"/reports/{name}"

    return record


def test_a_page_is_shown_in_a_sandbox(viewer: Visitor, store: Store) -> None:
    page = viewer.get(store("a.html", content="<script>alert(1)</script>"))
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" not in page.headers.get("Content-Disposition", "")


@pytest.mark.parametrize(
    "media_type", ["text/csv", "image/svg+xml", "application/xhtml+xml", "text/xml", "nonsense"]
)
def test_what_a_browser_might_run_is_a_download(
    viewer: Visitor, store: Store, media_type: str
) -> None:
    answer = viewer.get(store("a.bin", media_type))
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_any_report_can_be_downloaded(viewer: Visitor, store: Store) -> None:
    answer = viewer.get(store("a.html") + "/download")
    assert answer.headers["Content-Disposition"] == "attachment; filename=a.html"
    assert answer.text == "<h1>Hello</h1>"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "/etc/hostname", "sub/../../secret.txt", ".", "gone.html"]
)
def test_no_path_leads_out_of_the_reports(
    viewer: Visitor, store: Store, services: Services, path: str
) -> None:
    services.settings.reports_dir.mkdir(parents=True, exist_ok=True)
    (services.settings.reports_dir.parent / "secret.txt").write_text("secret")
    (services.settings.reports_dir / "sub").mkdir()
    answer = viewer.get(store(path, content=None))
    assert answer.status_code == 404
    assert "The file of this report is gone" in answer.text


def test_no_link_leads_out_of_the_reports(
    viewer: Visitor, store: Store, services: Services, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    services.settings.reports_dir.mkdir(parents=True)
    (services.settings.reports_dir / "link.html").symlink_to(tmp_path / "secret.txt")
    assert viewer.get(store("link.html", content=None)).status_code == 404


def test_the_list_tells_which_run_made_a_report_and_when_it_goes(
    viewer: Visitor, store: Store, services: Services
) -> None:
    store("a.csv", "text/csv")
    made = [
        *a_run_history("run-1", schedule=a_schedule("nightly")),
        *a_run_history("run-2", facts=RunFacts(job="tests.add")),
    ]
    for number, (run, days) in enumerate([("run-1", 3), ("run-2", -1), ("run-gone", 3)]):
        facts = {
            "title": f"Report {number}",
            "path": "a.csv",
            "media_type": "text/csv",
            "size": 9,
            "sha256": "0" * 64,
        }
        keep_until = utc_now() + timedelta(days=days, hours=1)
        made.append(
            ReportStored(
                at=utc_now(), report=f"rep-{number}", run=run, keep_until=keep_until, **facts
            )
        )
    services.events.append_many(made)
    recorder = Recorder(services.events, services.engine, services.redis, 100, "test")
    while services.events.length():
        recorder.run_once(utc_now(), 1)
    page = viewer.get("/reports/").text
    assert '<a href="/runs/run-1">nightly</a>' in page
    assert '<a href="/runs/run-2">tests.add</a>' in page
    assert page.count("made by a run that is no longer in the history") == 1
    assert page.count("over; the next cleanup.reports deletes it") == 1
    assert page.count("in 3 d") == 2
    assert "for ever" in page
    assert "CSV" in page
    run_page = viewer.get("/runs/run-1").text
    assert 'href="/reports/rep-0/download">Report 0</a>' in run_page
    assert "Report 1" not in run_page
