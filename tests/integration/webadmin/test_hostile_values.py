"""Every parameter of every address, and every field of every form, with hostile values: nothing
is a fault of Beatdesk, and nothing takes seconds.
"""

import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.console import Forms
from tests.support.webadmin.addresses import calls, pages
from tests.support.webadmin.hostile import LONG, VALUES
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.visitor import Visitor

SECONDS = 2.0
"""Seconds of processor time that one request may take: others of the machine do not count."""

PARAMETERS = (
    "after",
    "anyway",
    "endpoint",
    "id",
    "job",
    "limit",
    "log",
    "name",
    "next",
    "number",
    "of",
    "overlap",
    "page",
    "parent",
    "q",
    "queue",
    "schedule",
    "since",
    "state",
    "tag",
    "trigger",
    "until",
    "v",
    "values",
    "worker",
    "_anchor",
    "_external",
    "_method",
    "_scheme",
    "self",
)
"""The parameters of all addresses, and the names of parameters of functions behind them."""


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


def forms_of(app: Flask, admin: Visitor) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Address and fields of each form of the console, each address once."""
    seen = set()
    for page in pages(app).values():
        for form in Forms(admin.get(page).text).forms:
            path = (form.action or page).partition("?")[0]
            if path not in seen and path not in ("/logout", "/preferences"):
                seen.add(path)
                yield path, form.fields


@pytest.mark.usefixtures("_samples")
def test_no_value_of_a_parameter_is_a_fault(app: Flask, admin: Visitor) -> None:
    paths = sorted({call.path.partition("?")[0] for call in calls(app) if call.method == "GET"})
    faults = []
    for path in paths:
        # Each request has another value in every parameter, so that each meets a third of them.
        for shift in range(0, len(VALUES), 3):
            query = {
                name: VALUES[(shift + place) % len(VALUES)] for place, name in enumerate(PARAMETERS)
            }
            if shift % 4:  # a bad page or id ends the request early
                del query["page"], query["id"]
            code = admin.get(f"{path}?{urlencode(query)[:7900]}").status_code
            if code >= 500 and path != "/readyz":
                faults.append((path, query, code))
    assert faults == []


@pytest.mark.usefixtures("_samples")
@pytest.mark.parametrize("values", [VALUES, LONG], ids=["hostile", "long"])
def test_no_value_of_a_field_is_a_fault(
    app: Flask, admin: Visitor, values: tuple[str, ...]
) -> None:
    token = admin.token()
    faults = []
    for path, fields in list(forms_of(app, admin)):
        names = list(dict.fromkeys(name for name, _ in fields if name != "csrf_token"))
        for place, name in enumerate(names):
            for value in values[place % 6 :: 6] or values:
                form = {**dict(fields), name: value, "csrf_token": token}
                began = time.thread_time()
                code = admin.client.post(path, data=form).status_code
                if code >= 500 or time.thread_time() - began > SECONDS:
                    faults.append((path, name, value[:60], code))
    assert faults == []


@pytest.mark.parametrize("marks", [300, 2_000, 80_000, 250_000])
def test_a_login_with_an_address_of_combining_marks_is_refused_at_once(
    visitor: Visitor, marks: int
) -> None:
    token = visitor.token("/login")
    began = time.thread_time()
    form = {"csrf_token": token, "email": "\u0301\u0316" * (marks // 2), "password": "x"}
    page = visitor.client.post("/login", data=form)
    assert page.status_code in (200, 413)
    assert time.thread_time() - began < SECONDS


@pytest.mark.parametrize("body", ["[" * 100_000, '{"when":' * 20_000, "9" * 5_000, '{"a":[' * 90])
def test_deep_json_is_refused(admin: Visitor, body: str) -> None:
    answer = admin.client.post(
        "/schedules/preview",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": admin.token()},
    )
    assert answer.status_code in (400, 422)
