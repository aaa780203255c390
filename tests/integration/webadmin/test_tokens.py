"""Calls with a token: who is recognised, what is open to it, and that cookies count for nothing."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import a_spec
from tests.support.webadmin.addresses import calls
from tests.support.webadmin.visitor import Visitor
from webadmin.access.bearer import ACCEPTED
from webadmin.guard import ANYONE, LEAST_ROLE

TOKEN = re.compile(r"bd_[\w-]{43}")


@pytest.fixture
def token(services: Services, account: Callable[[str], str]) -> Callable[..., str]:
    """`token("operator", "operate")`: the secret of a token of somebody with this role."""

    def create(role: str, scope: str, tag: str | None = None) -> str:
        owner = account(role)
        made = services.tokens.create(
            f"{scope}-{tag or 'all'}", scope, owner=owner, by=owner, now=utc_now(), tag=tag
        )
        return made.token

    return create


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_person_makes_a_token_uses_it_and_revokes_it(app: Flask, operator: Visitor) -> None:
    page = operator.post("/account/tokens", {"name": "deploy", "scope": "operate", "days": "7"})
    found = TOKEN.search(page.text)
    assert found
    program = app.test_client()
    answer = program.get("/account/whoami", headers=_bearer(found[0]))
    assert answer.get_json() == {
        "actor": "operator@example.org token:deploy",
        "role": "operator",
        "tags": {},
    }
    assert "Set-Cookie" not in answer.headers
    assert found[0] not in operator.get("/account/").text
    number = re.search(r'name="token" value="(\d+)"', operator.get("/account/").text)
    assert number
    operator.post("/account/tokens/revoke", {"token": number[1]})
    refused = program.get("/account/whoami", headers=_bearer(found[0]))
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_administrator_makes_a_token_for_a_service(app: Flask, admin: Visitor) -> None:
    page = admin.post("/tokens/new", {"name": "ci", "scope": "read", "days": "90"})
    found = TOKEN.search(page.text)
    assert found
    answer = app.test_client().get("/account/whoami", headers=_bearer(found[0]))
    assert answer.get_json()["actor"] == "token:ci"
    assert "a service" in admin.get("/tokens/").text


def test_a_bad_token_form_says_what_is_wrong(operator: Visitor) -> None:
    for fields, words in (
        ({"name": "a b", "scope": "read", "days": "7"}, "cannot name a token"),
        ({"name": "a", "scope": "admin", "days": "7"}, "no right to admin"),
        ({"name": "a", "scope": "read", "days": "x"}, "whole number"),
        ({"name": "a", "scope": "read", "days": "9999"}, "3650"),
    ):
        page = operator.post("/account/tokens", fields)
        assert page.status_code == 422
        assert words in page.text


def test_a_token_needs_no_token_of_a_form_and_a_cookie_counts_for_nothing_beside_it(
    admin: Visitor, token: Callable[..., str]
) -> None:
    secret = token("viewer", "read")
    who = admin.get("/account/whoami", headers=_bearer(secret)).get_json()
    assert who["actor"] == "viewer@example.org token:read-all"
    preview = {"when": {"kind": "interval", "every": 60}, "n": 1}
    sent = admin.client.post("/schedules/preview", json=preview, headers=_bearer(secret))
    assert sent.status_code == 200
    wrong = admin.get("/account/whoami", headers=_bearer("bd_wrong"))
    assert wrong.status_code == 401
    assert admin.get("/").status_code == 200
    page = admin.get("/login", headers=_bearer(secret))
    assert page.status_code == 200, "the cookie's login would lead away from this page"
    assert "Set-Cookie" not in page.headers


def test_every_other_address_is_closed_to_tokens(app: Flask, token: Callable[..., str]) -> None:
    secret = token("admin", "admin")
    program = app.test_client()
    opened = set()
    for endpoint, method, path in calls(app):
        answer = program.open(path, method=method, headers=_bearer(secret))
        if LEAST_ROLE.get(endpoint) != ANYONE and answer.status_code != 403:
            opened.add(endpoint)
    assert opened == ACCEPTED


def test_a_scope_is_a_limit(app: Flask, token: Callable[..., str]) -> None:
    program = app.test_client()
    reading = program.get("/schedules/export", headers=_bearer(token("admin", "read")))
    assert reading.status_code == 403
    assert reading.content_type == "application/problem+json"
    acting = program.get("/schedules/export", headers=_bearer(token("admin", "operate")))
    assert acting.status_code == 200


def test_a_token_with_a_tag_reaches_schedules_with_the_tag(
    app: Flask, services: Services, offered: None, token: Callable[..., str]
) -> None:
    for name, tags in (("paid", ["finance"]), ("free", ["ops"])):
        services.schedules.create(
            a_spec(name, "mail.digest", tags=tags), edit=Edit(actor="a@b", now=utc_now())
        )
    headers = _bearer(token("operator", "operate", "finance"))
    program = app.test_client()

    def export(*names: str) -> int:
        sent = program.post("/schedules/bulk-export", data={"name": list(names)}, headers=headers)
        return sent.status_code

    assert export("paid") == 200
    assert export("free") == 403
    assert export("paid", "free") == 403


def test_wrong_tokens_are_counted_and_right_ones_still_pass(
    app: Flask, token: Callable[..., str]
) -> None:
    program = app.test_client()
    secret = token("viewer", "read")
    answers = [
        program.get("/account/whoami", headers=_bearer(f"bd_{number:043d}")).status_code
        for number in range(21)
    ]
    assert answers == [401] * 20 + [429]
    assert program.get("/account/whoami", headers=_bearer(secret)).status_code == 200


def test_wrong_tokens_of_one_network_of_ipv6_are_counted_together(app: Flask) -> None:
    program = app.test_client()
    answers = [
        program.get(
            "/account/whoami",
            headers=_bearer("bd_wrong"),
            environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number}"},
        ).status_code
        for number in range(21)
    ]
    assert answers == [401] * 20 + [429]


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer x", "Bearer bd_" + "x" * 5000, "Bearer bd_\x7f"]
)
def test_a_strange_header_is_no_token(visitor: Visitor, header: str) -> None:
    assert visitor.get("/account/whoami", headers={"Authorization": header}).status_code == 401


def test_another_scheme_is_left_alone(visitor: Visitor) -> None:
    answer = visitor.get("/account/whoami", headers={"Authorization": "Basic YTpi"})
    assert answer.location == "/login?next=/account/whoami"
