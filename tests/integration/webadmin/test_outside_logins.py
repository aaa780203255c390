"""Logins from outside: a provider of OpenID Connect that really signs, and a trusted proxy."""

import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import RSAKey

from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.oidc_provider import CLIENT, SECRET, Provider
from tests.support.webadmin.access_events import access_events
from tests.support.webadmin.visitor import PASSWORD, Visitor
from webadmin import create_app

ANN = "ann@example.org"
Desk = Callable[..., Flask]


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def desk(provider: Provider, services: Services, settings: Settings) -> Desk:
    """`desk(provision=True)`: the console beside the provider, with these settings."""

    def create(**further: Any) -> Flask:
        values = {
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "provision": True,
            **further,
        }
        return create_app(settings.model_copy(update=values))

    return create


def _log_in(app: Flask, provider: Provider, query: str = "") -> tuple[Visitor, Any]:
    """A visitor who went to the provider and back, and the console's last answer."""
    visitor = Visitor(app.test_client())
    sent = visitor.get("/login/oidc" + query)
    assert sent.status_code == 302, sent.text
    return visitor, visitor.get(provider.answer(sent.location))


def test_a_person_logs_in_by_the_provider_and_gets_an_account(
    desk: Desk, provider: Provider, services: Services
) -> None:
    visitor, answer = _log_in(desk(), provider, "?next=/runs/")
    assert answer.location == "/runs/"
    assert visitor.get("/runs/").status_code == 200
    assert services.accounts.get(ANN).role == "viewer"
    (asked,) = provider.requests
    assert asked["code_challenge_method"] == "S256"
    assert asked["nonce"]
    assert asked["state"]
    assert "single sign-on" in visitor.get("/account/").text


def test_the_page_of_the_login_offers_the_provider(desk: Desk) -> None:
    page = Visitor(desk(oidc_name="Example ID").test_client()).get("/login")
    assert "Log in with Example ID" in page.text
    assert 'name="password"' in page.text


def test_without_provision_only_people_with_an_account_come_in(
    desk: Desk, provider: Provider, services: Services, account: Callable[[str], str]
) -> None:
    app = desk(provision=False)
    _, refused = _log_in(app, provider)
    assert refused.status_code == 403
    assert "ask an administrator" in refused.text
    provider.person["email"] = account("operator")
    _, answer = _log_in(app, provider)
    assert answer.status_code == 303
    assert services.accounts.get("operator@example.org").role == "operator"


def test_groups_give_the_role_at_each_login(
    desk: Desk, provider: Provider, services: Services, account: Callable[[str], str]
) -> None:
    account("admin")
    app = desk(group_roles=("desk-admins=admin", "staff=operator"))
    _log_in(app, provider)
    assert services.accounts.get(ANN).role == "operator"
    provider.person["groups"] = ["staff", "desk-admins"]
    _log_in(app, provider)
    assert services.accounts.get(ANN).role == "admin"
    provider.person["groups"] = ["others"]
    _, refused = _log_in(app, provider)
    assert refused.status_code == 403
    assert "groups" in refused.text


def test_an_address_that_is_not_verified_takes_no_account(
    desk: Desk, provider: Provider, account: Callable[[str], str]
) -> None:
    provider.person |= {"email": account("admin"), "email_verified": False}
    _, refused = _log_in(desk(), provider)
    assert refused.status_code == 403
    assert "not verified" in refused.text


def test_a_person_stays_the_same_when_the_address_changes_at_the_provider(
    desk: Desk, provider: Provider, account: Callable[[str], str]
) -> None:
    app = desk()
    _log_in(app, provider)
    provider.person["email"] = account("admin")
    visitor, _ = _log_in(app, provider)
    assert visitor.get("/account/whoami").get_json()["actor"] == ANN


