"""Overrides on static entries, adopting plain ones, changing a selection, and bringing deleted
schedules back.
"""

from collections.abc import Callable

import pytest

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.schedules.contents import plain
from tests.support.webadmin.schedule_desk import FORM, everything_written, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor


@pytest.fixture(autouse=True)
def offered(services: Services) -> None:
    offer_jobs(services)


@pytest.fixture
def static(services: Services) -> str:
    plain(services, "static", kwargs={"days": 1})
    services.redis.sadd(keys.STATICS_SET, "static")
    return "/schedules/static/"


@pytest.fixture
def record(services: Services) -> Callable[[], None]:
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test-recorder")

    def fold() -> None:
        while recorder.run_once(utc_now(), 10):
            pass

    return fold


def test_a_static_entry_is_edited_as_an_override_and_reset(
    services: Services, operator: Visitor, static: str
) -> None:
    assert "Override…" in operator.get(static).text
    editor = operator.get(static + "edit")
    assert editor.status_code == 200
    assert "a save is an override" in editor.text
    form = {
        **FORM,
        "name": "static",
        "timezone": "UTC",
        "crontab": "0 6 * * *",
        "p.days": "7",
        "revision": "0",
    }
    assert operator.post(static + "edit", form, page=static + "edit").status_code == 303
    schedule = services.schedules.get("static")
    assert schedule.override is not None
    assert schedule.kwargs == {"days": 7}
    page = operator.get(static).text
    assert "<del>1</del>" in page
    assert "<ins>7</ins>" in page
    assert "Override</span>" in operator.get("/schedules/").text
    asked = operator.get(static + "reset").text
    assert "<del>7</del>" in asked
    assert operator.post(static + "reset", {"revision": "1"}).status_code == 303
    assert services.schedules.get("static").kwargs == {"days": 1}
    assert operator.get(static + "reset").status_code == 303


def test_a_change_of_the_code_is_told_on_list_and_page(
    services: Services, operator: Visitor, static: str
) -> None:
    now = utc_now()
    spec = services.schedules.get("static").spec().model_copy(update={"kwargs": {"days": 7}})
    services.schedules.edit("static", spec, revision=0, edit=Edit(actor="ada", now=now))
    plain(services, "static", kwargs={"days": 2})
    assert "Override, code has changed" in operator.get("/schedules/").text
    assert "The code has changed since the override was put." in operator.get(static).text
    assert (
        operator.post(static + "reset", {"revision": "0"}, follow_redirects=True).text.count(
            "since you looked"
        )
        == 1
    )
    assert services.schedules.get("static").override is not None


def test_a_plain_entry_is_explained_and_adopted(services: Services, operator: Visitor) -> None:
    plain(services, "plain")
    page = operator.get("/schedules/plain/").text
    assert "Plain RedBeat code wrote this entry." in page
    assert "An edit does not adopt it" in page
    assert "no tick is lost and none comes twice" in operator.get("/schedules/plain/adopt").text
    assert operator.post("/schedules/plain/adopt", {"revision": "0"}).status_code == 303
    assert services.schedules.get("plain").origin == "operator"
    assert operator.get("/schedules/plain/adopt").status_code == 303


def test_a_selection_gets_tags_and_a_queue(services: Services, operator: Visitor) -> None:
    saved(services, "a", tags=["old"])
    saved(services, "b")
    both = {"name": ["a", "b"]}
    assert "All of these, or none" in operator.post("/schedules/bulk-change", both).text
    told = operator.post(
        "/schedules/bulk-change",
        {**both, "action": "tag", "add": "x, y", "remove": "old"},
        follow_redirects=True,
    ).text
    assert "2 schedules are tagged: a, b." in told
    assert services.schedules.get("a").tags == ["x", "y"]
    operator.post("/schedules/bulk-change", {**both, "action": "queue", "queue": "slow"})
    assert [services.schedules.get(name).queue for name in "ab"] == ["slow", "slow"]
    assert operator.post("/schedules/bulk-change", {**both, "action": "tag"}).status_code == 422


def test_a_selection_is_changed_whole_or_not_at_all(
    services: Services, operator: Visitor, static: str
) -> None:
    plain(services, "plain")
    before = everything_written(services)
    answer = operator.post(
        "/schedules/bulk-change", {"name": ["plain", "static"], "action": "adopt"}
    )
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text
    assert "put an override on it" in answer.text
    assert everything_written(services) == before
    operator.post("/schedules/bulk-change", {"name": ["plain"], "action": "adopt"})
    assert services.schedules.get("plain").origin == "operator"


def test_a_deleted_schedule_comes_back(
    services: Services, operator: Visitor, record: Callable[[], None]
) -> None:
    old = saved(services, "gone", kwargs={"days": 3})
    services.schedules.delete("gone", edit=Edit(actor="ben", now=utc_now(), comment="by mistake"))
    record()
    listed = operator.get("/schedules/deleted").text
    assert "by mistake" in listed
    assert "/schedules/deleted/restore?name=gone" in listed
    assert (
        "As it was in which revision?" in operator.get("/schedules/deleted/restore?name=gone").text
    )
    page = "/schedules/deleted/restore"
    assert (
        "Choose the revision" in operator.post(page, {"name": "gone"}, follow_redirects=True).text
    )
    assert operator.post(page, {"name": "gone", "number": "1", "revision": "2"}).status_code == 303
    back = services.schedules.get("gone")
    assert (back.uid, back.revision, back.kwargs) == (old.uid, 3, {"days": 3})
    record()
    assert operator.get("/schedules/deleted/restore?name=gone").status_code == 404
    assert "Nothing was deleted" in operator.get("/schedules/deleted").text


def test_the_list_is_filtered_by_paused_and_finished(services: Services, operator: Visitor) -> None:
    saved(services, "held")
    saved(services, "free")
    services.operations.pause("held", reason="x", edit=Edit(actor="a", now=utc_now()))
    found = operator.get("/schedules/?state=paused").text
    assert "/schedules/held/" in found
    assert "/schedules/free/" not in found
    assert "No schedule fits" in operator.get("/schedules/?q=state:finished").text
