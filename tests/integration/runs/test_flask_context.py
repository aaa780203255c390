"""Jobs of a user's Flask application run in its context, one application per process, sessions
removed after each.
"""

from collections.abc import Iterator

import pytest

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.settings.schema import Settings
from tests.support.processes import start_worker
from tests.support.runs.house import sender
from tests.support.runs.stream import Stream

SHOP = "tests.support.shop"


@pytest.fixture
def job_settings(settings: Settings) -> Settings:
    """With the shop's jobs, and no application yet."""
    return settings.model_copy(update={"jobs": (SHOP, "tests.support.told_jobs")})


@pytest.fixture
def app(job_settings: Settings) -> Iterator[BeatdeskApp]:
    """Who sends."""
    app = create_app(job_settings)
    yield app
    app.close()


def test_a_plain_job_uses_configuration_links_and_sessions(
    job_settings: Settings, app: BeatdeskApp, stream: Stream
) -> None:
    named = {"flask_app": f"{SHOP}:create_app", "flask_url": "https://shop.example/desk"}
    start_worker(job_settings.model_copy(update=named))
    send = sender(app)
    first = stream.end(send("shop.link", 7)).result
    assert (first["greeting"], first["url"]) == ("hello", "https://shop.example/desk/orders/7")
    failed = stream.end(send("shop.link", 7, True))
    assert failed.error == "ValueError: no such order"
    last = stream.end(send("shop.link", 8)).result
    assert (last["was_clean"], last["removed"]) == (True, 2)
    assert last["made"] == [last["pid"]] == [first["pid"]]


def test_an_application_that_cannot_be_made_fails_the_run_with_the_reason(
    job_settings: Settings, app: BeatdeskApp, stream: Stream
) -> None:
    start_worker(job_settings.model_copy(update={"flask_app": f"{SHOP}:create_ap"}))
    end = stream.end(sender(app)("shop.link", 7))
    assert end.kind == "run.failed"
    assert (
        "tests.support.shop:create_ap (BEATDESK_FLASK_APP) cannot be made: AttributeError"
        in end.error
    )


def test_a_job_that_asks_for_a_context_where_no_application_is_named_says_so(
    job_settings: Settings, app: BeatdeskApp, stream: Stream
) -> None:
    start_worker(job_settings)
    send = sender(app)
    assert "name it in BEATDESK_FLASK_APP" in stream.end(send("told.with_flask")).error
    assert stream.end(send("told.wish")).result == 1