def test_a_disabled_account_stays_out(
    desk: Desk, provider: Provider, services: Services, account: Callable[[str], str]
) -> None:
    account("admin")
    app = desk()
    _log_in(app, provider)
    services.accounts.disable(ANN)
    visitor, refused = _log_in(app, provider)
    assert refused.status_code == 403
    assert visitor.get("/").location.startswith("/login")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["somebody-else"]},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"exp": 1},
        {"sub": ""},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_answer_that_does_not_hold_is_refused(
    desk: Desk, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.person |= claims
    visitor, refused = _log_in(desk(), provider)
    assert refused.status_code in {400, 403}
    assert visitor.get("/").location.startswith("/login")


def test_a_signature_by_another_key_is_refused(desk: Desk, provider: Provider) -> None:
    provider.sign_with = RSAKey.generate_key(2048, {"kid": "k1"})
    visitor, refused = _log_in(desk(), provider)
    assert refused.status_code == 400
    assert visitor.get("/").location.startswith("/login")


def test_an_unsigned_token_is_refused_whatever_the_provider_offers(
    desk: Desk, provider: Provider
) -> None:
    provider.algorithm, provider.offered = "none", ["RS256", "none"]
    visitor, refused = _log_in(desk(), provider)
    assert refused.status_code == 400
    assert visitor.get("/").location.startswith("/login")


def test_a_provider_without_a_signature_that_is_believed_is_not_used(
    desk: Desk, provider: Provider
) -> None:
    provider.offered = ["none", "HS256"]
    assert desk().test_client().get("/login/oidc").status_code == 503


def test_a_provider_that_calls_itself_otherwise_is_not_used(desk: Desk, provider: Provider) -> None:
    provider.name_in_discovery = "https://evil.example"
    assert desk().test_client().get("/login/oidc").status_code == 503


def test_an_answer_of_another_browser_is_refused(desk: Desk, provider: Provider) -> None:
    app = desk()
    begun = Visitor(app.test_client()).get("/login/oidc")
    back = provider.answer(begun.location)
    assert Visitor(app.test_client()).get(back).status_code == 400
    assert Visitor(app.test_client()).get("/login/oidc/back").status_code == 400


def test_an_answer_counts_once(desk: Desk, provider: Provider) -> None:
    visitor = Visitor(desk().test_client())
    back = provider.answer(visitor.get("/login/oidc").location)
    assert visitor.get(back).status_code == 303
    assert visitor.get(back).status_code == 400


def test_answers_that_do_not_hold_leave_a_bounded_number_of_events(
    desk: Desk, provider: Provider, services: Services
) -> None:
    app = desk()
    stranger = Visitor(app.test_client())
    answers = [stranger.get("/login/oidc/back?error=x").status_code for _ in range(25)]
    assert answers == [400] * 20 + [429] * 5
    assert services.redis.xlen(keys.EVENTS_STREAM) == 20
    _, answer = _log_in(app, provider)
    assert answer.status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil"])
def test_the_login_stays_on_the_console(desk: Desk, provider: Provider, target: str) -> None:
    _, answer = _log_in(desk(), provider, f"?next={target}")
    assert answer.location == "/"


def test_a_provider_that_does_not_answer_is_an_outage(desk: Desk, provider: Provider) -> None:
    app = desk()
    provider.stop()
    answer = app.test_client().get("/login/oidc")
    assert answer.status_code == 503
    assert "provider" in answer.text
    with socket.create_server(("127.0.0.1", urlsplit(provider.issuer).port or 0)) as silent:
        silent.setblocking(False)
        assert app.test_client().get("/login/oidc").status_code == 503
        with pytest.raises(BlockingIOError):  # it was not asked again so soon
            silent.accept()
    provider.start()


def test_passwords_can_be_switched_off(
    desk: Desk, provider: Provider, account: Callable[[str], str]
) -> None:
    visitor = Visitor(desk(local_login=False).test_client())
    assert 'name="password"' not in visitor.get("/login").text
    sent = visitor.client.post(
        "/login",
        data={
            "csrf_token": visitor.token("/login"),
            "email": account("viewer"),
            "password": PASSWORD,
        },
    )
    assert sent.status_code == 403
    assert visitor.get("/").location.startswith("/login")


def test_logging_in_again_asks_the_provider_for_the_password(
    desk: Desk, provider: Provider
) -> None:
    sent = desk().test_client().get("/login/oidc?again=1")
    asked = parse_qs(urlsplit(sent.location).query)
    assert asked["prompt"] == ["login"]
    assert asked["max_age"] == ["0"]


def test_an_old_login_at_the_provider_is_not_fresh_here(
    desk: Desk, provider: Provider, account: Callable[[str], str]
) -> None:
    provider.auth_time = 1
    provider.person["email"] = account("admin")
    visitor, _ = _log_in(desk(), provider)
    page = visitor.post("/users/invite", {"email": "eve@example.org", "role": "viewer"})
    assert page.status_code == 403
    assert "Log in again with" in page.text


def test_without_a_provider_there_is_no_login_by_one(visitor: Visitor) -> None:
    assert visitor.get("/login/oidc").status_code == 404
    assert "Log in with" not in visitor.get("/login").text


@pytest.fixture
def proxied(settings: Settings, services: Services) -> Callable[..., Flask]:
    """`proxied(provision=True)`: the console behind a proxy at 10.1.2.3."""

    def create(**further: Any) -> Flask:
        values = {"proxy_login_from": ("10.1.2.0/24",), "provision": True, **further}
        return create_app(settings.model_copy(update=values))

    return create


def _through(app: Flask, address: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(
        "/account/whoami", headers=named, environ_base={"REMOTE_ADDR": address}
    )


def test_a_trusted_proxy_logs_a_person_in(proxied: Callable[..., Flask]) -> None:
    app = proxied(group_roles=("ops=operator",))
    answer = _through(app, "10.1.2.3", X_Forwarded_Email=ANN, X_Forwarded_Groups="x, ops")
    assert answer.get_json() == {"actor": ANN, "role": "operator", "tags": {}}


@pytest.mark.parametrize("address", ["10.1.3.3", "127.0.0.1", "::1", "not-an-address"])
def test_the_headers_of_strangers_are_ignored(
    proxied: Callable[..., Flask], services: Services, address: str
) -> None:
    answer = _through(
        proxied(), address, X_Forwarded_Email=ANN, X_Forwarded_For="10.1.2.3", X_Real_IP="10.1.2.3"
    )
    assert answer.location == "/login?next=/account/whoami"
    assert services.accounts.list() == []


def test_by_default_no_proxy_is_trusted(app: Flask) -> None:
    assert _through(app, "127.0.0.1", X_Forwarded_Email=ANN).status_code == 302


def test_another_person_at_the_proxy_is_another_person_here(
    proxied: Callable[..., Flask],
) -> None:
    client = proxied().test_client()
    base = {"REMOTE_ADDR": "10.1.2.3"}
    for person in (ANN, "eve@example.org"):
        answer = client.get(
            "/account/whoami", headers={"X-Forwarded-Email": person}, environ_base=base
        )
        assert answer.get_json()["actor"] == person


def test_a_person_of_the_proxy_without_an_account_is_refused(
    proxied: Callable[..., Flask],
) -> None:
    refused = _through(proxied(provision=False), "10.1.2.3", X_Forwarded_Email=ANN)
    assert refused.status_code == 403
    assert "invitation" in refused.text


def test_a_refused_person_of_the_proxy_is_recorded_from_the_own_address_in_a_bounded_number(
    proxied: Callable[..., Flask], services: Services
) -> None:
    app = proxied(provision=False, trusted_proxies=("10.1.2.3",))
    for _ in range(22):
        refused = _through(app, "10.1.2.3", X_Forwarded_Email=ANN, X_Forwarded_For="203.0.113.7")
        assert refused.status_code == 403
    failures = access_events(services)
    assert {(one["subject"], one["address"]) for one in failures} == {(ANN, "203.0.113.7")}
    assert len(failures) == 20


def test_accounts_and_roles_given_from_outside_are_events(
    desk: Desk, provider: Provider, services: Services, account: Callable[[str], str]
) -> None:
    account("admin")
    app = desk(group_roles=("desk-admins=admin", "staff=operator"))
    _log_in(app, provider)
    provider.person["groups"] = ["desk-admins"]
    _log_in(app, provider)
    assert [(one["kind"], one["actor"], one["detail"]) for one in access_events(services)] == [
        ("access.account_created", ANN, "operator, by single sign-on"),
        ("access.logged_in", ANN, "single sign-on"),
        ("access.role_changed", ANN, "admin, by single sign-on"),
        ("access.logged_in", ANN, "single sign-on"),
    ]
