"""Backfilling in the console: the count first, then the runs that were shown."""

from typing import Any

import pytest

from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.redbeat.waiting import WaitingTick
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import at
from tests.support.console import Forms
from tests.support.schedules.contents import messages
from tests.support.webadmin.schedule_desk import fault_at, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor

DAY = "since=2026-01-05+00:00&until=2026-01-06+00:00"


@pytest.fixture(autouse=True)
def hourly(services: Services) -> None:
    """A schedule that is due every hour."""
    offer_jobs(services)
    saved(services)


def started(services: Services) -> tuple[list[Any], list[WaitingTick]]:
    """What lies in the queue, and what waits for its turn."""
    waiting = services.waiting.of(services.schedules.get("nightly").uid)
    return messages(services.redis, "reports"), waiting


def test_the_count_is_shown_and_then_what_was_shown_is_started(
    operator: Visitor, services: Services
) -> None:
    assert "Backfill…" in operator.get("/schedules/nightly/").text
    page = operator.get(f"/schedules/nightly/backfill?{DAY}").text
    assert "Start 24 runs" in page
    assert started(services) == ([], [])
    form = next(
        form
        for form in Forms(page).forms
        if ("limit", "100") in form.fields and "csrf" in str(form.fields)
    )
    answer = operator.post(
        "/schedules/nightly/backfill", {n: v for n, v in form.fields if n != "csrf_token"}
    )
    assert (answer.status_code, answer.location) == (
        303,
        "/runs/?schedule=nightly&trigger=backfill",
    )
    waiting = services.waiting.of(services.schedules.get("nightly").uid)
    assert len(waiting) == 24
    assert waiting[0] == WaitingTick(at("2026-01-05T00:00Z"), "backfill", "operator@example.org")
    assert messages(services.redis, "reports") == []
    assert "24 runs wait for their turn." in operator.get("/schedules/nightly/").text


def test_all_go_to_the_queue_at_once_where_that_was_chosen(
    operator: Visitor, services: Services
) -> None:
    page = operator.get(f"/schedules/nightly/backfill?{DAY}&overlap=allow").text
    assert 'value="allow" selected' in page
    assert "They go to the queue at once" in page
    fields = {"since": "2026-01-05", "until": "2026-01-06", "overlap": "allow"}
    operator.post("/schedules/nightly/backfill", fields)
    sent = messages(services.redis, "reports")
    assert len(sent) == 24
    assert sent[0]["headers"]["tick"] == "2026-01-05T00:00:00Z"
    assert sent[0]["headers"]["beatdesk"]["actor"] == "operator@example.org"


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"since": "soon"}, "since", "not a time"),
        ({"since": "2026-01-06", "until": "2026-01-05"}, "until", "swap the two"),
        ({"since": "24h", "until": "2190-01-01"}, "until", "has not passed"),
        ({"since": "24h", "limit": "many"}, "limit", "from 1 to 1000"),
        ({"since": "2026-01-05", "until": "2026-01-06", "limit": "5"}, "limit", "24 ticks"),
    ],
)
def test_what_cannot_be_meant_starts_nothing(
    operator: Visitor, services: Services, fields: dict[str, str], field: str, why: str
) -> None:
    page = operator.post("/schedules/nightly/backfill", fields)
    assert page.status_code == 422
    assert why in fault_at(page, field)
    assert started(services) == ([], [])


def test_what_waits_is_shown_and_dropped_one_or_all(
    operator: Visitor, viewer: Visitor, services: Services
) -> None:
    assert "Waiting for" not in operator.get("/schedules/nightly/").text
    operator.post("/schedules/nightly/backfill", {"since": "2026-01-05", "until": "2026-01-06"})
    page = operator.get("/schedules/nightly/").text
    assert "24 ticks start one after the other, when no run of the schedule is alive." in page
    assert "Backfill by operator@example.org" in page
    answer = operator.post("/schedules/nightly/drop-waiting", {"tick": "2026-01-05T01:00:00+00:00"})
    assert (answer.status_code, answer.location) == (303, "/schedules/nightly/")
    assert "1 tick waits no longer." in operator.get("/schedules/nightly/").text
    uid = services.schedules.get("nightly").uid
    assert len(services.waiting.of(uid)) == 23
    assert "Waiting for" in viewer.get("/schedules/nightly/").text
    assert "drop-waiting" not in viewer.get("/schedules/nightly/").text
    assert viewer.post("/schedules/nightly/drop-waiting", {}).status_code == 403
    operator.post("/schedules/nightly/drop-waiting", {})
    assert services.waiting.of(uid) == []


def test_what_beat_has_not_dealt_with_is_said_to_be_left_to_it(
    operator: Visitor, services: Services
) -> None:
    services.redis.hset(keys.entry("nightly"), "meta", encode_meta(Meta(at("2026-01-05T20:00Z"))))
    page = operator.get(f"/schedules/nightly/backfill?{DAY}").text
    assert "Start 21 runs" in page
    assert "3 ticks are left to Beat, which has not dealt with them yet: it catches up" in page
    operator.post("/schedules/nightly/backfill", {"since": "2026-01-05", "until": "2026-01-06"})
    assert (
        "3 ticks are left to Beat, which has not dealt with them yet."
        in operator.get("/schedules/nightly/").text
    )


def test_a_viewer_may_not(viewer: Visitor, services: Services) -> None:
    assert "Backfill" not in viewer.get("/schedules/nightly/").text
    assert viewer.post("/schedules/nightly/backfill", {"since": "24h"}).status_code == 403
    assert started(services) == ([], [])
