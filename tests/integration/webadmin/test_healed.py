"""What was repaired is said on the overview and among the changes, for an hour."""

from datetime import timedelta

import pytest

from scheduler.clock import utc_now
from scheduler.healing.notices import Repair


@pytest.mark.parametrize("page", ["/", "/fragments/overview", "/changes/"])
def test_a_repair_is_told_where_people_look(services, viewer, page):
    assert "Redis was repaired" not in viewer.get(page).text
    repairs = [
        Repair(name, "put back as it was saved", "it was gone from Redis")
        for name in ("<a>", "b", "c", "d")
    ]
    services.notices.add(repairs, utc_now())
    told = viewer.get(page).text
    assert "Redis was repaired" in told
    assert (
        "4 schedules put back as it was saved (it was gone from Redis): &lt;a&gt;, b, c and 1 more."
        in told
    )


def test_a_repair_is_no_news_after_an_hour(services, viewer):
    services.notices.add(
        [Repair("a", "deleted again", "it came back")], utc_now() - timedelta(minutes=61)
    )
    assert "Redis was repaired" not in viewer.get("/").text


def test_the_pages_load_while_redis_is_away(services, viewer, valkey):
    assert viewer.get("/changes/").status_code == 200
    valkey.stop()
    assert "Redis was repaired" not in viewer.get("/changes/").text


def test_it_is_said_that_healing_is_off(app, services, viewer):
    assert "Healing is switched off" not in viewer.get("/").text
    app.extensions["services"].settings = services.settings.model_copy(update={"healing": False})
    for page in ("/", "/changes/"):
        assert "Healing is switched off" in viewer.get(page).text
