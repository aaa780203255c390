"""Every address with every method but POST, as an admin and with the fields of every form in the
query: nothing changes.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask, request
from redis import Redis

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.console import Forms
from tests.support.webadmin.addresses import calls, pages
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.stored import everything
from tests.support.webadmin.visitor import Visitor

LOOKING = ("GET", "HEAD", "OPTIONS")
REFUSED = ("TRACE", "PROPFIND", "PUT", "DELETE", "PATCH", "head", "GETT")
FIELDS = {
    "action": "enable",
    "anyway": "1",
    "comment": "by hand",
    "confirmed": "1",
    "kwargs": '{"days": 2}',
    "limit": "3",
    "missed": "each",
    "name": "sample",
    "next": "/",
    "number": "1",
    "reason": "by hand",
    "revision": "2",
    "since": "7d",
    "text": "version: 1\nschedules: {}\n",
}
"""Fields of the forms, with values with which a POST changes something."""


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


def addresses(app: Flask, admin: Visitor) -> Iterator[str]:
    """Every address with the fields of all forms, and every form of every page with its own."""
    for call in calls(app):
        path = call.path.partition("?")[0]
        yield f"{path}?{urlencode(FIELDS)}"
    for page in pages(app).values():
        for form in Forms(admin.get(page).text).forms:
            target = (form.action or page).partition("?")[0]
            yield f"{target}?{urlencode(form.fields)}"


@pytest.mark.usefixtures("_samples")
def test_no_method_but_post_changes_anything(
    app: Flask, admin: Visitor, services: Services, redis: Redis
) -> None:
    listed = sorted(set(addresses(app, admin)))
    assert len(listed) > 100
    before = everything(services, redis)
    for method in LOOKING:
        codes = {path: admin.client.open(path, method=method).status_code for path in listed}
        faults = {path for path, code in codes.items() if code >= 500}
        assert {path for path in faults if not path.startswith("/readyz")} == set(), method
    assert everything(services, redis) == before


def test_a_method_without_a_view_is_refused_at_every_address(app: Flask, admin: Visitor) -> None:
    paths = {call.path for call in calls(app)} | {"/no-such-page"}
    codes = {
        (method, path): admin.client.open(path, method=method).status_code
        for method in REFUSED
        for path in paths
    }
    assert set(codes.values()) == {405}


def test_no_view_sees_a_head(app: Flask, admin: Visitor) -> None:
    """So that none can take it for a POST."""
    methods: list[str] = []

    def note(*_: object, **__: object) -> str:
        methods.append(request.method)
        return "noted"

    app.view_functions["runs.index"] = note
    assert admin.client.head("/runs/").status_code == 200
    assert methods == ["GET"]


@pytest.mark.usefixtures("_samples")
def test_head_has_the_headers_of_get_and_no_body(app: Flask, admin: Visitor) -> None:
    for endpoint, path in {**pages(app), "static": "/static/app/desk.css"}.items():
        seen = admin.get(path)
        head = admin.client.head(path)
        assert (head.status_code, head.data) == (seen.status_code, b""), path
        assert head.headers["Content-Type"] == seen.headers["Content-Type"], endpoint
