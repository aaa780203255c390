"""The console below a path of its host: every page, every link, the login and its cookies."""

import html
import re
from collections.abc import Callable
from typing import Any, cast

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.webadmin.addresses import pages
from tests.support.webadmin.authenticator import Authenticator
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.visitor import Visitor
from webadmin import create_app

PREFIX = "/tools/desk"
ADDRESS = re.compile(r'(?:href|src|action|formaction|data-[a-z]+)="(/[^"]*)"')


class Below:
    """A client whose paths are below the prefix."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        options.pop("follow_redirects", None)
        return self._client.get(PREFIX + path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self._client.post(PREFIX + path, **options)


@pytest.fixture
def prefixed(services: Services) -> Flask:
    """The console below the prefix."""
    return create_app(services.settings.model_copy(update={"path_prefix": PREFIX}))


@pytest.fixture
def visitor(prefixed: Flask) -> Visitor:
    """Somebody who has not logged in, below the prefix."""
    return Visitor(cast(FlaskClient, Below(prefixed.test_client())))


@pytest.mark.usefixtures("offered")
def test_every_link_of_every_page_stays_below_the_prefix(
    prefixed: Flask, visitor: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    assert visitor.login(account("admin")).location == f"{PREFIX}/"
    found = {path: visitor.get(path) for path in pages(prefixed).values()}
    assert {page.status_code for page in found.values()} <= {200, 404}
    outside = {
        (path, address)
        for path, page in found.items()
        for address in ADDRESS.findall(page.text)
        if not address.startswith(f"{PREFIX}/")
    }
    assert outside == set()


def test_a_login_leads_back_to_the_page_and_a_logout_to_the_login(
    visitor: Visitor, account: Callable[[str], str]
) -> None:
    page = visitor.get("/runs/?state=failed")
    assert page.location == f"{PREFIX}/login?next={PREFIX}/runs/?state%3Dfailed"
    answer = visitor.login(account("viewer"), query=f"?next={PREFIX}/runs/?state%3Dfailed")
    assert answer.location == f"{PREFIX}/runs/?state=failed"
    assert visitor.post("/preferences", {"theme": "dark"}).location == f"{PREFIX}/"
    assert visitor.post("/logout").location == f"{PREFIX}/login"


def test_the_second_step_of_a_login_leads_below_the_prefix(
    visitor: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    email = account("viewer")
    setup = services.second_factors.begin(email)
    now = utc_now()
    code = pyotp.TOTP(setup.secret).at(now)
    recovery = services.second_factors.confirm(email, setup.sealed, code, now=now)
    step = "/login/second-step"
    assert visitor.login(email).location == PREFIX + step
    assert visitor.post(step, {"code": recovery[0]}, page=step).location == f"{PREFIX}/"


def test_a_passkey_leads_below_the_prefix(visitor: Visitor, account: Callable[[str], str]) -> None:
    key = Authenticator("http://localhost", "localhost")
    place = "/account/second-factor/"
    visitor.login(account("viewer"))
    shown = visitor.post(f"{place}passkeys/new", {"name": "laptop"}, page=place)
    options = html.unescape(re.findall(r'data-passkey-options="([^"]+)"', shown.text)[0])
    added = {"name": "laptop", "answer": key.create(options)}
    assert visitor.post(f"{place}passkeys", added, page=place).status_code == 200
    headers = {"X-CSRFToken": visitor.token("/login")}
    asked = visitor.client.post("/login/passkey/begin", headers=headers)
    answer = {"answer": key.get(asked.text)}
    assert visitor.post("/login/passkey", answer, page="/login").location == f"{PREFIX}/"


def test_nothing_is_served_outside_of_the_prefix_but_probes(prefixed: Flask) -> None:
    client = prefixed.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get(f"{PREFIX}/healthz").status_code == 200
    assert client.get(PREFIX).location == f"{PREFIX}/"
    for path in ("/login", "/", f"{PREFIX}er/login", "/tools/"):
        assert client.get(path).status_code == 404
        headers = {"X-Forwarded-Prefix": PREFIX, "X-Script-Name": PREFIX}
        assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("prefix", "name", "path"),
    [(None, "__Host-beatdesk", "/"), (PREFIX, "__Secure-beatdesk", PREFIX)],
)
def test_cookies_of_production_have_the_strictest_prefix_that_browsers_hold(
    services: Services,
    account: Callable[[str], str],
    prefix: str | None,
    name: str,
    path: str,
) -> None:
    production = {"environment": "production", "allowed_hosts": ("localhost",)}
    settings = services.settings.model_copy(update={"path_prefix": prefix, **production})
    client = create_app(settings).test_client()
    root, base = prefix or "", "https://localhost"
    page = client.get(f"{root}/login", base_url=base)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    answer = client.post(
        f"{root}/login",
        data={"csrf_token": token, "email": account("viewer"), "password": "a few plain words"},
        headers={"Referer": f"{base}{root}/login"},
        base_url=base,
    )
    assert answer.location == f"{root}/"
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {name, f"{name}_device"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax", f"Path={path}"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_development_has_cookies_that_plain_http_can_carry(app: Flask) -> None:
    cookie = app.test_client().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("beatdesk=")
    assert "Secure" not in cookie
