"""Files that jobs left: shown in a sandbox, and never a file from elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import ReportStored
from scheduler.history.recorder import Recorder
from scheduler.wiring import Desk
from tests.integration.webadmin.conftest import Visitor

Store = Callable[..., str]


@pytest.fixture
def store(desk: Desk) -> Store:
    """`store("a.html", "text/html")`: a report of which the history knows; the address of its page."""

    def record(path: str, media_type: str = "text/html", content: str | None = "<h1>Hello</h1>") -> str:
        desk.settings.reports_dir.mkdir(parents=True, exist_ok=True)
        if content is not None:
            (desk.settings.reports_dir / path).write_text(content)
        name = f"rep-{abs(hash(path))}"
        facts = {"title": "Summary", "path": path, "media_type": media_type, "size": 9, "sha256": "0" * 64}
        event = ReportStored(at=utc_now(), report=name, run=None, **facts)
        desk.events.append(event)
        Recorder(desk.events, desk.engine, desk.redis, 100, "test").run_once(utc_now(), 1)
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


@pytest.mark.parametrize("media_type", ["text/csv", "image/svg+xml", "application/xhtml+xml", "text/xml", "nonsense"])
def test_what_a_browser_might_run_is_a_download(viewer: Visitor, store: Store, media_type: str) -> None:
    answer = viewer.get(store("a.bin", media_type))
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_any_report_can_be_downloaded(viewer: Visitor, store: Store) -> None:
    answer = viewer.get(store("a.html") + "/download")
    assert answer.headers["Content-Disposition"] == "attachment; filename=a.html"
    assert answer.text == "<h1>Hello</h1>"


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "sub/../../secret.txt", ".", "gone.html"])
def test_no_path_leads_out_of_the_reports(viewer: Visitor, store: Store, desk: Desk, path: str) -> None:
    desk.settings.reports_dir.mkdir(parents=True, exist_ok=True)
    (desk.settings.reports_dir.parent / "secret.txt").write_text("secret")
    (desk.settings.reports_dir / "sub").mkdir()
    answer = viewer.get(store(path, content=None))
    assert answer.status_code == 404
    assert "The file of this report is gone" in answer.text


def test_no_link_leads_out_of_the_reports(viewer: Visitor, store: Store, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    desk.settings.reports_dir.mkdir(parents=True)
    (desk.settings.reports_dir / "link.html").symlink_to(tmp_path / "secret.txt")
    assert viewer.get(store("link.html", content=None)).status_code == 404
