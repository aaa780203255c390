"""The table of rights, held over every endpoint, role and method that the app has."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_admin import BaseView, expose

from scheduler.services.services import Services
from tests.support.webadmin.addresses import calls, pages, rules
from tests.support.webadmin.visitor import Visitor
from webadmin import guard
from webadmin.guard import ANYONE, LEAST_ROLE, RANKS, Guard

STOCK = {"security.verify"}
"""Endpoints that Flask-Security adds and that are closed to everyone."""


def test_every_endpoint_has_a_row_and_every_row_an_endpoint(app: Flask) -> None:
    there = {rule.endpoint for rule in rules(app)}
    assert there - set(LEAST_ROLE) == STOCK
    assert set(LEAST_ROLE) <= there


@pytest.mark.parametrize("role", ["nobody", "viewer", "operator", "admin"])
def test_the_table_holds_for_every_role_endpoint_and_method(
    app: Flask, visitor: Visitor, logged_in: Callable[[str], Visitor], role: str
) -> None:
    someone = visitor if role == "nobody" else logged_in(role)
    token = someone.token()
    wrong = []
    for endpoint, method, path in calls(app):
        response = someone.client.open(
            path, method=method, data={"csrf_token": token} if method == "POST" else None
        )
        to_login = response.status_code == 302 and str(response.location).startswith("/login")
        least = LEAST_ROLE.get(endpoint)
        if least is None:
            expected = response.status_code == 403
        elif RANKS[least] <= RANKS.get(role, 0):
            expected = response.status_code != 403 and not to_login
        else:
            expected = to_login if role == "nobody" else response.status_code == 403
        if not expected:
            wrong.append((endpoint, method, response.status_code, response.location))
    assert wrong == []


def test_a_new_endpoint_without_a_row_is_closed_even_to_admins(
    app: Flask, logged_in: Callable[[str], Visitor]
) -> None:
    app.add_url_rule("/brand-new", "brand_new", lambda: "open")
    assert logged_in("admin").get("/brand-new").status_code == 403


def test_a_view_is_closed_even_where_nobody_stands_before_the_app(
    app: Flask, visitor: Visitor
) -> None:
    class Bare(Guard, BaseView):
        @expose("/")
        def index(self) -> str:
            return "open"

    app.before_request_funcs[None] = [
        f for f in app.before_request_funcs[None] if f is not guard.admit
    ]
    app.extensions["admin"][0].add_view(Bare(name="Bare", endpoint="bare", url="/bare"))
    assert visitor.get("/bare/").status_code == 403


def test_pages_offer_only_what_may_be_done(viewer: Visitor, admin: Visitor) -> None:
    assert "/users/" not in viewer.get("/").text
    assert "/users/" in admin.get("/").text


def test_an_account_without_a_role_sees_nothing(
    app: Flask, services: Services, viewer: Visitor
) -> None:
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM users_roles")
    assert {viewer.get(path).status_code for path in pages(app).values()} == {403}


def test_only_what_must_be_open_is_open() -> None:
    assert {endpoint for endpoint, least in LEAST_ROLE.items() if least == ANYONE} == {
        "static",
        "probes.healthz",
        "probes.readyz",
        "security.login",
        "password_links.use",
        "second_step.show",
        "passkey_login.begin",
        "passkey_login.finish",
        "single_sign_on.begin",
        "single_sign_on.back",
        "preferences.save",
        "starter.start_task",
        "starter.task_status",
        "starter.signup",
    }


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=1e9", "page=x", "page=9999999", "q=%00", "%00=1", "id=../x"],
)
def test_hostile_parameters_are_refused(viewer: Visitor, query: str) -> None:
    assert viewer.get(f"/runs/?{query}").status_code == 400


@pytest.mark.parametrize(
    "path", ["/runs/a%00b", "/runs/..%2f..%2fetc", "/runs/" + "x" * 300, "/schedules/%00/"]
)
def test_hostile_paths_are_refused(viewer: Visitor, path: str) -> None:
    assert viewer.get(path).status_code in {400, 404}


def test_what_changes_something_needs_an_operator_and_what_deletes_an_admin(app: Flask) -> None:
    harmless = {"security.login", "security.logout", "preferences.save", "schedules.preview"}
    harmless |= {"password_links.use"}  # whoever has a link is its owner
    harmless |= {"second_step.show", "passkey_login.begin", "passkey_login.finish"}  # logins
    harmless |= {
        "starter.start_task",
        "starter.signup",
    }  # they start a job that is made for it, and know no user
    changing = (
        {rule.endpoint for rule in rules(app) if "POST" in (rule.methods or ())} - harmless - STOCK
    )
    least = {endpoint: LEAST_ROLE[endpoint] for endpoint in changing}
    by_viewers = {endpoint for endpoint, role in least.items() if role == "viewer"}
    own = ("account.", "second_factor.")
    assert {endpoint for endpoint in by_viewers if not endpoint.startswith(own)} == set()
    about_people = {endpoint for endpoint in changing if endpoint.startswith(("users.", "tokens."))}
    assert {least[endpoint] for endpoint in about_people} == {"admin"}
    by_admins = {endpoint for endpoint, role in least.items() if role == "admin"}
    assert by_admins - about_people == {
        "schedules.delete",
        "schedules.bulk_delete",
        "calendars.delete",
        "jobs.forget",
        "dead_letters.drop",
        "dead_letters.drop_all",
        "audit.export",
    }
    assert least["runs.cancel"] == "operator"
