"""Running a run once more from its page."""

from collections.abc import Callable

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import RunLost, run_event
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.schedules.contents import messages
from tests.support.webadmin.schedule_desk import offer_jobs, saved
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def record(services: Services) -> Callable[[], None]:
    """Fold all that is in the stream into the history."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test-recorder")

    def fold() -> None:
        while recorder.run_once(utc_now(), 10):
            pass

    return fold


@pytest.fixture
def old(services: Services, record: Callable[[], None]) -> str:
    """A run that has ended."""
    offer_jobs(services)
    run = services.control.start(
        saved(services), actor="ada@example.org", kwargs={"days": 3}, now=utc_now()
    )
    record()
    services.redis.delete("reports")
    return run


def test_one_button_runs_it_again_as_a_new_run(
    operator: Visitor, services: Services, record: Callable[[], None], old: str
) -> None:
    page = operator.post(f"/runs/{old}/rerun", follow_redirects=True)
    assert "It runs again." in page.text
    (message,) = messages(services.redis, "reports")
    new = message["headers"]["id"]
    record()
    run = services.history.run(new)
    assert (run.parent, run.trigger, run.actor, run.kwargs) == (
        old,
        "rerun",
        "operator@example.org",
        {"days": 3},
    )
    assert f'href="/runs/{old}"' in operator.get(f"/runs/{new}").text


def test_or_with_other_arguments(
    operator: Visitor, services: Services, record: Callable[[], None], old: str
) -> None:
    assert "Run again with other arguments" in operator.get(f"/runs/{old}").text
    operator.post(f"/runs/{old}/rerun", {"kwargs": '{"days": 7}'})
    record()
    (message,) = messages(services.redis, "reports")
    assert services.history.run(message["headers"]["id"]).kwargs == {"days": 7}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("{", "Not JSON"),
        ("[1]", "an object in braces"),
        ('{"day": 1}', "did you mean"),
        ('{"x": "•••••"}', "hidden"),
    ],
)
def test_wrong_arguments_stay_on_the_page_and_start_nothing(
    operator: Visitor, services: Services, old: str, typed: str, why: str
) -> None:
    page = operator.post(f"/runs/{old}/rerun", {"kwargs": typed})
    assert page.status_code == 422
    assert why in page.text
    assert messages(services.redis, "reports") == []


def test_a_viewer_may_not(viewer: Visitor, services: Services, old: str) -> None:
    assert "Run again" not in viewer.get(f"/runs/{old}").text
    assert viewer.post(f"/runs/{old}/rerun").status_code == 403
    assert messages(services.redis, "reports") == []


def test_a_lost_run_whose_message_comes_back_is_doubled_only_after_a_second_question(
    operator: Visitor, services: Services, record: Callable[[], None], old: str
) -> None:
    run = services.control.start(services.schedules.get("nightly"), actor="ada", now=utc_now())
    services.events.append(run_event(RunLost, run, 1, utc_now()))
    record()
    page = operator.post(f"/runs/{run}/rerun")
    assert page.status_code == 409
    assert "This would run the job twice." in page.text
    assert services.redis.llen("reports") == 1
    page = operator.post(f"/runs/{run}/rerun", {"anyway": "1"}, follow_redirects=True)
    assert "It runs again." in page.text
    assert services.redis.llen("reports") == 2
