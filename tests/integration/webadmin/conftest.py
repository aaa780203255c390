"""The real console over a real Valkey and SQLite, and visitors who log in through its form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.accounts.store import Accounts
from scheduler.catalogue.catalogue import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.services.services import Services
from webadmin import create_app

PASSWORD = "a few plain words"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser without JavaScript: keeps cookies, sends forms with the token of the page they
    stand on.
    """

    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def token(self, page: str = "/") -> str:
        found = TOKEN.search(self.get(page, follow_redirects=True).text)
        assert found, f"{page} has no form"
        return found[1]

    def post(
        self, path: str, fields: dict[str, Any] | None = None, page: str = "/", **options: Any
    ) -> TestResponse:
        return self.client.post(
            path, data={"csrf_token": self.token(page), **(fields or {})}, **options
        )

    def login(self, email: str, password: str = PASSWORD, query: str = "") -> TestResponse:
        return self.post("/login" + query, {"email": email, "password": password}, page="/login")

    @property
    def session(self) -> str:
        cookie = self.client.get_cookie("beatdesk")
        return cookie.value if cookie else ""


@pytest.fixture
def app(services: Services) -> Flask:
    """The console. It has no accounts yet."""
    return create_app(services.settings)


@pytest.fixture
def account(services: Services) -> Callable[[str], str]:
    """`account("viewer")`: the address of an account with this role."""

    @cache
    def create(role: str) -> str:
        return (
            Accounts(services.engine)
            .create(f"{role}@example.org", PASSWORD, role, now=utc_now())
            .email
        )

    return create


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody who has not logged in."""
    return Visitor(app.test_client())


@pytest.fixture
def logged_in(app: Flask, account: Callable[[str], str]) -> Callable[[str], Visitor]:
    """`logged_in("operator")`: somebody who has logged in with this role."""

    def login(role: str) -> Visitor:
        visitor = Visitor(app.test_client())
        assert visitor.login(account(role)).status_code == 302
        return visitor

    return login


@pytest.fixture
def viewer(logged_in: Callable[[str], Visitor]) -> Visitor:
    return logged_in("viewer")


@pytest.fixture
def operator(logged_in: Callable[[str], Visitor]) -> Visitor:
    return logged_in("operator")


@pytest.fixture
def admin(logged_in: Callable[[str], Visitor]) -> Visitor:
    return logged_in("admin")


@pytest.fixture
def offered(services: Services) -> None:
    """A worker offers `mail.digest`, which takes any arguments."""
    job = Job(
        name="mail.digest",
        title="Digest",
        parameters=[Parameter(name="kwargs", kind="var_keyword", required=False)],
    )
    now = utc_now()
    services.catalogue.publish(
        [job], Worker(name="w1@host", pid=1, host="host", at=now, jobs=[job.name]), now
    )
