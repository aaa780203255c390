"""The calendar screens: seen by viewers, edited by operators, deleted by admins; bad input is told
at its field.
"""

from io import BytesIO
from typing import Any

import pytest

from scheduler.clock import utc_now
from scheduler.rules.calendars.text import calendar_of, lines_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Window
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.webadmin.schedule_desk import FORM, fault_at, offer_jobs, saved
from tests.support.webadmin.visitor import Visitor

LINES = ["sat-sun", "mon-fri 22:00-06:00", "2026-12-24..2026-12-26 Christmas"]
ICS = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:May "
    "Day\nDTSTART;VALUE=DATE:20270501\nEND:VEVENT\nEND:VCALENDAR\n"
)


def make(services: Services, lines: list[str] | None = None) -> None:
    calendar = calendar_of("holidays", LINES if lines is None else lines, timezone="Europe/Berlin")
    services.calendars.save(
        calendar, revision=None, edit=Edit(actor="ada@example.org", now=utc_now())
    )


def shown(services: Services) -> list[str]:
    return lines_of(services.calendars.get("holidays"))


def form(**fields: str) -> dict[str, str]:
    return {
        "name": "holidays",
        "timezone": "Europe/Berlin",
        "excluded": "\r\n".join(LINES),
        **fields,
    }


def test_an_operator_makes_a_calendar_and_edits_it(services: Services, operator: Visitor) -> None:
    assert "No calendar yet" in operator.get("/calendars/").text
    made = operator.post("/calendars/new", form(comment="agreed"), page="/calendars/new")
    assert (made.status_code, made.location) == (303, "/calendars/holidays/")
    assert shown(services) == LINES
    edited = operator.post(
        "/calendars/holidays/edit", form(excluded="sun", revision="1"), page="/calendars/new"
    )
    assert edited.status_code == 303
    assert shown(services) == ["sun"]
    stale = operator.post(
        "/calendars/holidays/edit", form(excluded="mon", revision="1"), page="/calendars/new"
    )
    assert stale.status_code == 409
    assert "revision 1 was edited, revision 2 is stored" in stale.text
    assert shown(services) == ["sun"]


