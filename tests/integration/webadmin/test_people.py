"""People in the console: invitations, roles, one's own account, sessions and fresh logins."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.webadmin.schedule_desk import offer_jobs, saved
from tests.support.webadmin.visitor import PASSWORD, Visitor

WORDS = "some other plain words"
EVE = "eve@example.org"
LINK = re.compile(r"http://localhost(/password/[\w-]{43})")


def _invited(admin: Visitor) -> str:
    """The path of the link for Eve, a viewer."""
    page = admin.post("/users/invite", {"email": EVE, "role": "viewer"})
    assert page.status_code == 200
    found = LINK.search(page.text)
    assert found
    return found[1]


def _stale(visitor: Visitor) -> None:
    """Let the login of a visitor be 31 minutes old."""
    with visitor.client.session_transaction() as cookie:
        cookie["fresh_at"] = utc_now().timestamp() - 31 * 60


def test_an_invited_person_sets_a_password_and_logs_in(
    app: Flask, admin: Visitor, visitor: Visitor
) -> None:
    path = _invited(admin)
    assert "Invited" in admin.get("/users/").text
    assert visitor.get(path).status_code == 200
    differing = visitor.post(path, {"password": WORDS, "again": "x"}, page=path)
    assert differing.status_code == 422
    done = visitor.post(path, {"password": WORDS, "again": WORDS}, page=path)
    assert done.location == "/login"
    assert visitor.login(EVE, WORDS).status_code == 302
    assert visitor.get(path).status_code == 404
    assert "Invited" not in admin.get("/users/").text


def test_guessed_links_are_counted(visitor: Visitor) -> None:
    answers = [visitor.get(f"/password/{number:043d}").status_code for number in range(21)]
    assert answers == [404] * 20 + [429]


def test_an_address_in_use_is_refused_at_its_field(admin: Visitor) -> None:
    page = admin.post("/users/invite", {"email": "admin@example.org", "role": "viewer"})
    assert page.status_code == 422
    assert "there is an account" in page.text.lower()


def test_an_administrator_changes_an_account(
    admin: Visitor, services: Services, account: Callable[[str], str]
) -> None:
    page = f"/users/{account('viewer')}/"
    admin.post(page + "role", {"role": "operator"})
    admin.post(page + "grant", {"role": "admin", "tag": "finance"})
    changed = services.accounts.get("viewer@example.org")
    assert (changed.role, changed.tags) == ("operator", {"finance": "admin"})
    admin.post(page + "withdraw", {"tag": "finance"})
    admin.post(page + "disable")
    changed = services.accounts.get("viewer@example.org")
    assert (changed.active, changed.tags) == (False, {})
    assert "Disabled" in admin.get(page).text
    admin.post(page + "enable")
    assert services.accounts.get("viewer@example.org").active


@pytest.mark.parametrize(("action", "fields"), [("disable", {}), ("role", {"role": "viewer"})])
def test_the_last_administrator_stays(
    admin: Visitor, services: Services, action: str, fields: dict[str, str]
) -> None:
    answer = admin.post(f"/users/admin@example.org/{action}", fields, follow_redirects=True)
    assert "last administrator" in answer.text
    stored = services.accounts.get("admin@example.org")
    assert (stored.active, stored.role) == (True, "admin")


def test_a_reset_takes_the_password_away_and_ends_the_sessions(
    app: Flask, admin: Visitor, viewer: Visitor, visitor: Visitor
) -> None:
    page = admin.post("/users/viewer@example.org/reset-password")
    found = LINK.search(page.text)
    assert found
    assert viewer.get("/account/").location.startswith("/login")
    assert visitor.login("viewer@example.org").status_code == 200
    visitor.post(found[1], {"password": WORDS, "again": WORDS}, page=found[1])
    assert visitor.login("viewer@example.org", WORDS).status_code == 302


def test_a_person_changes_the_own_password_and_all_sessions_end(
    app: Flask, viewer: Visitor, logged_in: Callable[[str], Visitor]
) -> None:
    other = logged_in("viewer")
    wrong = viewer.post("/account/password", {"current": "x", "new": WORDS, "again": WORDS})
    assert wrong.status_code == 422
    assert "not the current password" in wrong.text
    done = viewer.post("/account/password", {"current": PASSWORD, "new": WORDS, "again": WORDS})
    assert done.location == "/login"
    assert other.get("/account/").location.startswith("/login")
    assert viewer.get("/account/").location.startswith("/login")
    assert viewer.login("viewer@example.org", WORDS).status_code == 302


def test_wrong_current_passwords_are_counted(viewer: Visitor) -> None:
    token = viewer.token()
    fields = {"csrf_token": token, "current": "x", "new": WORDS, "again": WORDS}
    answers = [viewer.client.post("/account/password", data=fields).status_code for _ in range(21)]
    assert answers == [422] * 20 + [429]


def test_sessions_are_listed_and_one_is_ended(
    viewer: Visitor, logged_in: Callable[[str], Visitor]
) -> None:
    other = logged_in("viewer")
    page = viewer.get("/account/").text
    ids = set(re.findall(r'name="session" value="(\w{64})"', page))
    assert len(ids) == 1
    assert "this one" in page
    viewer.post("/account/sessions/end", {"session": ids.pop()})
    assert other.get("/").location.startswith("/login")
    assert viewer.get("/").status_code == 200


def test_signing_out_everywhere_ends_this_session_too(
    viewer: Visitor, logged_in: Callable[[str], Visitor]
) -> None:
    other, old = logged_in("viewer"), viewer.session
    assert viewer.post("/account/sign-out").location == "/login"
    assert other.get("/").location.startswith("/login")
    viewer.client.set_cookie("beatdesk", old)
    assert viewer.get("/").location.startswith("/login")


def test_a_cookie_from_before_the_login_is_worth_nothing_after_it(
    app: Flask, visitor: Visitor, account: Callable[[str], str]
) -> None:
    visitor.get("/login")
    before = visitor.session
    with visitor.client.session_transaction() as cookie:
        cookie["planted"] = "x"
        form_token = cookie["csrf_token"]
    visitor.login(account("viewer"))
    after = visitor.session
    assert before != after
    with visitor.client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie.get("csrf_token") != form_token
    visitor.client.set_cookie("beatdesk", before)
    assert visitor.get("/").location.startswith("/login")


def test_the_zone_of_an_account_stands_on_its_pages(viewer: Visitor) -> None:
    viewer.post("/account/zone", {"timezone": "Europe/Berlin"})
    assert 'data-zone-name="Europe/Berlin"' in viewer.get("/").text
    refused = viewer.post("/account/zone", {"timezone": "Mars/Base"}, follow_redirects=True)
    assert "no time zone" in refused.text
    viewer.post("/account/zone", {"timezone": ""})
    assert "data-zone-name" not in viewer.get("/").text


def test_an_old_login_is_asked_for_the_password_and_loses_nothing(
    admin: Visitor, services: Services
) -> None:
    _stale(admin)
    page = admin.post("/users/invite", {"email": EVE, "role": "operator"})
    assert page.status_code == 403
    assert f'name="email" value="{EVE}"' in page.text
    assert len(services.accounts.list()) == 1
    fields = {"email": EVE, "role": "operator", "confirm_password": "wrong"}
    assert admin.post("/users/invite", fields).status_code == 403
    assert admin.post("/users/invite", fields | {"confirm_password": PASSWORD}).status_code == 200
    assert services.accounts.get(EVE).role == "operator"
    assert admin.post(f"/users/{EVE}/role", {"role": "viewer"}).status_code == 303


def test_a_run_with_other_arguments_asks_an_old_login_for_the_password(
    operator: Visitor, services: Services
) -> None:
    offer_jobs(services)
    name = saved(services).name
    _stale(operator)
    asked = operator.post(f"/schedules/{name}/run", {"kwargs": '{"days": 2}'})
    assert asked.status_code == 403
    assert "Password of operator@example.org" in asked.text
    assert services.redis.llen("reports") == 0
    assert operator.post(f"/schedules/{name}/run").status_code == 303
    assert services.redis.llen("reports") == 1
    fields = {"kwargs": '{"days": 2}', "confirm_password": PASSWORD}
    assert operator.post(f"/schedules/{name}/run", fields).status_code == 303
    assert services.redis.llen("reports") == 2
