"""The revisions of a schedule in the console: what each changed, and the way back."""

import re
from collections.abc import Callable

import pytest

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import JOB, a_spec, cron
from tests.support.webadmin.schedule_desk import everything_written, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor


@pytest.fixture(autouse=True)
def edited(services: Services) -> None:
    """A schedule of two revisions."""
    offer_jobs(services)
    saved(services, when=cron("0 6 * * *"), kwargs={"days": 1})
    edit(
        services,
        1,
        when=cron("0 7 * * *"),
        kwargs={"days": 1, "filters": {"webhook_url": "s3cret"}},
    )


@pytest.fixture
def record(services: Services) -> Callable[[], None]:
    """Fold all that is in the stream into the history."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test-recorder")

    def fold() -> None:
        while recorder.run_once(utc_now(), 10):
            pass

    return fold


def edit(services: Services, revision: int, **parts: object) -> None:
    spec = a_spec("nightly", JOB, **parts)
    services.schedules.edit(
        "nightly",
        spec,
        revision=revision,
        edit=Edit(actor="bob@example.org", now=utc_now(), comment="later"),
    )


def test_the_page_says_what_each_revision_changed_without_secrets(
    operator: Visitor, record: Callable[[], None]
) -> None:
    record()
    page = operator.get("/schedules/nightly/revisions").text
    assert "<del>0 6 * * *</del>" in page
    assert "<ins>0 7 * * *</ins>" in page
    assert "“later”" in page
    assert "s3cret" not in page
    assert "number=1" in page
    assert "number=2" not in page
    assert "/schedules/nightly/revisions" in operator.get("/schedules/nightly/").text


def test_restoring_shows_what_will_change_and_then_does_it(
    operator: Visitor, services: Services, record: Callable[[], None]
) -> None:
    record()
    page = operator.get("/schedules/nightly/restore?number=1").text
    assert re.search(r"<del>0 7 \* \* \*</del>.*<ins>0 6 \* \* \*</ins>", page, re.DOTALL)
    answer = operator.post(
        "/schedules/nightly/restore",
        {"number": "1", "revision": "2", "comment": "better"},
        follow_redirects=True,
    )
    assert "again as it was in revision 1. This is revision 3." in answer.text
    schedule = services.schedules.get("nightly")
    assert (schedule.revision, schedule.when, schedule.kwargs) == (
        3,
        cron("0 6 * * *"),
        {"days": 1},
    )
    record()
    assert "Restored" in operator.get("/schedules/nightly/revisions").text
    assert "Restored" in operator.get("/changes/").text


def test_what_was_changed_meanwhile_is_not_restored(
    operator: Visitor, services: Services, record: Callable[[], None]
) -> None:
    record()
    edit(services, 2, owner="Bob")
    page = operator.post(
        "/schedules/nightly/restore", {"number": "1", "revision": "2"}, follow_redirects=True
    )
    assert "changed to revision 3 since you looked" in page.text
    assert services.schedules.get("nightly").owner == "Bob"


@pytest.mark.parametrize("number", ["", "9", "x", "-1", "99999999999"])
def test_a_revision_that_never_was_is_said(
    operator: Visitor, record: Callable[[], None], number: str
) -> None:
    record()
    assert operator.get(f"/schedules/nightly/restore?number={number}").status_code == 404


def test_a_viewer_sees_the_revisions_and_restores_none(
    viewer: Visitor, services: Services, record: Callable[[], None]
) -> None:
    record()
    assert "Restore" not in viewer.get("/schedules/nightly/revisions").text
    before = everything_written(services)
    assert (
        viewer.post("/schedules/nightly/restore", {"number": "1", "revision": "2"}).status_code
        == 403
    )
    assert everything_written(services) == before


def test_changes_of_calendars_stand_in_the_list_of_all_with_who_and_why(
    viewer: Visitor, services: Services, record: Callable[[], None]
) -> None:
    calendar = calendar_of("holidays", ["sun"])
    services.calendars.save(
        calendar, revision=None, edit=Edit(actor="eve@example.org", now=utc_now(), comment="agreed")
    )
    record()
    page = viewer.get("/changes/").text
    for said in (
        'href="/calendars/holidays/"',
        "calendar, revision 1",
        "eve@example.org",
        "agreed",
    ):
        assert said in page
    assert "/schedules/nightly/" in page
    assert "/schedules/nightly/" not in viewer.get("/changes/?of=calendar").text
    assert "/calendars/holidays/" not in viewer.get("/changes/?of=schedule").text
    assert viewer.get("/changes/?of=job").status_code == 400
