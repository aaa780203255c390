"""The list and the page of one: what they show, of whom, and how fast."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import JOB, NOON, a_run_history, a_spec, cron, every
from tests.support.valkey import ValkeyServer
from tests.support.webadmin.schedule_desk import fields_of, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor
from webadmin.views.schedules.listing import BARS, PAGE

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'


@pytest.fixture
def viewer(services: Services, logged_in: Callable[[str], Visitor]) -> Visitor:
    offer_jobs(services)
    return logged_in("viewer")


def record(services: Services) -> None:
    recorder = Recorder(
        services.events, services.engine, services.redis, batch=1000, name="recorder"
    )
    while recorder.run_once(utc_now(), 10):
        pass


def break_entry(services: Services, name: str = "broken") -> None:
    redis: Any = services.redis
    definition = {"name": name, "task": "x.y", "schedule": {"__type__": "<b>no</b>"}}
    redis.hset(f"redbeat:{name}", mapping={"definition": json.dumps(definition), "meta": "{}"})
    redis.zadd("redbeat::schedule", {f"redbeat:{name}": 1})


def names_on(page: str) -> list[str]:
    return [
        part.split("<")[0]
        for part in page.split('class="row-name"')[1:]
        for part in [part.split(">", 1)[1]]
    ]


def test_an_empty_list_teaches_the_next_step(viewer: Visitor, operator: Visitor) -> None:
    assert "No schedules yet" in viewer.get("/schedules/").text
    assert "/schedules/new" not in viewer.get("/schedules/").text
    assert "/schedules/new" in operator.get("/schedules/").text


def test_a_line_says_when_what_and_how_it_went(viewer: Visitor, services: Services) -> None:
    schedule = saved(
        services, when=cron("0 6 * * *", "Europe/Berlin"), tags=["finance"], owner="Ada"
    )
    services.events.append_many(a_run_history("run-a", schedule=schedule))
    services.events.append_many(a_run_history("run-b", schedule=schedule, state="failed"))
    record(services)
    page = viewer.get("/schedules/").text
    for text in (
        "At 06:00 (Europe/Berlin)",
        "<code>0 6 * * *</code>",
        "finance",
        "Ada",
        JOB,
        "/runs/run-b",
        "Failed",
    ):
        assert text in page, text
    assert "last 2 runs: 1 failed, 1 succeeded" in page


def test_search_and_qualifiers_narrow_the_list(viewer: Visitor, services: Services) -> None:
    saved(services, "alpha", tags=["a b"])
    saved(services, "alpine", enabled=False)
    saved(services, "beta", tags=["a b"])
    break_entry(services)
    found = {
        query: names_on(viewer.get(f"/schedules/?q={query}").text)
        for query in (
            "alp",
            'tag:"a b"',
            'alp tag:"a b"',
            "state:disabled",
            "state:problem",
            f"job:{JOB}",
            "job:nothing",
        )
    }
    assert found == {
        "alp": ["alpha", "alpine"],
        'tag:"a b"': ["alpha", "beta"],
        'alp tag:"a b"': ["alpha"],
        "state:disabled": ["alpine"],
        "state:problem": ["broken"],
        f"job:{JOB}": ["alpha", "alpine", "beta"],
        "job:nothing": [],
    }


def test_a_state_that_does_not_exist_is_said(viewer: Visitor) -> None:
    assert "There is no state &#39;sleepy&#39;" in viewer.get("/schedules/?q=state:sleepy").text


def test_pages_follow_each_other_without_loss(viewer: Visitor, services: Services) -> None:
    for number in range(120):
        saved(services, f"s{number:03d}", tags=["t"])
    seen: list[str] = []
    path = "/schedules/?tag=t"
    while path:
        page = viewer.get(path).text
        seen += names_on(page)
        following = page.split('rel="next" href="')
        path = following[1].split('"')[0].replace("&amp;", "&") if len(following) > 1 else ""
    assert seen == [f"s{number:03d}" for number in range(120)]


def test_an_entry_that_cannot_be_read_is_shown_with_the_reason(
    viewer: Visitor, admin: Visitor, services: Services
) -> None:
    break_entry(services)
    saved(services)
    page = viewer.get("/schedules/").text
    assert "Beat cannot run this entry." in page
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "What can be done" in viewer.get("/schedules/broken/").text
    assert admin.post("/schedules/broken/delete").status_code == 303
    assert services.schedules.names() == ["nightly"]


@pytest.mark.parametrize("path", ["edit", "clone"])
def test_an_entry_that_cannot_be_read_has_no_editor(
    operator: Visitor, services: Services, path: str
) -> None:
    break_entry(services)
    assert operator.get(f"/schedules/broken/{path}").location == "/schedules/broken/"
    assert (
        operator.post(f"/schedules/broken/{path}", {"name": "x"}).location == "/schedules/broken/"
    )


def test_what_plain_redbeat_code_wrote_is_marked_and_can_be_edited(
    operator: Visitor, services: Services
) -> None:
    offer_jobs(services)
    entry = RedBeatSchedulerEntry(
        "legacy: weekly/digest", "mail.unknown", crontab(minute="0"), args=[1], app=services.celery
    )
    entry.save()
    assert ">RedBeat</span>" in operator.get("/schedules/").text
    page = operator.get("/schedules/legacy: weekly/digest/edit")
    assert page.status_code == 200
    answer = operator.post(
        "/schedules/legacy: weekly/digest/edit", fields_of(page) | {"crontab": "30 * * * *"}
    )
    assert answer.status_code == 303
    schedule = services.schedules.get("legacy: weekly/digest")
    assert (schedule.when, schedule.args, schedule.revision) == (cron("30 * * * *"), [1], 1)


def test_the_page_of_one_says_what_when_and_who(viewer: Visitor, services: Services) -> None:
    schedule = saved(services, when=every(300), kwargs={"title": "t"}, notes="call Ada")
    services.schedules.edit(
        "nightly",
        a_spec("nightly", JOB, when=every(600)),
        revision=1,
        edit=Edit(actor="bob@x.org", now=utc_now(), comment="slower"),
    )
    services.events.append_many(a_run_history("run-a", schedule=schedule))
    record(services)
    page = viewer.get("/schedules/nightly/").text
    for text in (
        "Runs <strong>every 10 minutes</strong>",
        "run-a",
        "bob@x.org",
        "“slower”",
        "Created",
        "Edited",
    ):
        assert text in page, text
    assert page.count('class="tick-there') == 10


def test_secret_arguments_are_masked_for_viewers(viewer: Visitor, services: Services) -> None:
    saved(services, kwargs={"title": "SHOWN", "filters": {"webhook_url": "PLANTED"}})
    assert "SHOWN" in viewer.get("/schedules/nightly/").text
    for path in ("/schedules/", "/schedules/nightly/"):
        assert "PLANTED" not in viewer.get(path).text


@pytest.mark.parametrize("path", ["", "edit", "clone", "delete"])
def test_a_name_that_does_not_exist_is_a_page_that_says_so(admin: Visitor, path: str) -> None:
    answer = admin.get(f"/schedules/nobody/{path}")
    assert answer.status_code == 404
    assert "nobody" in answer.text


def test_hostile_texts_are_shown_as_text(admin: Visitor, services: Services) -> None:
    offer_jobs(services)
    saved(
        services,
        owner=HOSTILE,
        tags=["<i>x</i>"],
        description=HOSTILE,
        notes=HOSTILE,
        kwargs={"title": HOSTILE},
    )
    break_entry(services, HOSTILE)
    pages = ["", f"?q={HOSTILE}", f"?tag={HOSTILE}&job={HOSTILE}&state={HOSTILE}&after={HOSTILE}"]
    pages += [
        "nightly/",
        "nightly/edit",
        "nightly/clone",
        "nightly/delete",
        f"{HOSTILE}/",
        f"{HOSTILE}/delete",
    ]
    for path in pages:
        page = admin.get(f"/schedules/{path}").text
        is_shown = path != "nightly/delete"  # which shows the name and the times alone
        assert ("&lt;script&gt;alert" in page) is is_shown, path
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "<i>x</i>" not in page, path
        assert "49" not in page.split("{{7*7}}")[0][-3:], path


def test_redis_away_is_said_on_a_page_that_loads(
    admin: Visitor, services: Services, valkey: ValkeyServer
) -> None:
    valkey.stop()
    for path in ("/schedules/", "/schedules/new", "/schedules/nightly/"):
        answer = admin.get(path)
        assert answer.status_code == 503, path
        assert "Redis" in answer.text, path


def test_a_list_of_ten_thousand_shows_a_page_of_it_and_stays_small(
    viewer: Visitor, services: Services
) -> None:
    fill(services, 10_000)
    for path in ("/schedules/", "/schedules/?after=s05000", "/schedules/?q=s0999"):
        answer = viewer.get(path)
        assert 10 <= len(names_on(answer.text)) <= PAGE
        assert len(answer.data) < 100_000


def test_a_page_full_of_all_that_a_line_can_show_stays_small(
    admin: Visitor, services: Services
) -> None:
    offer_jobs(services)
    for number in range(PAGE + 1):
        name = f"import-of-the-day-{number:02}-europe"
        schedule = saved(
            services,
            name,
            when=cron("0 6 * * *", "Europe/Berlin"),
            tags=["finance", "nightly"],
            owner="Ada L.",
        )
        for run in range(BARS):
            state = "failed" if run % 4 == 0 else "succeeded"
            tick = NOON - timedelta(hours=run)
            services.events.append_many(
                a_run_history(f"{uuid4()}", schedule=schedule, tick=tick, state=state, seconds=run)
            )
    record(services)
    answer = admin.get("/schedules/")
    assert len(names_on(answer.text)) == PAGE
    assert answer.text.count(f"last {BARS} runs: 12 succeeded, 4 failed") == PAGE
    assert len(answer.data) < 100_000


def test_a_line_says_what_may_be_done_and_leads_to_the_page_that_has_it(
    admin: Visitor, operator: Visitor, viewer: Visitor, services: Services
) -> None:
    saved(services, "usual")
    services.operations.pause(
        saved(services, "waits").name, reason="r", edit=Edit(actor="ada", now=utc_now())
    )
    saved(services, "off", enabled=False)
    RedBeatSchedulerEntry("from-code", JOB, crontab(minute="0"), app=services.celery).save()
    services.redis.sadd("redbeat::statics", "from-code")
    break_entry(services)
    menus = {
        who: re.findall(r'data-menu="([^"]*)"', visitor.get("/schedules/").text)
        for who, visitor in (("admin", admin), ("operator", operator), ("viewer", viewer))
    }
    assert menus == {
        "admin": [
            "history delete",
            "run pause skip override clone history",
            "run edit clone history delete",
            "run pause skip edit clone history delete",
            "run resume edit clone history delete",
        ],
        "operator": [
            "history",
            "run pause skip override clone history",
            "run edit clone history",
            "run pause skip edit clone history",
            "run resume edit clone history",
        ],
        "viewer": ["history"] * 5,
    }
    offered = set(re.findall(r'data-action="(\w+)"', admin.get("/schedules/").text))
    assert offered == {word for menu in menus["admin"] for word in menu.split()}


def test_what_is_overdue_is_called_so_and_why_nothing_fires_is_said(
    viewer: Visitor, services: Services
) -> None:
    saved(services, "waits")
    assert "Overdue" not in viewer.get("/schedules/").text
    services.schedules.create(
        a_spec("overdue", JOB, when=cron("0 * * * *")),
        edit=Edit(actor="ada", now=utc_now() - timedelta(hours=10)),
    )
    page = viewer.get("/schedules/").text
    assert page.count("Overdue</span> <time") == 1
    assert re.search(r">due (9|10) h ago</time>", page)
    assert "No Beat runs, so that nothing is fired." in page
    services.redis.set("redbeat::lock", "host:1", px=3000)
    page = viewer.get("/schedules/?q=o").text
    assert "Overdue</span> <time" in page


def fill(services: Services, count: int) -> None:
    """Many entries, copied from a real one, so that the test spends its time on reading them."""
    saved(services, "s00000", tags=["t"])
    redis: Any = services.redis
    template = redis.hgetall("redbeat:s00000")
    with redis.pipeline(transaction=False) as pipe:
        for number in range(1, count):
            name = f"s{number:05d}"
            pipe.hset(
                f"redbeat:{name}",
                mapping={key: text.replace("s00000", name) for key, text in template.items()},
            )
            pipe.zadd("redbeat::schedule", {f"redbeat:{name}": 4_000_000_000 + number})
        pipe.execute()
