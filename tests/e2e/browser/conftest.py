"""One `beatdesk up` and one Chromium for all journeys; a fresh, logged-in window for each.

A page that reports an error in its console, breaks the content security policy or answers 5xx fails
its journey.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from scheduler.clock import utc_now
from scheduler.history.queries.views import RunFilter
from scheduler.services.services import Services
from tests.support.browser.up import PATIENCE, Up, Watch, log_in
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.processes import ROOT, Process
from tests.support.waiting import wait_for
from tests.support.webadmin import addresses
from tests.support.webadmin.addresses import SAMPLES
from tests.support.webadmin.samples import ACTOR, make_samples
from webadmin import create_app

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


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
def pages(desk_up: Services, up: Up) -> dict[str, str]:
    """Endpoint and address of every page, each with something on it: schedules in all states, a
    run that failed.
    """
    text = "word " * 40 + "a_word_without_any_place_to_break_" * 12
    schedule = make_samples(desk_up, "tests.fail", {"message": text})
    run = desk_up.control.start(schedule, actor=ACTOR, now=utc_now())
    wait_for(lambda: _has_failed(desk_up, run), 60, "the run has failed")
    wait_for(
        lambda: desk_up.history.deleted_as("sample-gone"), 30, "the history knows the deletion"
    )
    wait_for(lambda: len(desk_up.history.revisions(schedule.uid)) == 2, 30, "and the revisions")
    samples = {
        **SAMPLES,
        "jobs": {"name": schedule.job},
        "runs": {"id": run},
        "users.show": {"email": up.email},
    }
    return addresses.pages(create_app(desk_up.settings), samples)


def _has_failed(services: Services, run: str) -> bool:
    failed = services.history.runs(RunFilter(state="failed"), after=None, limit=9)
    return any(found.id == run for found in failed.items)


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
