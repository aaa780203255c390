"""One `beatdesk up` and one Chromium for all journeys; a fresh, logged-in window for each.

A page that reports an error in its console, breaks the content security policy or answers 5xx fails
its journey.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

from scheduler.services.services import Services
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.processes import ROOT, Process
from tests.support.waiting import wait_for

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
PATIENCE = 15_000
"""Milliseconds for which a journey waits for something to appear; two cores may be busy."""

WATCH_THE_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`policy: ${event.violatedDirective} refuses ${event.blockedURI} at ${event.sourceFile}`);
});
"""


@dataclass
class Up:
    """The running desk: its process, its address, and the login that it printed."""

    process: Process
    folder: Path
    address: str
    email: str
    password: str


@pytest.fixture(scope="session")
def up(valkey_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`beatdesk up` in an empty folder, as its first user gets it; only the test's jobs and a port
    are set.
    """
    folder = tmp_path_factory.mktemp("up")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("BEATDESK_")
    }
    environment |= {
        "BEATDESK_JOBS": "tests.support.jobs",
        "BEATDESK_CLEANUP_REDIS_KEYS": "scratch:* 1h",
        "BEATDESK_WEB_PORT": str(free_port()),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    process = Process("beatdesk", "up", env=environment, cwd=folder, name="beatdesk up", keep=True)
    try:
        address, email, password = wait_for(
            lambda: _told(process), 90, "`beatdesk up` prints address and login"
        )
        yield Up(process, folder, address, email, password)
    finally:
        process.stop(timeout=60)
        process.forget()


def _told(process: Process) -> tuple[str, str, str] | None:
    if not process.running():
        raise RuntimeError(f"`beatdesk up` has ended:\n{process.log}")
    address = re.search(r"Beatdesk is running: (http://127\.0\.0\.1:\d+)", process.log)
    login = re.search(r"log in as +(\S+)\s+password +(\S+)", process.log)
    return (address[1], login[1], login[2]) if address and login else None


@pytest.fixture(scope="session")
def desk_up(up: Up) -> Iterator[Services]:
    """The parts beside the running desk, found as every other command finds them, to see what was
    really stored.
    """
    from scheduler.settings.environment import load

    services = Services(load({}, up.folder))
    wait_for(lambda: services.catalogue.get("tests.echo"), 90, "the worker has published its jobs")
    yield services
    services.engine.dispose()
    services.redis.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if program is None:
        missing("there is no Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def login(up: Up, chromium: Browser) -> dict[str, object]:
    """The cookies of the admin, logged in with what `beatdesk up` printed. A logout would end all
    his sessions.
    """
    context = chromium.new_context(base_url=up.address)
    page = context.new_page()
    log_in(page, up.email, up.password)
    state = dict(context.storage_state())
    context.close()
    return state


def log_in(page: Page, email: str, password: str) -> None:
    """Fill in the login form."""
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page).not_to_have_url(re.compile("/login"), timeout=PATIENCE)


class Watch:
    """Collects what no page may do."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        self.allowed: set[int] = set()
        context.add_init_script(WATCH_THE_POLICY)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("response", self._answered)

    def allow(self, status: int) -> None:
        """The journey is about this refusal; Chromium writes one line about it."""
        self.allowed.add(status)

    def _said(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status}" in message.text for status in self.allowed)
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.faults.append(f"{response.status} {response.request.method} {response.url}")


@pytest.fixture
def watch(context: BrowserContext) -> Watch:
    """What the pages of this journey did wrong so far."""
    return context.watch  # type: ignore[attr-defined]


@pytest.fixture
def context(  # noqa: PLR0917
    up: Up,
    desk_up: Services,
    chromium: Browser,
    login: dict[str, object],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[BrowserContext]:
    """A window of the logged-in admin that fails its journey when a page misbehaves."""
    context = chromium.new_context(base_url=up.address, storage_state=login, locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    context.watch = watch = Watch(context)  # type: ignore[attr-defined]
    yield context
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(context.pages):
            path = tmp_path / f"page-{number}.png"
            page.screenshot(path=path, full_page=True)
            print(f"screenshot of {page.url}: {path}")  # noqa: T201 - shown with the failure
    context.close()
    assert watch.faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page of that window."""
    return context.new_page()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember a failure, so that the window's fixture can leave a picture of it."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed  # type: ignore[attr-defined]
    return report