def test_the_page_tells_days_to_come_and_the_schedules_that_name_it(
    services: Services, viewer: Visitor
) -> None:
    offer_jobs(services)
    make(services, ["mon-sun 22:00-06:00 Night", "sun Day of rest"])
    saved(services, window=Window(calendar="holidays"))
    page = viewer.get("/calendars/holidays/").text
    assert "Excluded in the next 90 days" in page
    assert page.count("00:00–06:00, 22:00–24:00") > 60
    assert "the whole day" in page
    assert "Day of rest" in page
    assert 'href="/schedules/nightly/"' in page
    assert "/calendars/holidays/edit" not in page
    assert "holidays" in viewer.get("/calendars/").text
    assert 'href="/calendars/holidays/"' in viewer.get("/schedules/nightly/").text


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"excluded": "sat\nsomeday"},
            "excluded",
            "Line 2 of excluded: 'someday' is neither a day of the week",
        ),
        ({"excluded": "2026-02-30"}, "excluded", "'2026-02-30' is not a day"),
        ({"excluded": "mon 25:00-26:00"}, "excluded", "'25:00' is not a time of day"),
        ({"timezone": "Mars/Base"}, "timezone", "Mars/Base"),
        ({"name": "a b"}, "name", "cannot be the name of a calendar"),
        ({"description": "x" * 1001}, "description", "1001 characters, 1000 are allowed"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_field_and_nothing_is_lost(
    services: Services, operator: Visitor, fields: dict[str, str], field: str, message: str
) -> None:
    page = operator.post("/calendars/new", form(**fields), page="/calendars/new")
    assert page.status_code == 422
    assert message in fault_at(page, field)
    assert next(iter(fields.values())).split("\n")[0] in page.text
    assert services.calendars.names() == []


@pytest.mark.parametrize("way", ["file", "text"])
def test_icalendar_text_is_shown_in_the_editor_before_it_is_saved(
    services: Services, operator: Visitor, way: str
) -> None:
    make(services)
    sent: dict[str, Any] = (
        {"text": ICS} if way == "text" else {"file": (BytesIO(ICS.encode()), "holidays.ics")}
    )
    fields = {"name": "holidays", "timezone": "Europe/Berlin", **sent}
    page = operator.post(
        "/calendars/import", fields, page="/calendars/import", content_type="multipart/form-data"
    )
    assert page.status_code == 200
    assert "2027-05-01 May Day" in page.text
    assert "mon-fri 22:00-06:00" in page.text
    assert "26 Christmas" not in page.text
    assert shown(services) == LINES
    bad = operator.post(
        "/calendars/import", {"name": "holidays", "text": "hello"}, page="/calendars/import"
    )
    assert bad.status_code == 422
    assert "Line 1 of the iCalendar file: 'hello' is not NAME:VALUE" in fault_at(bad, "text")


def test_events_that_an_import_leaves_out_are_shown_before_it_is_saved(
    services: Services, operator: Visitor
) -> None:
    bad = "BEGIN:VEVENT\nSUMMARY:<b>Typo</b>\nDTSTART:2027\nEND:VEVENT\n"
    text = ICS.replace("END:VCALENDAR", f"{bad}END:VCALENDAR")
    fields = {"name": "holidays", "timezone": "Europe/Berlin", "text": text}
    page = operator.post("/calendars/import", fields, page="/calendars/import")
    assert page.status_code == 200
    assert "2027-05-01 May Day" in page.text
    shown_part = page.text.partition("Left out of the file: 1")[2]
    assert '<td class="lead num">6</td>' in shown_part
    assert "&lt;b&gt;Typo&lt;/b&gt;" in shown_part
    assert "DTSTART &#39;2027&#39; is not a day or a moment" in shown_part
    complete = operator.post("/calendars/import", {**fields, "text": ICS}, page="/calendars/import")
    assert "Left out of the file" not in complete.text
    assert "Left out of the file" not in operator.get("/calendars/new").text


def test_a_calendar_is_deleted_by_an_admin_once_no_schedule_names_it(
    services: Services, admin: Visitor
) -> None:
    offer_jobs(services)
    make(services)
    schedule = saved(services, window=Window(calendar="holidays"))
    assert "It cannot be deleted yet" in admin.get("/calendars/holidays/delete").text
    refused = admin.post("/calendars/holidays/delete", {"revision": "1"}, page="/calendars/new")
    assert refused.status_code == 409
    assert services.calendars.names() == ["holidays"]
    services.schedules.delete(schedule.name, edit=Edit(actor="ada", now=utc_now()))
    assert "What will happen" in admin.get("/calendars/holidays/delete").text
    assert (
        admin.post(
            "/calendars/holidays/delete", {"revision": "1"}, page="/calendars/new"
        ).status_code
        == 303
    )
    assert services.calendars.names() == []
    assert admin.get("/calendars/holidays/").status_code == 404


def test_the_schedule_editor_offers_the_calendars(services: Services, operator: Visitor) -> None:
    offer_jobs(services)
    make(services)
    page = operator.get("/schedules/new").text
    assert "<option>holidays</option>" in page
    made = operator.post("/schedules/new", {**FORM, "calendar": "holidays"}, page="/schedules/new")
    assert made.status_code == 303
    assert services.schedules.get("nightly").window.calendar == "holidays"
    assert "<option selected>holidays</option>" in operator.get("/schedules/nightly/edit").text
    bad = operator.post(
        "/schedules/new", {**FORM, "name": "other", "calendar": "gone"}, page="/schedules/new"
    )
    assert bad.status_code == 422
    assert "Calendar 'gone' is unknown; there are holidays" in fault_at(bad, "calendar")


def test_a_calendar_that_is_gone_or_damaged_is_told_where_it_matters(
    services: Services, operator: Visitor
) -> None:
    offer_jobs(services)
    make(services)
    saved(services, window=Window(calendar="holidays"))
    services.redis.hset(keys.CALENDARS_HASH, "holidays", "{")
    services.redis.hset(keys.CALENDAR_VERSIONS_HASH, "holidays", "x")
    assert "is gone or damaged. Nothing fires" in operator.get("/schedules/nightly/").text
    assert "Damaged" in operator.get("/calendars/").text
    assert "This calendar cannot be read." in operator.get("/calendars/holidays/").text
    assert operator.get("/schedules/").status_code == 200
    assert operator.get("/calendars/holidays/edit").status_code == 200
    mended = operator.post("/calendars/holidays/edit", form(revision="0"), page="/calendars/new")
    assert mended.status_code == 303
    assert shown(services) == LINES
