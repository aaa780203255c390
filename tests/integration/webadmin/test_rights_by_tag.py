"""A viewer who is operator of a tag: sees everything, changes what carries the tag."""

from collections.abc import Callable

import pytest
from flask import Flask

from scheduler.accounts.policy import ROLES
from scheduler.accounts.rights import TAG_ROLES, Rights
from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import a_spec
from tests.support.webadmin.addresses import SAMPLES, calls
from tests.support.webadmin.schedule_desk import JOB, everything_written, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor
from webadmin.access.by_tag import BY_TAG, Place
from webadmin.guard import ANYONE, LEAST_ROLE

INSIDE, OUTSIDE = "inside", "outside"


@pytest.fixture
def limited(
    services: Services, account: Callable[[str], str], app: Flask
) -> Callable[..., Visitor]:
    """`limited("operator")`: a viewer with this role for the tag finance, logged in."""

    def login(role: str) -> Visitor:
        services.accounts.grant(account("viewer"), role, "finance")
        visitor = Visitor(app.test_client())
        assert visitor.login("viewer@example.org").status_code == 302
        return visitor

    return login


@pytest.fixture
def _schedules(services: Services) -> None:
    offer_jobs(services)
    saved(services, INSIDE, tags=["finance", "nightly"])
    saved(services, OUTSIDE, tags=["nightly"])


def test_every_row_by_tag_is_a_row_of_the_table_of_roles() -> None:
    assert {endpoint for endpoint in BY_TAG if LEAST_ROLE.get(endpoint) not in TAG_ROLES} == set()


@pytest.mark.usefixtures("_schedules")
@pytest.mark.parametrize("role", TAG_ROLES)
def test_the_table_holds_for_every_endpoint_method_and_tag(
    app: Flask, limited: Callable[..., Visitor], role: str
) -> None:
    someone = limited(role)
    token = someone.token()
    wrong = []
    for name in (INSIDE, OUTSIDE):
        samples = SAMPLES | {"schedules": {"name": name}}
        samples |= {
            room: {**row, "name": name}
            for room, row in SAMPLES.items()
            if room.startswith("schedules.")
        }
        for endpoint, method, path in calls(app, samples):
            least = LEAST_ROLE.get(endpoint)
            if least is None or endpoint in {"schedules.delete", "schedules.bulk_delete"}:
                continue
            data = {"csrf_token": token, "name": name} if method == "POST" else None
            answer = someone.client.open(path, method=method, data=data)
            if (answer.status_code != 403) != _is_open(endpoint, method, role, name):
                wrong.append((name, endpoint, method, answer.status_code))
    assert wrong == []


def _is_open(endpoint: str, method: str, role: str, name: str) -> bool:
    least = LEAST_ROLE[endpoint]
    if least in {ANYONE, "viewer"}:
        return True
    place = BY_TAG.get(endpoint)
    if place is None or place is Place.RUN or ROLES.index(role) < ROLES.index(least):
        return False
    return place is Place.NEW or name == INSIDE or (place is Place.FORM and method == "GET")


@pytest.mark.usefixtures("_schedules")
def test_an_administrator_of_a_tag_deletes_inside_only(
    services: Services, limited: Callable[..., Visitor]
) -> None:
    someone = limited("admin")
    assert someone.post(f"/schedules/{OUTSIDE}/delete", {"revision": "1"}).status_code == 403
    assert someone.post(f"/schedules/{INSIDE}/delete", {"revision": "1"}).status_code == 303
    assert services.schedules.names() == [OUTSIDE]


@pytest.mark.usefixtures("_schedules")
def test_a_selection_with_one_outside_is_refused_as_a_whole(
    services: Services, limited: Callable[..., Visitor]
) -> None:
    someone = limited("operator")
    before = everything_written(services)
    fields = {"action": "disable", "name": [INSIDE, OUTSIDE]}
    assert someone.post("/schedules/bulk", fields).status_code == 403
    assert everything_written(services) == before


FORM = {
    "enabled": "on",
    "kind": "crontab",
    "crontab": "0 6 * * *",
    "timezone": "UTC",
    "job": "mail.send",
    "arguments": "form",
    "p.to": "ann@example.org",
    "action": "save",
}


