"""The screens of the past, over a history that the recorder has folded."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.events.schema import Event, ReportStored, TicksMissed, TicksSkipped
from scheduler.history.queries.views import RunFilter
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import a_run_history, a_saved_event, a_schedule, a_spec, every, facts_of
from tests.support.webadmin.addresses import pages
from tests.support.webadmin.visitor import Visitor

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
PAGE_LIMIT = 100_000


@pytest.fixture
def record(services: Services) -> Callable[..., None]:
    """`record(*events)`: append the events and fold them into SQL."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")

    def fold(*events: Event) -> None:
        services.events.append_many(list(events))
        while recorder.run_once(utc_now(), 1):
            pass

    return fold


@pytest.fixture
def now() -> datetime:
    return utc_now().replace(microsecond=0)


Record = Callable[..., None]


def test_an_empty_console_teaches_the_first_step(admin: Visitor) -> None:
    assert "Nothing needs you" in admin.get("/").text
    assert "Nothing has run yet" in admin.get("/runs/").text
    assert "No reports yet" in admin.get("/reports/").text
    assert "No change yet" in admin.get("/changes/").text


def test_on_a_phone_the_menu_has_four_places_and_a_box_with_the_others(admin: Visitor) -> None:
    page = admin.get("/users/").text
    menu = page[
        page.index('<nav class="menu"') : page.index("</nav>", page.index('<nav class="menu"'))
    ]
    bar, box = menu.split("<details")
    places = re.findall(r'<a href="([^"]+)"( class="menu-rest")?', bar)
    assert [place for place, rest in places if not rest] == [
        "/",
        "/schedules/",
        "/calendars/",
        "/runs/",
    ]
    assert re.findall(r'<a href="([^"]+)"', box) == [place for place, rest in places if rest]
    assert "/users/" in dict(places)
    assert '<summary class="is-here">' in box
    assert "is-here" not in admin.get("/runs/").text


def test_the_overview_shows_what_failed_what_runs_and_what_comes(
    viewer: Visitor, services: Services, record: Record, now: datetime, offered: None
) -> None:
    services.schedules.create(
        a_spec("soon", "mail.digest", when=every(600)), edit=Edit(actor="ada", now=now)
    )
    record(
        *a_run_history(
            "bad", schedule=a_schedule("broken-job"), tick=now - timedelta(hours=1), state="failed"
        ),
        *a_run_history(
            "worse",
            schedule=a_schedule("broken-job"),
            tick=now - timedelta(minutes=9),
            state="failed",
        ),
        *a_run_history(
            "now", schedule=a_schedule("long-job"), tick=now - timedelta(minutes=3), state="started"
        ),
        *a_run_history(
            "old", schedule=a_schedule("old-job"), tick=now - timedelta(days=3), state="failed"
        ),
    )
    text = viewer.get("/").text
    assert "2 times · ValueError(&#39;no&#39;)" in text
    assert "/runs/worse" in text
    assert "old-job" not in text
    assert "long-job" in text
    assert "soon" in text
    assert re.search(r'href="/runs/\?state=failed&amp;since=24h"><b>2</b>', text)


def test_an_overview_fragment_is_a_part_of_the_page(viewer: Visitor) -> None:
    fragment = viewer.get("/fragments/overview").text
    assert 'id="overview"' in fragment
    assert "<html" not in fragment
    assert 'id="pill"' in viewer.get("/fragments/health").text


