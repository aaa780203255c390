"""Requests that change something need their token; those that look change nothing."""

import pytest
from flask import Flask
from redis import Redis

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.webadmin.addresses import ENDS_SESSION, calls
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.stored import everything
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


@pytest.mark.usefixtures("_samples")
def test_no_form_is_taken_without_its_token_and_nothing_changes(
    app: Flask, admin: Visitor, services: Services, redis: Redis
) -> None:
    before = everything(services, redis)
    unsafe = [
        (method, path)
        for endpoint, method, path in calls(app)
        if method not in {"GET", "HEAD", "OPTIONS"}
        and not endpoint.startswith("starter.")  # they know no user
    ]
    unsafe += [("POST", path) for path in ENDS_SESSION.values()]
    assert len(unsafe) > 10
    answers = {
        (method, path): admin.client.open(path, method=method).status_code
        for method, path in unsafe
    }
    assert set(answers.values()) == {400}, answers
    assert everything(services, redis) == before


@pytest.mark.usefixtures("_samples")
def test_looking_changes_nothing(
    app: Flask, admin: Visitor, services: Services, redis: Redis
) -> None:
    admin.get("/")
    before = everything(services, redis)
    seen = {path: admin.get(path).status_code for _, method, path in calls(app) if method == "GET"}
    assert {200} <= set(seen.values())
    assert not {500} & set(seen.values()), seen
    assert everything(services, redis) == before


def test_a_token_of_somebody_else_is_no_token(app: Flask, admin: Visitor, viewer: Visitor) -> None:
    assert admin.client.post("/logout", data={"csrf_token": viewer.token()}).status_code == 400


def test_a_refused_form_says_what_to_do(admin: Visitor) -> None:
    page = admin.client.post("/logout")
    assert "This form has expired" in page.text
    assert "Nothing was changed" in page.text


def test_a_body_that_is_too_large_is_refused(admin: Visitor) -> None:
    assert (
        admin.client.post("/preferences", data={"csrf_token": "x" * 1_100_000}).status_code == 413
    )
