"""The second step of a login, and one's own authenticator app: setting up, losing, removing."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.webadmin.access_events import access_events
from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin.limits.login_gate import CODES

ANN = "viewer@example.org"
PAGE = "/account/second-factor/"
STEP = "/login/second-step"
SECRET = re.compile(r"<pre[^>]*>([A-Z2-7]{32})</pre>")
SEALED = re.compile(r'name="sealed" value="([^"]+)"')
RECOVERY = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}")


class Protected:
    """The viewer's account with an authenticator app and recovery codes."""

    def __init__(self, services: Services) -> None:
        factors = services.second_factors
        setup = factors.begin(ANN)
        self.secret = setup.secret
        self.used = 0
        earlier = utc_now() - timedelta(seconds=90)
        code = pyotp.TOTP(setup.secret).at(earlier)
        self.recovery = factors.confirm(ANN, setup.sealed, code, now=earlier)

    def code(self) -> str:
        """A code that was not used yet: of this step, or of the next one."""
        step = max(int(utc_now().timestamp()) // 30, self.used + 1)
        self.used = step
        return pyotp.TOTP(self.secret).generate_otp(step)


@pytest.fixture
def protected(services: Services, account: Callable[[str], str]) -> Protected:
    account("viewer")
    return Protected(services)


def _second(visitor: Visitor, code: str) -> TestResponse:
    return visitor.post(STEP, {"code": code}, page=STEP)


def _is_in(visitor: Visitor) -> bool:
    return visitor.get("/").status_code == 200


def test_an_app_is_set_up_with_its_first_code_and_asked_for_at_the_next_login(
    viewer: Visitor,
) -> None:
    shown = viewer.post(PAGE + "set-up", page=PAGE)
    secret, sealed = SECRET.findall(shown.text)[0], SEALED.findall(shown.text)[0]
    assert "data:image/svg+xml" in shown.text
    wrong = viewer.post(PAGE + "confirm", {"sealed": sealed, "code": "12345"}, page=PAGE)
    assert wrong.status_code == 422
    assert SECRET.findall(wrong.text) == [secret]
    code = pyotp.TOTP(secret).now()
    done = viewer.post(PAGE + "confirm", {"sealed": sealed, "code": code}, page=PAGE)
    assert len(RECOVERY.findall(done.text)) == 10
    assert not _is_in(viewer)
    assert viewer.login(ANN).location == STEP
    assert not _is_in(viewer)
    assert _second(viewer, code).status_code == 422
    assert _second(viewer, RECOVERY.findall(done.text)[0]).location == "/"
    assert _is_in(viewer)
    assert "9 left" in viewer.get(PAGE).text


def test_the_password_alone_opens_nothing(visitor: Visitor, protected: Protected) -> None:
    assert visitor.get(STEP).location == "/login"
    assert visitor.login(ANN, query="?next=/runs/").location == STEP
    for path in ("/", "/account/", "/runs/"):
        assert visitor.get(path).status_code == 302
    assert _second(visitor, protected.code()).location == "/runs/"
    assert visitor.get(STEP).location == "/login"


def test_a_code_is_used_once_also_from_another_browser(
    app: Flask, visitor: Visitor, protected: Protected
) -> None:
    other = Visitor(app.test_client())
    code = protected.code()
    for somebody in (visitor, other):
        assert somebody.login(ANN).location == STEP
    assert _second(visitor, code).status_code == 303
    assert _second(other, code).status_code == 422
    assert not _is_in(other)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:x"])
def test_the_second_step_leads_to_paths_of_the_console_only(
    visitor: Visitor, protected: Protected, target: str
) -> None:
    assert visitor.login(ANN, query=f"?next={target}").location == STEP
    assert _second(visitor, protected.code()).location == "/"


def test_waiting_for_the_code_ends_after_ten_minutes_and_with_a_new_password(
    visitor: Visitor, protected: Protected, services: Services
) -> None:
    visitor.login(ANN)
    token = visitor.token(STEP)
    with visitor.client.session_transaction() as cookie:
        cookie["second_step"] = cookie["second_step"] | {"at": utc_now().timestamp() - 601}
    fields = {"csrf_token": token, "code": protected.code()}
    assert visitor.client.post(STEP, data=fields).location == "/login"
    visitor.login(ANN)
    token = visitor.token(STEP)
    services.accounts.reset_password(ANN, "some other plain words")
    fields = {"csrf_token": token, "code": protected.code()}
    assert visitor.client.post(STEP, data=fields).location == "/login"


def test_wrong_codes_are_counted_for_the_account_whatever_the_address(
    visitor: Visitor, protected: Protected
) -> None:
    visitor.login(ANN)
    fields = {"csrf_token": visitor.token(STEP), "code": "abcdef"}
    statuses = [
        visitor.client.post(
            STEP, data=fields, environ_base={"REMOTE_ADDR": f"10.0.{number}.1"}
        ).status_code
        for number in range(min(CODES.values()) + 1)
    ]
    assert statuses == [422] * min(CODES.values()) + [429]


def test_a_device_is_remembered_after_the_second_step_only(
    visitor: Visitor, protected: Protected
) -> None:
    visitor.login(ANN)
    assert visitor.client.get_cookie("beatdesk_device") is None
    assert _second(visitor, protected.code()).status_code == 303
    assert visitor.client.get_cookie("beatdesk_device") is not None


def test_a_login_by_json_brings_the_code_with_the_password(
    visitor: Visitor, protected: Protected
) -> None:
    headers = {"X-CSRFToken": visitor.token("/login"), "Accept": "application/json"}

    def login(**more: object) -> TestResponse:
        fields = {"email": ANN, "password": PASSWORD, **more}
        return visitor.client.post("/login", json=fields, headers=headers)

    without = login()
    assert without.status_code == 400
    assert "second factor" in without.get_json()["response"]["field_errors"]["code"][0]
    for wrong in ("wrong", 123456, ["123456"], "x" * 500):
        assert login(code=wrong).status_code == 400
    assert not _is_in(visitor)
    assert login(code=protected.code()).status_code == 200
    assert _is_in(visitor)


def test_the_log_names_each_step(
    visitor: Visitor, protected: Protected, services: Services
) -> None:
    visitor.login(ANN)
    _second(visitor, "wrong")
    _second(visitor, protected.recovery[0])
    last = [(event["kind"], event.get("detail", "")) for event in access_events(services)][-3:]
    assert last == [
        ("access.login_failed", "wrong_code"),
        ("access.recovery_code_used", "9 left"),
        ("access.logged_in", "password, recovery code"),
    ]


def test_an_old_login_is_asked_for_password_and_code_before_the_app_is_removed(
    visitor: Visitor, protected: Protected, services: Services
) -> None:
    visitor.login(ANN)
    _second(visitor, protected.code())
    with visitor.client.session_transaction() as cookie:
        cookie["fresh_at"] = utc_now().timestamp() - 31 * 60
    asked = visitor.post(PAGE + "remove", page=PAGE)
    assert asked.status_code == 403
    assert "confirm_code" in asked.text
    password = {"confirm_password": PASSWORD}
    assert visitor.post(PAGE + "remove", password, page=PAGE).status_code == 403
    assert services.second_factors.is_protected(1)
    proof = password | {"confirm_code": protected.recovery[0]}
    assert visitor.post(PAGE + "remove", proof, page=PAGE).location == "/login"
    assert not services.second_factors.is_protected(1)
    assert not _is_in(visitor)
    assert visitor.login(ANN).location == "/"


def test_an_administrator_resets_the_second_factor_of_somebody(
    admin: Visitor, visitor: Visitor, protected: Protected, services: Services
) -> None:
    visitor.login(ANN)
    _second(visitor, protected.code())
    page = f"/users/{ANN}/"
    assert "second factor" in admin.get("/users/").text
    assert admin.post(page + "reset-second-factor", page=page).status_code == 303
    assert access_events(services)[-1]["kind"] == "access.second_factor_reset"
    assert not _is_in(visitor)
    assert visitor.login(ANN).location == "/"


def test_new_recovery_codes_end_the_old_ones(visitor: Visitor, protected: Protected) -> None:
    visitor.login(ANN)
    _second(visitor, protected.code())
    made = RECOVERY.findall(visitor.post(PAGE + "recovery-codes", page=PAGE).text)
    assert len(made) == 10
    visitor.post("/logout")
    visitor.login(ANN)
    assert _second(visitor, protected.recovery[0]).status_code == 422
    assert _second(visitor, made[0]).status_code == 303
