"""A Flask application whose factory makes a Celery app of its own: Beatdesk stays bound to its own
app, the application's jobs to theirs.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.settings.schema import Settings
from tests.support.processes import start_worker
from tests.support.runs.house import sender
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer

SHOP = "tests.support.shop_with_celery"

Send = Callable[..., str]


@pytest.fixture
def job_settings(settings: Settings, tmp_path: Path) -> Settings:
    """With the shop's jobs, in the context of its application."""
    return settings.model_copy(update={"jobs": (SHOP,), "flask_app": f"{SHOP}:create_app"})


@pytest.fixture
def send(job_settings: Settings) -> Iterator[Send]:
    """Send a job by its name; the run's id."""
    app: BeatdeskApp = create_app(job_settings)
    yield sender(app)
    app.close()


@pytest.fixture(params=["prefork", "threads"])
def shop_on_our_broker(
    request: pytest.FixtureRequest, job_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop sends to the broker whose messages the worker takes."""
    monkeypatch.setenv("SHOP_BROKER", job_settings.broker)
    start_worker(job_settings, options=["-P", request.param])


@pytest.mark.usefixtures("services", "shop_on_our_broker")
def test_our_own_jobs_work_after_a_job_of_the_application(send: Send, stream: Stream) -> None:
    assert stream.end(send("shop.child", 1)).result == "child 1 is green"
    end = stream.end(send("cleanup.reports", kwargs={"dry_run": True}))
    assert (end.kind, getattr(end, "error", None)) == ("run.succeeded", None)
    workflow = stream.end(send("demo.workflow", 2)).result
    assert stream.end(workflow["ends_with"]).result == 403


@pytest.mark.usefixtures("shop_on_our_broker")
def test_a_job_sent_by_the_applications_own_app_has_a_whole_history(
    send: Send, stream: Stream
) -> None:
    parent = send("shop.parent", 5)
    result = stream.end(parent).result
    assert result["app"] == "shop"
    assert stream.end(result["child"]).result == "child 5 is green"
    queued = stream.one(result["child"], "run.queued").facts
    assert (queued.parent, queued.queue) == (parent, "celery")


@pytest.mark.usefixtures("shop_on_our_broker")
def test_a_chain_sent_by_the_applications_own_app_ends(send: Send, stream: Stream) -> None:
    result = stream.end(send("shop.pipe", 5)).result
    assert stream.end(result["first"]).result == "child 5 is green"
    assert stream.end(result["last"]).result == "child 6 is green"


def test_a_job_sent_to_another_broker_is_not_queued_here(
    job_settings: Settings,
    send: Send,
    stream: Stream,
    second_valkey: ValkeyServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_BROKER", second_valkey.url)
    worker = start_worker(job_settings)
    child = stream.end(send("shop.parent", 5)).result["child"]
    with second_valkey.client() as shop_broker:
        assert shop_broker.llen("celery") == 1
    assert stream.kinds(child) == []
    worker.wait_for_log("sent to another broker")
