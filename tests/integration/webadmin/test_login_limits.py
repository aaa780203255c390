"""The limits of logins through the console: form and JSON, one and a hundred at once."""

import resource
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask_security.core import UserMixin
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin.counting.names import short_digest

VIEWER = "viewer@example.org"


@pytest.fixture(autouse=True)
def _viewer(account: Callable[[str], str]) -> None:
    account("viewer")


def attempt(
    app: Flask, address: str, password: str, *, visitor: Visitor | None = None, json: bool = False
) -> TestResponse:
    """A login from a network address; by default with a new device."""
    somebody = visitor or Visitor(app.test_client())
    token = somebody.token("/login")
    fields = {"email": VIEWER, "password": password}
    place = {"REMOTE_ADDR": address}
    if json:
        headers = {"X-CSRFToken": token, "Accept": "application/json"}
        return somebody.client.post("/login", json=fields, headers=headers, environ_base=place)
    return somebody.client.post("/login", data={"csrf_token": token, **fields}, environ_base=place)


def attack(app: Flask, count: int = 21) -> list[int]:
    return [attempt(app, f"10.0.{number}.1", "wrong").status_code for number in range(count)]


def test_empty_passwords_from_anywhere_do_not_lock_an_account(app: Flask) -> None:
    for json in (False, True):
        statuses = {
            attempt(app, f"10.{json:d}.{number}.1", "", json=json).status_code
            for number in range(30)
        }
        assert statuses <= {200, 400}
    assert attempt(app, "192.0.2.7", PASSWORD).status_code == 302


def test_logins_by_json_are_counted_like_forms(app: Flask) -> None:
    statuses = [attempt(app, "10.0.0.1", "wrong", json=True).status_code for _ in range(10)]
    statuses += [attempt(app, "10.0.0.1", "wrong").status_code for _ in range(10)]
    refused = attempt(app, "10.0.0.1", PASSWORD, json=True)
    assert statuses == [400] * 10 + [200] * 10
    assert refused.status_code == 429
    assert "Too many wrong logins" in refused.get_json()["error"]


def test_an_account_under_attack_is_open_to_a_known_device_and_soon_to_a_new_one(
    app: Flask,
) -> None:
    owner = Visitor(app.test_client())
    assert owner.login(VIEWER).status_code == 302
    assert owner.post("/logout").status_code == 302
    assert attack(app)[-1] == 429
    assert attempt(app, "10.0.0.1", PASSWORD, visitor=owner).status_code == 302
    refused = attempt(app, "192.0.2.7", PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 5
    assert "It is not locked" in refused.text


def test_a_known_device_is_that_of_its_account_only(
    app: Flask, account: Callable[[str], str]
) -> None:
    other = Visitor(app.test_client())
    assert other.login(account("operator")).status_code == 302
    assert other.post("/logout").status_code == 302
    assert attack(app)[-1] == 429
    assert attempt(app, "192.0.2.7", PASSWORD, visitor=other).status_code == 429


def test_a_forged_device_is_unknown(app: Flask) -> None:
    """Though it names the account, as nobody but its owner could know."""
    assert attack(app)[-1] == 429
    forger = Visitor(app.test_client())
    device = {"id": "x", "of": [short_digest(VIEWER)]}
    forged = URLSafeTimedSerializer("another key", salt="beatdesk device").dumps(device)
    forger.client.set_cookie("beatdesk_device", str(forged))
    assert attempt(app, "192.0.2.7", PASSWORD, visitor=forger).status_code == 429


def test_a_hundred_logins_at_once_try_twenty_passwords_and_hash_two_at_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, tried = 0, 0, 0
    lock = threading.Lock()
    verify = UserMixin.verify_and_update_password

    def counted(user: UserMixin, password: str) -> bool:
        nonlocal running, most, tried
        with lock:
            running += 1
            tried += 1
            most = max(most, running)
        try:
            return bool(verify(user, password))
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(UserMixin, "verify_and_update_password", counted)
    visitors = [Visitor(app.test_client()) for _ in range(100)]
    tokens = [visitor.token("/login") for visitor in visitors]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def login(number: int) -> int:
        fields = {"csrf_token": tokens[number], "email": VIEWER, "password": "wrong"}
        return visitors[number].client.post("/login", data=fields).status_code

    with ThreadPoolExecutor(100) as pool:
        statuses = Counter(pool.map(login, range(100)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert set(statuses) <= {200, 429}
    assert statuses[200] == tried <= 20
    assert most <= 2
    assert grown < 400_000, f"{grown} kB"