def test_runs_are_filtered_by_everything_that_the_form_offers(
    viewer: Visitor, record: Record, now: datetime
) -> None:
    record(
        *a_run_history(
            "a",
            schedule=a_schedule("alpha"),
            tick=now - timedelta(hours=5),
            state="failed",
            worker="w1@h",
        ),
        *a_run_history(
            "b",
            schedule=a_schedule("beta", "mail.digest"),
            tick=now - timedelta(minutes=5),
            worker="w2@h",
        ),
    )
    for query, shown in {
        "": "ab",
        "state=failed": "a",
        "schedule=beta": "b",
        "job=mail.digest": "b",
        "worker=w1@h": "a",
        "queue=default": "ab",
        "trigger=manual": "",
        "since=1h": "b",
        "until=1h": "a",
        "state=failed&schedule=beta": "",
    }.items():
        text = viewer.get(f"/runs/?{query}").text
        assert "".join(run for run in "ab" if f'href="/runs/{run}"' in text) == shown, query


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("since=yesterday", "&#39;yesterday&#39; is not a time. Write 24h or 7d"),
        ("state=sleeping", "&#39;sleeping&#39; is not a state"),
        ("trigger=magic", "&#39;magic&#39; is not a trigger"),
        ("schedule=" + "x" * 300, "300 characters long"),
        ("since=1h&until=2d", "Swap the two"),
        ("since=999999d", "is not a time"),
        ("state=%F0%9F%92%A9", "is not a state"),
    ],
)
def test_a_filter_that_means_nothing_is_named(viewer: Visitor, query: str, message: str) -> None:
    page = viewer.get(f"/runs/?{query}")
    assert page.status_code == 200
    assert message in page.text


@pytest.mark.parametrize("after", ["x", "%2e%2e", "9" * 40, "MTIz", "💩"])
def test_a_page_that_is_none_is_refused(viewer: Visitor, after: str) -> None:
    assert {
        viewer.get(f"{path}?after={after}").status_code
        for path in ("/runs/", "/reports/", "/changes/")
    } == {400}


def test_runs_are_paged_to_the_end_without_losing_one(
    viewer: Visitor, record: Record, now: datetime
) -> None:
    for number in range(120):
        record(*a_run_history(f"run-{number:03}", tick=now - timedelta(minutes=200 - number)))
    path, seen = "/runs/?schedule=nightly-report", []
    while path:
        text = viewer.get(path).text
        seen += re.findall(r'href="/runs/(run-\d+)"', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"run-{number:03}" for number in reversed(range(120))]


def test_a_run_is_shown_whole_with_its_secrets_masked(
    viewer: Visitor, record: Record, now: datetime
) -> None:
    schedule = a_schedule(
        kwargs={
            "days": 1,
            "api_token": "t0psecret",
            "db": {"password": "t0psecret"},
            "url": "amqp://u:t0psecret@h/v",
        }
    )
    error = "OperationalError: postgres://reader:t0psecret@db refused"
    record(
        *a_run_history(
            "r", schedule=schedule, tick=now - timedelta(minutes=2), state="failed", error=error
        )
    )
    text = viewer.get("/runs/r").text
    assert "t0psecret" not in text
    assert text.count("•••••") == 5
    for part in (
        "Due",
        "Queued",
        "Received",
        "Started",
        "Finished",
        "revision 1",
        "Traceback",
        "w1@host",
    ):
        assert part in text


def test_a_skipped_tick_leads_to_the_run_that_was_in_its_way(
    viewer: Visitor, services: Services, record: Callable[..., None], now: datetime
) -> None:
    schedule = a_schedule()
    queued = a_run_history("in-the-way", schedule=schedule, tick=now - timedelta(minutes=2))[0]
    tick = now - timedelta(minutes=1)
    record(
        queued,
        TicksSkipped(
            at=tick,
            schedule=schedule.name,
            schedule_uid=schedule.uid,
            revision=1,
            job=schedule.job,
            reason="overlap",
            tick_from=tick,
            tick_to=tick,
            ticks=1,
        ),
    )
    (skipped,) = services.history.runs(RunFilter(state="skipped"), limit=1).items
    page = viewer.get(f"/runs/{skipped.id}")
    assert page.status_code == 200
    assert re.search(r'<a href="/runs/in-the-way">the run of [^<]+</a>', page.text)


def test_a_run_that_is_none_is_a_page_that_says_so(viewer: Visitor) -> None:
    page = viewer.get("/runs/no-such-run")
    assert page.status_code == 404
    assert "there is no run" in page.text


def test_only_a_run_that_has_not_ended_can_be_cancelled(
    operator: Visitor, services: Services, record: Record, now: datetime
) -> None:
    record(
        *a_run_history("live", tick=now - timedelta(minutes=2), state="started"),
        *a_run_history("over", tick=now - timedelta(minutes=2)),
    )
    assert "/runs/live/cancel" in operator.get("/runs/live").text
    assert "/runs/over/cancel" not in operator.get("/runs/over").text
    assert "were asked to end" in operator.post("/runs/live/cancel", follow_redirects=True).text
    assert "has ended already" in operator.post("/runs/over/cancel", follow_redirects=True).text


