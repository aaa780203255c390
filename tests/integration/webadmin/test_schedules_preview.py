"""The live preview, asked by form and by JSON."""

from collections.abc import Callable
from typing import Any

import pytest

from scheduler.services.services import Services
from tests.support.webadmin.schedule_desk import everything_written
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def viewer(logged_in: Callable[[str], Visitor]) -> Visitor:
    return logged_in("viewer")


def asked(viewer: Visitor, **request: Any) -> Any:
    return viewer.client.post(
        "/schedules/preview", headers={"X-CSRFToken": viewer.token()}, **request
    )


def test_a_form_is_answered_with_words_ticks_and_warnings(
    viewer: Visitor, services: Services
) -> None:
    before = everything_written(services)
    rule = {"kind": "crontab", "crontab": "0 6 13 * fri", "timezone": "Europe/Berlin"}
    answer = asked(viewer, data=rule)
    assert answer.status_code == 200
    assert "06:00" in answer.json["words"]
    assert len(answer.json["ticks"]) == 10
    assert all(tick.endswith("Z") for tick in answer.json["ticks"])
    assert "both match" in answer.json["warnings"][0]
    assert everything_written(services) == before


def test_json_is_answered_too(viewer: Visitor) -> None:
    answer = asked(viewer, json={"when": {"kind": "interval", "every": 90}})
    assert (answer.status_code, answer.json["words"]) == (200, "Every 90 seconds")


@pytest.mark.parametrize(
    ("request_", "field", "remedy"),
    [
        (
            {"data": {"kind": "crontab", "crontab": "99 * * * *", "timezone": "UTC"}},
            "crontab",
            "0-59",
        ),
        (
            {"data": {"kind": "crontab", "crontab": "* * * * *", "timezone": "Mars"}},
            "timezone",
            "IANA",
        ),
        ({"data": {"kind": "interval", "every": "-1", "unit": "days"}}, "every", "above 0"),
        ({"data": {"kind": "interval", "every": "5", "unit": "ages"}}, "unit", "seconds"),
        (
            {"data": {"kind": "interval", "every": "5", "unit": "days", "anchor": "x"}},
            "every",
            "Reload",
        ),
        ({"json": {"when": {"kind": "crontab", "crontab": 5}}}, "when", "crontab"),
        ({"json": {"when": {"kind": "moon"}}}, "when", "moon"),
        ({"json": [1]}, "when", "when"),
    ],
)
def test_a_rule_that_cannot_be_read_is_422_with_its_field(
    viewer: Visitor, request_: dict[str, Any], field: str, remedy: str
) -> None:
    answer = asked(viewer, **request_)
    assert (answer.status_code, answer.json["field"]) == (422, field)
    assert remedy in answer.json["error"]


def test_without_a_token_it_is_refused(viewer: Visitor) -> None:
    assert viewer.client.post("/schedules/preview", data={"kind": "crontab"}).status_code == 400
