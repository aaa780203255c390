"""The lists of addresses that other tests go by are those of the app, and each page in them has
something on it.
"""

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.webadmin.addresses import NO_PAGE, SAMPLES, calls, pages, path_of, rules
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


@pytest.mark.usefixtures("_samples")
def test_every_page_is_there_and_has_something_on_it(app: Flask, admin: Visitor) -> None:
    answers = {path: admin.get(path) for path in pages(app).values()}
    assert {
        path: page.status_code for path, page in answers.items() if page.status_code != 200
    } == {}
    assert [
        path for path, page in answers.items() if "<html" not in page.text or "<h1" not in page.text
    ] == []


@pytest.mark.usefixtures("_samples")
def test_what_is_listed_as_no_page_is_none(app: Flask, admin: Visitor) -> None:
    others = {
        call.endpoint: call.path
        for call in calls(app)
        if call.method == "GET" and call.endpoint in NO_PAGE
    }
    assert others.keys() == NO_PAGE.keys()
    answers = {path: admin.get(path) for path in others.values()}
    whole = {
        path
        for path, page in answers.items()
        if page.status_code == 200 and page.text.startswith("<!doctype")
    }
    assert whole == set()


def test_a_new_page_is_in_every_list_by_itself(app: Flask) -> None:
    app.add_url_rule("/brand-new", "brand_new", lambda: "new", methods=["GET", "POST"])
    assert pages(app)["brand_new"] == "/brand-new"
    assert {("brand_new", "GET", "/brand-new"), ("brand_new", "POST", "/brand-new")} <= set(
        calls(app)
    )


def test_a_parameter_without_a_sample_is_named(app: Flask) -> None:
    app.add_url_rule("/brand-new/<colour>", "brand_new", lambda colour: colour)
    with pytest.raises(LookupError, match=r"/brand-new/<colour> .*no sample value for colour"):
        pages(app)
    assert pages(app, {**SAMPLES, "brand_new": {"colour": "red"}})["brand_new"] == "/brand-new/red"


def test_every_sample_belongs_to_an_address(app: Flask) -> None:
    there = {rule.endpoint for rule in rules(app)}
    rooms = {endpoint.partition(".")[0] for endpoint in there}
    assert set(SAMPLES) <= there | rooms
    assert {path_of(app, rule) for rule in rules(app)} >= {
        "/schedules/sample/restore?number=1",
        "/runs/sample-run",
    }