def test_what_nobody_ran_is_one_line_with_its_count(
    viewer: Visitor, record: Record, now: datetime
) -> None:
    schedule = a_schedule("sleepy")
    record(
        TicksMissed(
            at=now,
            schedule="sleepy",
            schedule_uid=schedule.uid,
            revision=1,
            job=schedule.job,
            reason="scheduler_down",
            tick_from=now - timedelta(hours=3),
            tick_to=now - timedelta(hours=1),
            ticks=1234,
        )
    )
    text = viewer.get("/runs/").text
    assert "1\u202f234 ticks" in text
    assert "Missed" in text
    assert "scheduler down" in viewer.get("/").text
    found = re.search(r'href="(/runs/[^"?]+)"', text)
    assert found
    verdict = viewer.get(found[1]).text
    assert 'href="/help/reference/run-states#missed"' in verdict
    assert 'href="/help/how-to/why-did-it-not-run#it-says-missed"' in verdict


def test_hostile_texts_are_shown_as_texts(
    app: Flask, admin: Visitor, record: Record, now: datetime
) -> None:
    schedule = a_schedule("evil", HOSTILE, kwargs={HOSTILE: HOSTILE}, queue=HOSTILE)
    facts = facts_of(schedule, now).model_copy(update={"schedule": HOSTILE, "actor": HOSTILE})
    record(
        *a_run_history("x", facts=facts, tick=now, state="failed", worker=HOSTILE, error=HOSTILE),
        *a_run_history("y", facts=facts, tick=now, result={HOSTILE: [HOSTILE]}, worker=HOSTILE),
        a_saved_event(
            schedule.model_copy(update={"name": HOSTILE}), now, actor=HOSTILE, comment=HOSTILE
        ),
        ReportStored(
            at=now,
            report="rep",
            run="x",
            title=HOSTILE,
            path="a.html",
            media_type=HOSTILE,
            size=1,
            sha256="0" * 64,
        ),
    )
    for path in pages(app).values():
        assert "<script>alert" not in admin.get(path).text, path
    for path in ("/", "/runs/", "/runs/x", "/runs/y", "/changes/", "/reports/"):
        text = admin.get(path).text
        assert "alert(" in text, path
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "&#34;&#39;&gt;&lt;img" in text or "\\&#34;&#39;&gt;&lt;img" in text, path
        assert not re.search(r"[>\"']49\b", text), path


def test_hostile_filters_are_shown_as_texts(viewer: Visitor) -> None:
    text = viewer.get(
        "/runs/", query_string={"schedule": HOSTILE, "state": HOSTILE, "since": HOSTILE}
    ).text
    assert "&lt;script&gt;alert" in text
    assert "<script>alert" not in text
    assert "<img" not in text.replace('<img src="/static/app/mark.svg', "")


def test_no_page_is_heavier_than_its_budget(
    app: Flask, admin: Visitor, record: Record, now: datetime
) -> None:
    for number in range(50):
        schedule = a_schedule(f"{number}-" + "n" * 190, "jobs." + "j" * 200)
        record(
            *a_run_history(
                f"run-{number}",
                schedule=schedule,
                tick=now - timedelta(minutes=number),
                worker="w" * 90,
            )
        )
    paths = {*pages(app).values(), "/fragments/overview"}
    assert {"/", "/runs/", "/changes/"} <= paths
    sizes = {path: len(admin.get(path).data) for path in paths}
    assert max(sizes.values()) < PAGE_LIMIT, sizes


def test_users_are_listed_with_their_roles(admin: Visitor) -> None:
    text = admin.get("/users/").text
    assert "admin@example.org" in text
    assert "manages users" in text


def test_choices_of_look_are_kept_without_a_script(viewer: Visitor) -> None:
    kept = viewer.post("/preferences", {"theme": "dark", "next": "/runs/?state=failed"})
    assert (kept.status_code, kept.location) == (303, "/runs/?state=failed")
    assert '<html lang="en" data-theme="dark"' in viewer.get("/").text
    assert viewer.post("/preferences", {"theme": "pink", "next": "//evil"}).location == "/"
    assert 'data-theme="dark"' in viewer.get("/").text
