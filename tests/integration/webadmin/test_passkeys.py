"""Passkeys through the console: adding, logging in without a password, the second step."""

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scheduler.accounts.passkeys import Passkeys
from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.webadmin.access_events import access_events
from tests.support.webadmin.authenticator import USER_PRESENT, Authenticator
from tests.support.webadmin.visitor import Visitor

ANN = "viewer@example.org"
PAGE = "/account/second-factor/"
STEP = "/login/second-step"
OPTIONS = re.compile(r'data-passkey-options="([^"]+)"')


@pytest.fixture
def key() -> Authenticator:
    return Authenticator("http://localhost", "localhost")


def _add(visitor: Visitor, key: Authenticator) -> TestResponse:
    shown = visitor.post(PAGE + "passkeys/new", {"name": "laptop"}, page=PAGE)
    options = html.unescape(OPTIONS.findall(shown.text)[0])
    fields = {"name": "laptop", "answer": key.create(options)}
    return visitor.post(PAGE + "passkeys", fields, page=PAGE)


@pytest.fixture
def registered(logged_in: Callable[[str], Visitor], key: Authenticator) -> TestResponse:
    """The viewer has a passkey; the answer that showed recovery codes."""
    return _add(logged_in("viewer"), key)


def _begin(visitor: Visitor) -> str:
    headers = {"X-CSRFToken": visitor.token("/login")}
    return visitor.client.post("/login/passkey/begin", headers=headers).text


def _finish(visitor: Visitor, answer: str, **fields: str) -> TestResponse:
    return visitor.post("/login/passkey", {"answer": answer, **fields}, page="/login")


def _is_in(visitor: Visitor) -> bool:
    return visitor.get("/").status_code == 200


def test_a_passkey_is_added_and_logs_in_without_a_password(
    visitor: Visitor, key: Authenticator, registered: TestResponse, services: Services
) -> None:
    assert "Recovery codes" in registered.text
    answer = key.get(_begin(visitor))
    assert _finish(visitor, answer, next="/runs/").location == "/runs/"
    assert _is_in(visitor)
    assert "laptop" in visitor.get(PAGE).text
    last = access_events(services)[-1]
    assert (last["kind"], last["detail"], last["actor"]) == ("access.logged_in", "passkey", ANN)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:x", ""])
@pytest.mark.usefixtures("registered")
def test_the_login_leads_to_paths_of_the_console_only(
    visitor: Visitor, key: Authenticator, target: str
) -> None:
    assert _finish(visitor, key.get(_begin(visitor)), next=target).location == "/"


@pytest.mark.usefixtures("registered")
def test_an_answer_counts_once_also_with_a_copied_cookie(
    app: Flask, visitor: Visitor, key: Authenticator
) -> None:
    key.count = -1  # a passkey that never counts
    answer = key.get(_begin(visitor))
    copy = Visitor(app.test_client())
    copy.client.set_cookie("beatdesk", visitor.session)
    fields = {"csrf_token": visitor.token("/login"), "answer": answer}
    copy_fields = {"csrf_token": copy.token("/login"), "answer": answer}
    assert visitor.client.post("/login/passkey", data=fields).location == "/"
    assert copy.client.post("/login/passkey", data=copy_fields).location == "/login"
    assert not _is_in(copy)


@pytest.mark.usefixtures("registered")
def test_an_old_challenge_and_one_for_another_purpose_do_not_hold(
    visitor: Visitor, key: Authenticator
) -> None:
    for changed in ({"at": utc_now().timestamp() - 601}, {"for": "add"}):
        answer = key.get(_begin(visitor))
        with visitor.client.session_transaction() as cookie:
            cookie["passkey"] = cookie["passkey"] | changed
        assert _finish(visitor, answer).location == "/login"
        assert not _is_in(visitor)


@pytest.mark.usefixtures("registered")
def test_wrong_answers_are_recorded_and_limited(
    visitor: Visitor, key: Authenticator, services: Services
) -> None:
    token = visitor.token("/login")
    statuses = []
    key.flags = USER_PRESENT
    for _ in range(21):
        options = visitor.client.post("/login/passkey/begin", headers={"X-CSRFToken": token}).text
        fields = {"csrf_token": token, "answer": key.get(options)}
        statuses.append(visitor.client.post("/login/passkey", data=fields).status_code)
    assert statuses == [303] * 20 + [429]
    assert access_events(services)[-1]["detail"] == "wrong_passkey"


@pytest.mark.usefixtures("registered")
def test_a_passkey_is_the_second_step_of_its_own_account_only(
    visitor: Visitor,
    key: Authenticator,
    logged_in: Callable[[str], Visitor],
    account: Callable[[str], str],
) -> None:
    other = Authenticator(key.origin, key.host)
    _add(logged_in("operator"), other)
    assert visitor.login(ANN).location == STEP
    assert _finish(visitor, other.get(_begin(visitor))).location == STEP
    assert not _is_in(visitor)
    assert _finish(visitor, key.get(_begin(visitor))).location == "/"
    assert _is_in(visitor)


@pytest.mark.usefixtures("registered")
def test_a_removed_passkey_and_a_disabled_account_are_refused(
    app: Flask, visitor: Visitor, key: Authenticator, services: Services
) -> None:
    services.accounts.disable(ANN)
    assert _finish(visitor, key.get(_begin(visitor))).location == "/login"
    services.accounts.enable(ANN)
    assert _finish(visitor, key.get(_begin(visitor))).location == "/"
    (listed,) = Passkeys(services.engine).of_account(1)
    assert visitor.post(PAGE + "passkeys/remove", {"passkey": listed.id}).location == "/login"
    assert not _is_in(visitor)
    assert _finish(visitor, key.get(_begin(visitor))).location == "/login"
    assert visitor.login(ANN).location == "/"


@pytest.mark.usefixtures("registered")
def test_an_old_login_is_made_fresh_by_a_passkey_of_the_same_account(
    visitor: Visitor, key: Authenticator, logged_in: Callable[[str], Visitor], services: Services
) -> None:
    other = Authenticator(key.origin, key.host)
    _add(logged_in("operator"), other)
    assert _finish(visitor, key.get(_begin(visitor))).location == "/"
    with visitor.client.session_transaction() as cookie:
        cookie["fresh_at"] = utc_now().timestamp() - 31 * 60
    (listed,) = Passkeys(services.engine).of_account(1)
    fields = {"passkey": listed.id}
    asked = visitor.post(PAGE + "passkeys/remove", fields)
    assert asked.status_code == 403
    assert 'name="confirm_passkey"' in asked.text

    def proven(answer: str) -> TestResponse:
        return visitor.post(PAGE + "passkeys/remove", fields | {"confirm_passkey": answer})

    assert proven(other.get(_begin_inside(visitor))).status_code == 403
    assert proven(key.get(_begin_inside(visitor))).location == "/login"
    assert Passkeys(services.engine).of_account(1) == []


def _begin_inside(visitor: Visitor) -> str:
    headers = {"X-CSRFToken": visitor.token("/account/")}
    return visitor.client.post("/login/passkey/begin", headers=headers).text


def test_a_bare_address_has_no_passkeys(viewer: Visitor, visitor: Visitor) -> None:
    viewer.get("/")
    address = {"base_url": "http://127.0.0.1/"}
    page = visitor.client.get("/login", **address)
    assert "data-passkey-begin" not in page.text
    assert "data-passkey-begin" in visitor.get("/login").text
