"""Every change of people and tokens is an event, with who did it to whom."""

import json
import re
from collections.abc import Callable

import pytest

from scheduler.services.services import Services
from tests.support.webadmin.access_events import access_events
from tests.support.webadmin.visitor import PASSWORD, Visitor

WORDS = "some other plain words"
VIEWER = "viewer@example.org"
CHANGES = [
    ("/users/invite", {"email": "eve@example.org", "role": "viewer"}, "account_invited"),
    (f"/users/{VIEWER}/role", {"role": "operator"}, "role_changed"),
    (f"/users/{VIEWER}/grant", {"role": "operator", "tag": "finance"}, "role_changed"),
    (f"/users/{VIEWER}/disable", {}, "account_disabled"),
    (f"/users/{VIEWER}/enable", {}, "account_enabled"),
    (f"/users/{VIEWER}/sign-out", {}, "sessions_ended"),
    (f"/users/{VIEWER}/reset-password", {}, "password_changed"),
    ("/tokens/new", {"name": "ci", "scope": "read", "days": "1"}, "token_created"),
    ("/tokens/revoke", {"token": "1"}, "token_revoked"),
    ("/account/tokens", {"name": "own", "scope": "read", "days": "1"}, "token_created"),
    ("/account/tokens/revoke", {"token": "2"}, "token_revoked"),
    ("/account/password", {"current": "x", "new": WORDS, "again": WORDS}, "login_failed"),
    ("/account/password", {"current": PASSWORD, "new": WORDS, "again": WORDS}, "password_changed"),
]


def test_changes_by_an_administrator_are_events(
    admin: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    account("viewer")
    for path, fields, kind in CHANGES:
        count = len(access_events(services))
        admin.post(path, fields)
        new = [event["kind"] for event in access_events(services)[count:]]
        assert new[:1] == [f"access.{kind}"], path
    texts = json.dumps(access_events(services))
    assert "admin@example.org" in texts
    assert "role_changed" in texts
    assert "operator of tag:finance" in texts
    assert not re.search(r"bd_[\w-]{43}|/password/", texts)


def test_a_wrong_token_is_a_failed_login(visitor: Visitor, services: Services) -> None:
    visitor.get("/account/whoami", headers={"Authorization": "Bearer bd_wrong"})
    (event,) = access_events(services)
    assert (event["kind"], event["detail"]) == ("access.login_failed", "wrong_token")
    assert event["address"] == "127.0.0.1"


def test_a_wrong_link_is_a_line_and_its_use_a_failed_login(
    visitor: Visitor, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.get("/password/wrong")
    assert "wrong_link" in caplog.text
    assert access_events(services) == []
    visitor.post("/password/wrong", {"password": WORDS, "again": WORDS}, page="/login")
    (event,) = access_events(services)
    assert (event["kind"], event["detail"]) == ("access.login_failed", "wrong_link")
