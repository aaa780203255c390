"""The buttons: on, off, run now, delete, and the same for a selection."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.clock import utc_now
from scheduler.events.schema import decode
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec, cron
from tests.support.history.recording import record
from tests.support.webadmin.schedule_desk import (
    FORM,
    everything_written,
    fields_of,
    offer_jobs,
    saved,
)
from tests.support.webadmin.visitor import Visitor


@pytest.fixture(autouse=True)
def jobs_are_offered(services: Services) -> None:
    offer_jobs(services)


def messages(services: Services) -> list[Any]:
    """What lies in the queue of the job: the named arguments of each message."""
    redis: Any = services.redis
    found = []
    for raw in redis.lrange("reports", 0, -1):
        body: Any = json.loads(raw)
        found.append(json.loads(base64.b64decode(body["body"]))[1])
    return found


def test_the_switch_turns_off_and_on_and_goes_back_to_its_page(
    operator: Visitor, services: Services
) -> None:
    saved(services)
    answer = operator.post("/schedules/nightly/disable", {"next": "/schedules/?q=night"})
    assert (answer.status_code, answer.location) == (303, "/schedules/?q=night")
    assert services.schedules.get("nightly").enabled is False
    operator.post("/schedules/nightly/enable")
    assert services.schedules.get("nightly").enabled is True


@pytest.mark.parametrize(
    "target", ["http://evil.example", "//evil.example", "/\\evil.example", "http:evil", ""]
)
def test_the_way_back_never_leaves_the_console(
    operator: Visitor, services: Services, target: str
) -> None:
    saved(services)
    assert (
        operator.post("/schedules/nightly/disable", {"next": target}).location
        == "/schedules/nightly/"
    )


def test_run_now_sends_a_message_and_names_the_run(operator: Visitor, services: Services) -> None:
    saved(services, kwargs={"days": 5})
    due = everything_written(services)["due"]
    answer = operator.post("/schedules/nightly/run", follow_redirects=True)
    assert 'href="/runs/' in answer.text
    assert messages(services) == [{"days": 5}]
    assert everything_written(services)["due"] == due


def test_one_run_may_have_other_arguments(operator: Visitor, services: Services) -> None:
    saved(services, kwargs={"days": 5})
    operator.post("/schedules/nightly/run", {"kwargs": '{"days": 9}'})
    assert messages(services) == [{"days": 9}]
    assert services.schedules.get("nightly").kwargs == {"days": 5}


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("{", "Not JSON at line 1"),
        ("[1]", "an object in braces"),
        ('{"day": 1}', "did you mean"),
        ('{"days": "1"}', "must be int"),
        ('{"filters": {"__type__": 1}}', "__type__"),
        ("[" * 5000, "nested too deep"),
    ],
)
def test_wrong_arguments_for_one_run_start_nothing_and_stay_on_the_page(
    operator: Visitor, services: Services, typed: str, remedy: str
) -> None:
    saved(services)
    before = everything_written(services)
    page = operator.post("/schedules/nightly/run", {"kwargs": typed})
    assert page.status_code == 422
    assert remedy in page.text
    assert messages(services) == []
    assert everything_written(services) == before
    assert f">\n{typed}</textarea>".replace('"', "&#34;") in page.text


def test_a_job_that_nobody_offers_is_not_started(operator: Visitor, services: Services) -> None:
    saved(services)
    redis: Any = services.redis
    redis.delete("beatdesk:catalogue")
    page = operator.post("/schedules/nightly/run", follow_redirects=True)
    assert "no worker offers the job" in page.text.lower()
    assert messages(services) == []


def test_deleting_asks_first_and_says_what_happens(admin: Visitor, services: Services) -> None:
    saved(services)
    page = admin.get("/schedules/nightly/delete")
    assert "Its runs and its revisions stay in the history." in page.text
    assert services.schedules.names() == ["nightly"]
    answer = admin.post("/schedules/nightly/delete", {"revision": "1", "comment": "old"})
    assert (answer.status_code, answer.location) == (303, "/schedules/")
    assert services.schedules.names() == []


def test_what_was_changed_meanwhile_is_not_deleted(admin: Visitor, services: Services) -> None:
    saved(services)
    admin.get("/schedules/nightly/delete")
    services.schedules.edit(
        "nightly",
        a_spec("nightly", JOB, owner="Bob"),
        revision=1,
        edit=Edit(actor="bob@example.org", now=utc_now()),
    )
    page = admin.post("/schedules/nightly/delete", {"revision": "1"}, follow_redirects=True)
    assert "changed to revision 2 since you looked" in page.text
    assert services.schedules.get("nightly").owner == "Bob"


def test_a_selection_is_switched_and_each_refusal_is_told(
    operator: Visitor, services: Services
) -> None:
    for name in ("a", "b", "c"):
        saved(services, name)
    page = operator.post(
        "/schedules/bulk", {"action": "disable", "name": ["a", "b", "gone"]}, follow_redirects=True
    )
    assert "2 schedules are switched off." in page.text
    assert "Not switched off: gone" in page.text
    assert [services.schedules.get(name).enabled for name in ("a", "b", "c")] == [
        False,
        False,
        True,
    ]
    operator.post("/schedules/bulk", {"action": "enable", "name": ["a"]})
    operator.post("/schedules/bulk", {"action": "run", "name": ["a", "c"]})
    assert services.schedules.get("a").enabled is True
    assert len(messages(services)) == 2


@pytest.mark.parametrize(
    "fields", [{"action": "enable"}, {"action": "explode", "name": "a"}, {"name": "a"}]
)
def test_a_selection_of_nothing_changes_nothing(
    operator: Visitor, services: Services, fields: dict[str, str]
) -> None:
    saved(services, "a")
    before = everything_written(services)
    assert (
        "Select schedules first"
        in operator.post("/schedules/bulk", fields, follow_redirects=True).text
    )
    assert everything_written(services) == before


def test_deleting_a_selection_names_each_first(admin: Visitor, services: Services) -> None:
    for name in ("a", "b", "c"):
        saved(services, name)
    page = admin.post("/schedules/bulk-delete", {"name": ["a", "b"]})
    assert "Delete 2 schedules?" in page.text
    assert services.schedules.names() == ["a", "b", "c"]
    services.schedules.edit(
        "b",
        a_spec("b", JOB, owner="Bob"),
        revision=1,
        edit=Edit(actor="bob@example.org", now=utc_now()),
    )
    confirmed = {"confirmed": "yes", "name": ["a", "b"], "revision.a": "1", "revision.b": "1"}
    said = admin.post("/schedules/bulk-delete", confirmed, follow_redirects=True).text
    assert "1 schedule is deleted." in said
    assert "it has been changed to revision 2" in said
    assert services.schedules.names() == ["b", "c"]


@pytest.mark.parametrize(
    ("role", "path", "fields"),
    [
        ("viewer", "/schedules/new", FORM | {"name": "mine"}),
        ("viewer", "/schedules/nightly/edit", FORM | {"revision": "1"}),
        ("viewer", "/schedules/nightly/clone", FORM | {"name": "mine"}),
        ("viewer", "/schedules/nightly/enable", {}),
        ("viewer", "/schedules/nightly/disable", {}),
        ("viewer", "/schedules/nightly/run", {}),
        ("viewer", "/schedules/bulk", {"action": "disable", "name": "nightly"}),
        ("operator", "/schedules/nightly/delete", {"revision": "1"}),
        ("operator", "/schedules/bulk-delete", {"confirmed": "yes", "name": "nightly"}),
    ],
)
def test_who_may_not_is_refused_and_nothing_changes(
    logged_in: Callable[[str], Visitor],
    services: Services,
    role: str,
    path: str,
    fields: dict[str, str],
) -> None:
    saved(services)
    visitor = logged_in(role)
    before = everything_written(services)
    assert visitor.post(path, fields).status_code == 403
    assert everything_written(services) == before
    assert messages(services) == []


@pytest.mark.parametrize("path", ["enable", "disable", "run"])
def test_looking_at_a_button_changes_nothing(admin: Visitor, services: Services, path: str) -> None:
    saved(services)
    before = everything_written(services)
    assert admin.get(f"/schedules/nightly/{path}", follow_redirects=True).status_code in (404, 405)
    assert everything_written(services) == before


@pytest.mark.parametrize(
    "path", ["nightly/disable", "nightly/run", "nightly/delete", "bulk", "bulk-delete", "new"]
)
def test_without_a_token_nothing_changes(admin: Visitor, services: Services, path: str) -> None:
    saved(services)
    before = everything_written(services)
    sent = {"action": "disable", "name": "nightly", "confirmed": "yes"}
    assert admin.client.post(f"/schedules/{path}", data=sent).status_code == 400
    assert everything_written(services) == before


def test_names_that_were_never_there_are_said(operator: Visitor) -> None:
    for path in ("enable", "disable", "run"):
        assert operator.post(f"/schedules/nobody/{path}").status_code == 404


def test_a_viewer_is_offered_nothing_that_would_be_refused(
    viewer: Visitor, admin: Visitor, services: Services
) -> None:
    saved(services)
    words = {"Run now", "Edit", "Clone", "Delete…", "Switch o", 'role="switch"'}
    paths = ("/schedules/", "/schedules/nightly/")
    offered = "".join(admin.get(path).text for path in paths)
    assert {word for word in words if word in offered} == words, "these are the words for it"
    for path in paths:
        page = viewer.get(path).text
        for word in words:
            assert word not in page, (path, word)


def test_the_editor_keeps_the_operators_page_for_operators(
    viewer: Visitor, operator: Visitor, services: Services
) -> None:
    saved(services, kwargs={"title": "x"})
    assert viewer.get("/schedules/nightly/edit").status_code == 403
    assert fields_of(operator.get("/schedules/nightly/edit"))["p.title"] == "x"


def test_a_tick_that_no_beat_has_dealt_with_is_not_called_the_next(
    viewer: Visitor, services: Services
) -> None:
    saved(services, "waits")
    page = viewer.get("/schedules/waits/").text
    assert ", next <time" in page
    assert "The first comes <time" in page
    earlier = utc_now() - timedelta(hours=10)
    services.schedules.create(
        a_spec("overdue", JOB, when=cron("0 * * * *")), edit=Edit(actor="ada", now=earlier)
    )
    page = viewer.get("/schedules/overdue/").text
    assert ", due since <time" in page
    assert "The first is due since <time" in page
    assert page.count("and no Beat runs") == 2
    assert "next <time" not in page
    assert "The first comes" not in page


def test_runs_that_wait_in_the_old_queue_are_moved_by_a_button(
    operator: Visitor, services: Services
) -> None:
    schedule = saved(services)
    run = services.control.start(schedule, actor="ada", now=utc_now())
    events: Any = [decode(fields) for _, fields in services.redis.xrange(keys.EVENTS_STREAM)]
    record(services, *(event for event in events if getattr(event, "run", None) == run))
    assert "Move what waits" not in operator.get("/schedules/nightly/").text
    spec = schedule.spec().model_copy(update={"queue": "bulk"})
    now = utc_now()
    services.schedules.edit("nightly", spec, revision=1, edit=Edit(actor="ada", now=now))
    page = operator.get("/schedules/nightly/").text
    assert "wait in another queue: reports" in page
    assert "Move what waits to bulk" in page
    answer = operator.post("/schedules/nightly/move-waiting", follow_redirects=True)
    assert "1 waiting run moved to the queue bulk" in answer.text
    assert (services.redis.llen("reports"), services.redis.llen("bulk")) == (0, 1)


def test_a_schedules_page_says_that_nobody_reads_its_queue(
    operator: Visitor, services: Services
) -> None:
    saved(services)
    for seconds in (120, 0):
        at = utc_now() - timedelta(seconds=seconds)
        services.unread_queues.record({"reports": 7}, (), at)
    page = operator.get("/schedules/nightly/").text
    assert "No worker reads the queue reports." in page
    assert "7 runs wait in it." in page
