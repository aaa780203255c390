"""Pausing everything in the console: a page that asks why, a banner on every page, and one button
back.
"""

import pytest

from scheduler.services.services import Services
from tests.support.webadmin.schedule_desk import everything_written, fault_at, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor


@pytest.fixture(autouse=True)
def two_schedules(services: Services) -> None:
    offer_jobs(services)
    for name in ("a", "b"):
        saved(services, name)


def test_everything_is_paused_said_on_every_page_and_resumed(
    operator: Visitor, viewer: Visitor, services: Services
) -> None:
    assert "Pause everything…" in operator.get("/schedules/").text
    said = operator.post(
        "/schedules/pause-all", {"reason": "the data centre moves"}, follow_redirects=True
    )
    assert "2 schedules are paused." in said.text
    for path in ("/", "/schedules/", "/runs/", "/changes/"):
        page = operator.get(path).text
        assert "Everything is paused." in page
        assert "the data centre moves" in page
    assert "Resume everything" in page
    assert "Everything is paused." in viewer.get("/runs/").text
    assert "Resume everything" not in viewer.get("/runs/").text
    assert services.schedules.get("a").paused is not None
    answer = operator.post("/schedules/resume-all", {"next": "/runs/"}, follow_redirects=True)
    assert answer.request.path == "/runs/"
    assert "2 schedules are resumed." in answer.text
    assert "Everything is paused." not in answer.text
    assert services.schedules.get("a").paused is None


def test_without_a_reason_nothing_is_paused(operator: Visitor, services: Services) -> None:
    before = everything_written(services)
    page = operator.post("/schedules/pause-all", {"reason": ""})
    assert page.status_code == 422
    assert "Say why" in fault_at(page, "reason")
    assert everything_written(services) == before


@pytest.mark.parametrize("path", ["pause-all", "resume-all"])
def test_a_viewer_may_not(viewer: Visitor, services: Services, path: str) -> None:
    before = everything_written(services)
    assert "Pause everything" not in viewer.get("/schedules/").text
    assert viewer.post(f"/schedules/{path}", {"reason": "x"}).status_code == 403
    assert everything_written(services) == before
