"""The real console over a real Valkey and SQLite, and visitors who log in through its form."""

from collections.abc import Callable
from functools import cache

import pytest
from flask import Flask

from scheduler.accounts.store import Accounts
from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin import create_app


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
