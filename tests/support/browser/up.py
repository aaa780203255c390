"""`beatdesk up` as its first user gets it, and what no page may do in a browser."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, expect

from tests.support.processes import Process

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
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("response", self._answered)

    def allow(self, status: int) -> None:
        """The journey is about this refusal; Chromium writes one line about it."""
        self.allowed.add(status)

    def _on_console(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status}" in message.text for status in self.allowed)
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.faults.append(f"{response.status} {response.request.method} {response.url}")