@pytest.mark.usefixtures("_schedules")
def test_a_new_schedule_needs_the_tag(services: Services, limited: Callable[..., Visitor]) -> None:
    someone = limited("operator")
    refused = someone.post("/schedules/new", FORM | {"name": "mine", "tags": "ops"})
    assert refused.status_code == 422
    assert "finance" in refused.text
    assert someone.post("/schedules/new", FORM | {"name": "mine", "tags": "finance"}).location
    assert services.schedules.get("mine").tags == ["finance"]


@pytest.mark.usefixtures("_schedules")
def test_the_tag_cannot_be_taken_off_nor_a_schedule_be_pulled_in(
    services: Services, limited: Callable[..., Visitor]
) -> None:
    someone = limited("operator")
    before = everything_written(services)
    moved = FORM | {"tags": "ops", "revision": "1"}
    assert someone.post(f"/schedules/{INSIDE}/edit", moved).status_code == 422
    pulled = FORM | {"tags": "finance", "revision": "1"}
    assert someone.post(f"/schedules/{OUTSIDE}/edit", pulled).status_code == 403
    fields = {"action": "tag", "remove": "finance", "name": INSIDE}
    assert someone.post("/schedules/bulk-change", fields).status_code == 422
    assert everything_written(services) == before


@pytest.mark.usefixtures("_schedules")
def test_the_store_refuses_what_a_view_would_let_through(
    app: Flask, services: Services, limited: Callable[..., Visitor]
) -> None:
    someone = limited("operator")
    desk = app.extensions["services"]

    def careless() -> str:
        desk.schedules.set_enabled(OUTSIDE, False, edit=Edit(actor="x", now=utc_now()))
        return "changed"

    view = "schedules.enable"
    app.view_functions[view] = lambda cls=None, **_: careless()
    answer = someone.post(f"/schedules/{INSIDE}/enable")
    assert answer.status_code == 400
    assert services.schedules.get(OUTSIDE).enabled


@pytest.mark.usefixtures("_schedules")
def test_the_store_refuses_to_pull_a_schedule_in(
    app: Flask, services: Services, limited: Callable[..., Visitor]
) -> None:
    someone = limited("operator")
    desk = app.extensions["services"]
    pulled = a_spec(OUTSIDE, JOB, tags=["finance"])

    def careless() -> str:
        desk.schedules.edit(OUTSIDE, pulled, revision=1, edit=Edit(actor="x", now=utc_now()))
        return "changed"

    app.view_functions["schedules.enable"] = lambda cls=None, **_: careless()
    assert someone.post(f"/schedules/{INSIDE}/enable").status_code == 400
    assert services.schedules.get(OUTSIDE).tags == ["nightly"]


@pytest.mark.usefixtures("_schedules")
def test_runs_are_repeated_and_cancelled_inside_only(
    services: Services, limited: Callable[..., Visitor]
) -> None:
    runs = {
        name: services.control.start(
            services.schedules.get(name), actor="ada@example.org", kwargs={}, now=utc_now()
        )
        for name in (INSIDE, OUTSIDE)
    }
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass
    someone = limited("operator")
    for action in ("rerun", "cancel"):
        assert someone.post(f"/runs/{runs[OUTSIDE]}/{action}").status_code == 403
        assert someone.post(f"/runs/{runs[INSIDE]}/{action}").status_code == 303


@pytest.mark.usefixtures("_schedules")
def test_pages_offer_buttons_inside_only(limited: Callable[..., Visitor]) -> None:
    someone = limited("operator")
    assert f"/schedules/{INSIDE}/edit" in someone.get(f"/schedules/{INSIDE}/").text
    assert f"/schedules/{OUTSIDE}/edit" not in someone.get(f"/schedules/{OUTSIDE}/").text


@pytest.mark.usefixtures("_schedules")
def test_a_list_offers_switches_inside_only(limited: Callable[..., Visitor]) -> None:
    page = limited("operator").get("/schedules/").text
    assert f'value="{INSIDE}"' in page
    assert f'value="{OUTSIDE}"' not in page
    assert f"/schedules/{INSIDE}/disable" in page
    assert f"/schedules/{OUTSIDE}/disable" not in page


def test_a_right_by_tag_without_a_role_is_no_right() -> None:
    assert not Rights(None, {"finance": "admin"}).covers_schedule("operator", ["finance"])
