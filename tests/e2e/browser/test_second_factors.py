"""Second factors in a browser: an app's secret by text, a passkey by Chromium's own authenticator.

On a host with a name, and with an account of its own: every change ends the account's sessions.
"""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.browser.up import PATIENCE, Up, Watch

pytestmark = pytest.mark.timeout(240)

ANN = "ann@example.org"
PASSWORD = "some other plain words"
VIRTUAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def visitor(up: Up, desk_up: Services, chromium: Browser) -> Iterator[Page]:
    """A window on `localhost` that nobody has logged in, with an authenticator of Chromium's."""
    desk_up.accounts.create(ANN, PASSWORD, "viewer", now=utc_now())
    context = chromium.new_context(base_url=up.address.replace("127.0.0.1", "localhost"))
    context.set_default_timeout(PATIENCE)
    watch = Watch(context)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": VIRTUAL})
    yield page
    context.close()
    assert watch.faults == []


def _give_password(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(ANN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_a_person_sets_up_an_app_and_a_passkey_and_logs_in_with_both(visitor: Page) -> None:
    inside = re.compile(r"localhost:\d+/$")
    _give_password(visitor)
    visitor.goto("/account/second-factor/")
    _press(visitor, "Set up an app")
    expect(visitor.get_by_role("img", name="QR code")).to_be_visible()
    secret = visitor.locator("pre").inner_text().strip()
    visitor.get_by_label("Code that the app shows now").fill(pyotp.TOTP(secret).now())
    _press(visitor, "Confirm")
    recovery = visitor.locator("pre").inner_text().split()
    visitor.get_by_role("link", name="I have kept them").click()
    _give_password(visitor)
    visitor.get_by_label("Code of the authenticator app").fill(recovery[0])
    _press(visitor, "Log in")
    expect(visitor).to_have_url(inside)
    visitor.goto("/account/second-factor/")
    visitor.get_by_label("Name of the passkey").fill("laptop")
    _press(visitor, "Add a passkey")
    _press(visitor, "Make the passkey")
    expect(visitor.get_by_text("The passkey is added")).to_be_visible()
    _press(visitor, "Use a passkey")
    expect(visitor).to_have_url(inside)
    visitor.context.clear_cookies()
    _give_password(visitor)
    expect(visitor.get_by_role("heading", name="Second step")).to_be_visible()
    _press(visitor, "Use a passkey")
    expect(visitor).to_have_url(inside)
