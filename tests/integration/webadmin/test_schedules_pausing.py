"""Pausing, resuming and skipping in the console, for one schedule and for a selection."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import SchedulePaused, ScheduleResumed
from scheduler.rules.model.edit import Edit
from scheduler.rules.policies.window import is_paused
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import cron
from tests.support.console import Forms
from tests.support.schedules.contents import events
from tests.support.webadmin.schedule_desk import everything_written, fault_at, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor


@pytest.fixture(autouse=True)
def jobs_are_offered(services: Services) -> None:
    offer_jobs(services)


def facts(services: Services, kind: type) -> list:
    """The facts of one kind in the stream."""
    return [event for event in events(services.redis) if isinstance(event, kind)]


def test_pausing_asks_why_and_says_it_everywhere(operator: Visitor, services: Services) -> None:
    saved(services)
    page = operator.get("/schedules/nightly/pause")
    assert "Nothing fires until it is resumed" in page.text
    answer = operator.post(
        "/schedules/nightly/pause", {"reason": "the bank is closed", "until": "2d"}
    )
    assert (answer.status_code, answer.location) == (303, "/schedules/nightly/")
    pause = services.schedules.get("nightly").paused
    assert pause is not None
    assert (pause.reason, pause.by) == ("the bank is closed", "operator@example.org")
    assert pause.until is not None
    assert timedelta(hours=47) < pause.until - utc_now() < timedelta(hours=49)
    for path in ("/schedules/", "/schedules/nightly/"):
        said = operator.get(path).text
        assert "Paused" in said
        assert "the bank is closed" in said
    assert facts(services, SchedulePaused)[0].actor == "operator@example.org"


def test_what_cannot_be_read_is_refused_on_the_form_also_with_a_time_of_its_clock(
    operator: Visitor, services: Services
) -> None:
    saved(services)
    services.redis.hset(keys.entry("nightly"), "definition", "{")
    answer = operator.post(
        "/schedules/nightly/pause", {"reason": "the bank is closed", "until": "08:00"}
    )
    assert answer.status_code == 422
    assert 'value="08:00"' in answer.text
    assert "is not JSON" in fault_at(answer, "reason")


def test_a_pause_may_end_at_a_time_of_day_on_the_schedules_clock(
    operator: Visitor, services: Services
) -> None:
    saved(services, when=cron("0 6 * * *", "Asia/Tokyo"))
    assert (
        operator.post(
            "/schedules/nightly/pause", {"reason": "x", "until": "monday 8:00"}
        ).status_code
        == 303
    )
    pause = services.schedules.get("nightly").paused
    assert pause is not None
    assert pause.until is not None
    assert f"{pause.until.astimezone(ZoneInfo('Asia/Tokyo')):%A %H:%M}" == "Monday 08:00"


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        ({"reason": " "}, "reason", "Say why"),
        ({"reason": "x", "until": "soon"}, "until", "is not a time"),
        ({"reason": "x", "until": "2020-01-01 06:00"}, "until", "has passed"),
        ({"reason": "x" * 501}, "reason", "up to 500"),
    ],
)
def test_a_pause_that_cannot_be_meant_stays_on_the_page(
    operator: Visitor, services: Services, typed: dict[str, str], field: str, why: str
) -> None:
    saved(services)
    before = everything_written(services)
    page = operator.post("/schedules/nightly/pause", typed)
    assert page.status_code == 422
    assert why in fault_at(page, field)
    assert everything_written(services) == before


def test_resuming_asks_what_becomes_of_the_ticks_in_the_pause(
    operator: Visitor, services: Services
) -> None:
    saved(services, when=cron("* * * * *"))
    since = utc_now() - timedelta(minutes=10)
    services.operations.pause("nightly", reason="x", edit=Edit(actor="ada@example.org", now=since))
    page = operator.get("/schedules/nightly/resume").text
    assert "ticks were held back" in page
    assert 'value="latest"' in page
    form = next(
        form for form in Forms(page).forms if any(name == "missed" for name, _ in form.fields)
    )
    assert ("missed", "skip") in form.fields
    answer = operator.post(
        "/schedules/nightly/resume", {"missed": "skip", "comment": "open"}, follow_redirects=True
    )
    assert "nightly fires again." in answer.text
    schedule = services.schedules.get("nightly")
    assert not is_paused(schedule, utc_now())
    (event,) = facts(services, ScheduleResumed)
    assert (event.missed, event.comment) == ("skip", "open")
    assert "is not paused" in operator.get("/schedules/nightly/resume", follow_redirects=True).text


def test_the_ticks_in_the_pause_may_run_after_all(operator: Visitor, services: Services) -> None:
    saved(services, when=cron("* * * * *"))
    services.operations.pause(
        "nightly", reason="x", edit=Edit(actor="ada@example.org", now=utc_now())
    )
    page = operator.post(
        "/schedules/nightly/resume", {"missed": "sometimes"}, follow_redirects=True
    )
    assert "Choose what to do with the ticks of the pause" in page.text
    assert services.schedules.get("nightly").paused is not None
    operator.post("/schedules/nightly/resume", {"missed": "all"})
    assert services.schedules.get("nightly").paused is None


def test_a_coming_tick_is_skipped_with_one_button_and_kept_with_another(
    operator: Visitor, services: Services
) -> None:
    saved(services, when=cron("0 6 * * *"))
    first = services.schedules.listed("nightly").next
    assert first is not None
    page = operator.post("/schedules/nightly/skip", follow_redirects=True).text
    assert "Run after all" in page
    assert services.schedules.get("nightly").skips == [first]
    assert services.schedules.listed("nightly").next == first + timedelta(days=1)
    second = (first + timedelta(days=1)).isoformat()
    operator.post("/schedules/nightly/skip", {"tick": second})
    assert len(services.schedules.get("nightly").skips) == 2
    operator.post("/schedules/nightly/keep", {"tick": first.isoformat()})
    assert services.schedules.get("nightly").skips == [datetime.fromisoformat(second)]
    said = operator.post(
        "/schedules/nightly/skip", {"tick": first.isoformat()[:-7] + "x"}, follow_redirects=True
    )
    assert "is not a tick" in said.text


def test_a_selection_is_paused_with_one_reason_and_resumed(
    operator: Visitor, services: Services
) -> None:
    for name in ("a", "b", "c"):
        saved(services, name)
    page = operator.post("/schedules/bulk-pause", {"name": ["a", "b"]})
    assert "Pause 2 schedules" in page.text
    assert services.schedules.get("a").paused is None
    refused = operator.post("/schedules/bulk-pause", {"name": ["a", "b"], "confirmed": "yes"})
    assert "Say why" in fault_at(refused, "reason")
    confirmed = {"name": ["a", "b", "gone"], "confirmed": "yes", "reason": "release"}
    said = operator.post("/schedules/bulk-pause", confirmed, follow_redirects=True).text
    assert "2 schedules are paused." in said
    assert "Not paused: gone" in said
    assert [services.schedules.get(name).paused is not None for name in ("a", "b", "c")] == [
        True,
        True,
        False,
    ]
    said = operator.post(
        "/schedules/bulk", {"name": ["a", "c"], "action": "resume"}, follow_redirects=True
    ).text
    assert "1 schedule is resumed." in said
    assert "Not resumed: c" in said


@pytest.mark.parametrize(
    "path", ["nightly/pause", "nightly/resume", "nightly/skip", "nightly/keep", "bulk-pause"]
)
def test_a_viewer_may_not(viewer: Visitor, services: Services, path: str) -> None:
    saved(services)
    before = everything_written(services)
    assert (
        viewer.post(
            f"/schedules/{path}", {"reason": "x", "name": "nightly", "confirmed": "yes"}
        ).status_code
        == 403
    )
    assert everything_written(services) == before


def test_a_viewer_is_not_offered_it(viewer: Visitor, operator: Visitor, services: Services) -> None:
    saved(services)
    for path in ("/schedules/", "/schedules/nightly/"):
        offers = []
        for visitor in (operator, viewer):
            page = visitor.get(path).text
            page = page.replace(">Paused</option>", "")  # a filter, which viewers have
            page = page.replace("Skip to the content", "")
            offers.append(("Pause" in page, "Skip" in page))
        assert offers == [(True, True), (False, False)], path
