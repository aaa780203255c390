"""Login and logout through the form: who gets in, where it leads, when a session ends, how often
one may try.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from redis import Redis

from scheduler.accounts.store import Accounts
from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.valkey import ValkeyServer
from tests.support.webadmin.visitor import PASSWORD, Visitor


@pytest.fixture
def _viewer(account: Callable[[str], str]) -> None:
    account("viewer")


@pytest.mark.usefixtures("_viewer")
def test_a_visitor_is_sent_to_the_login_and_from_there_to_the_page_that_was_asked_for(
    visitor: Visitor,
) -> None:
    sent = visitor.get("/runs/?state=failed")
    assert sent.status_code == 302
    assert sent.location == "/login?next=/runs/?state%3Dfailed"
    page = visitor.get(sent.location)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    back = visitor.client.post(
        sent.location,
        data={"csrf_token": token, "email": "viewer@example.org", "password": PASSWORD},
    )
    assert back.status_code == 302
    assert back.location == "/runs/?state=failed"


@pytest.mark.usefixtures("_viewer")
@pytest.mark.parametrize(
    "target",
    [
        "http:evil.example",
        "http://evil.example/",
        "https:/evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/%09/../\x00",
        "javascript:alert(1)",
        "data:text/html,x",
        "runs/",
        "",
    ],
)
def test_a_login_leads_to_paths_of_the_console_only(visitor: Visitor, target: str) -> None:
    response = visitor.client.post(
        "/login",
        query_string={"next": target},
        data={
            "csrf_token": visitor.token("/login"),
            "email": "viewer@example.org",
            "password": PASSWORD,
            "next": target,
        },
    )
    if "\x00" in target:
        assert response.status_code == 400
    else:
        assert (response.status_code, response.location) == (302, "/")


@pytest.mark.usefixtures("_viewer")
def test_an_address_is_read_as_it_is_stored(visitor: Visitor) -> None:
    assert visitor.login("  Viewer@Example.ORG ").status_code == 302


def test_the_first_admins_address_is_good_enough_to_log_in_with(
    visitor: Visitor, services: Services
) -> None:
    Accounts(services.engine).create("admin@beatdesk.local", PASSWORD, "admin", now=utc_now())
    assert visitor.login("admin@beatdesk.local").status_code == 302


def test_wrong_password_unknown_address_and_disabled_account_get_the_same_answer(
    visitor: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    account("viewer"), account("admin"), account("operator")
    Accounts(services.engine).disable("operator@example.org")
    answers = {
        visitor.login(email, password).text.replace(email, "…").split('name="csrf_token"')[0]
        + visitor.login(email, password)
        .text.replace(email, "…")
        .split('name="csrf_token"')[1]
        .split('">', 1)[1]
        for email, password in (
            ("viewer@example.org", "wrong password"),
            ("nobody@example.org", "wrong password"),
            ("operator@example.org", PASSWORD),
        )
    }
    (answer,) = {text.split("<body")[1] for text in answers}
    assert "The address or the password is wrong." in answer


@pytest.mark.usefixtures("_viewer")
def test_the_twenty_first_wrong_login_is_refused_and_so_is_the_right_one(
    visitor: Visitor, redis: Redis
) -> None:
    token = visitor.token("/login")
    statuses = [
        visitor.client.post(
            "/login", data={"csrf_token": token, "email": "ghost@example.org", "password": "wrong"}
        ).status_code
        for _ in range(21)
    ]
    assert statuses == [200] * 20 + [429]
    refused = visitor.login("viewer@example.org")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert "Too many wrong logins" in refused.text
    assert [key for key in redis.scan_iter() if key.startswith("beatdesk:limits")]


@pytest.mark.usefixtures("_viewer")
def test_an_account_is_limited_wherever_the_logins_come_from(app: Flask) -> None:
    def attempt(number: int) -> int:
        visitor = Visitor(app.test_client())
        fields = {
            "csrf_token": visitor.token("/login"),
            "email": "Viewer@example.org",
            "password": "wrong",
        }
        place = {"REMOTE_ADDR": f"10.0.{number}.1"}
        return visitor.client.post("/login", data=fields, environ_base=place).status_code

    assert [attempt(number) for number in range(21)] == [200] * 20 + [429]


@pytest.mark.usefixtures("_viewer")
def test_right_logins_are_not_counted(app: Flask) -> None:
    assert {
        Visitor(app.test_client()).login("viewer@example.org").status_code for _ in range(21)
    } == {302}


def test_wrong_logins_are_still_counted_while_redis_is_away(
    visitor: Visitor, valkey: ValkeyServer
) -> None:
    token = visitor.token("/login")
    valkey.stop()
    fields = {"csrf_token": token, "email": "ghost@example.org", "password": "wrong"}
    statuses = [visitor.client.post("/login", data=fields).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


@pytest.mark.usefixtures("_viewer")
def test_a_login_drops_what_the_session_held_before(visitor: Visitor) -> None:
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    old = visitor.token("/login")
    before = visitor.session
    visitor.login("viewer@example.org")
    assert visitor.session != before
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
    assert visitor.client.post("/logout", data={"csrf_token": old}).status_code == 400


def test_a_copied_cookie_ends_with_the_logout(app: Flask, viewer: Visitor) -> None:
    thief = Visitor(app.test_client())
    thief.client.set_cookie("beatdesk", viewer.session)
    assert thief.get("/runs/").status_code == 200
    assert viewer.post("/logout").location == "/login"
    assert thief.get("/runs/").status_code == 302
    assert viewer.get("/runs/").status_code == 302


@pytest.mark.parametrize("change", ["password", "role", "disable"])
def test_a_session_ends_when_the_account_changes(
    viewer: Visitor, services: Services, account: Callable[[str], str], change: str
) -> None:
    account("admin")  # the last administrator cannot be changed
    accounts = Accounts(services.engine)
    if change == "password":
        accounts.reset_password("viewer@example.org", "other plain words")
    elif change == "role":
        accounts.set_role("viewer@example.org", "operator")
    else:
        accounts.disable("viewer@example.org")
    assert viewer.get("/").status_code == 302


def test_a_link_cannot_log_anybody_out(viewer: Visitor) -> None:
    assert viewer.get("/logout").status_code == 405
    assert viewer.get("/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/register", "/reset", "/change", "/verify", "/us-signin", "/tf-setup"]
)
def test_there_is_no_other_door(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code in {403, 404}


@pytest.mark.usefixtures("_viewer")
def test_a_token_in_a_header_or_an_address_is_no_login(app: Flask, visitor: Visitor) -> None:
    """Not even one that Flask-Security itself has made for the account."""
    with app.test_request_context():
        viewer = app.extensions["security"].datastore.find_user(email="viewer@example.org")
        token = viewer.get_auth_token()
    for target, headers in (
        ("/runs/", {"Authentication-Token": token}),
        (f"/runs/?auth_token={token}", {}),
    ):
        assert visitor.get(target, headers=headers).status_code == 302
