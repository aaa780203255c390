"""The editor: what is saved, what is refused and kept as it was typed, and two people on one
schedule.
"""

from collections.abc import Callable

import pytest

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import CrontabWhen, IntervalWhen
from scheduler.services.services import Services
from tests.support.builders import JOB, a_spec, cron, every
from tests.support.webadmin.schedule_desk import (
    FORM,
    editor_of,
    everything_written,
    fault_at,
    fields_of,
    offer_jobs,
    saved,
)
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def operator(services: Services, logged_in: Callable[[str], Visitor]) -> Visitor:
    offer_jobs(services)
    return logged_in("operator")


def test_a_new_schedule_is_saved_as_it_was_typed(operator: Visitor, services: Services) -> None:
    more = {
        "queue": "slow",
        "priority": "4",
        "owner": "Ada",
        "tags": "a, b , a",
        "description": "Why",
        "notes": "x\r\ny",
    }
    answer = operator.post("/schedules/new", FORM | more)
    assert (answer.status_code, answer.location) == (303, "/schedules/nightly/")
    schedule = services.schedules.get("nightly")
    assert schedule.when == CrontabWhen(crontab="0 6 * * mon-fri", timezone="Europe/Berlin")
    assert (schedule.job, schedule.args, schedule.kwargs) == (JOB, [], {"days": 3})
    assert (schedule.queue, schedule.priority, schedule.owner, schedule.tags) == (
        "slow",
        4,
        "Ada",
        ["a", "b"],
    )
    assert (schedule.description, schedule.notes, schedule.updated_by) == (
        "Why",
        "x\ny",
        "operator@example.org",
    )


def test_an_interval_is_typed_as_a_number_and_a_unit(operator: Visitor, services: Services) -> None:
    operator.post("/schedules/new", FORM | {"kind": "interval", "every": "1.5", "unit": "hours"})
    when = services.schedules.get("nightly").when
    assert isinstance(when, IntervalWhen)
    assert when.every == 5400


def test_raw_json_says_what_fields_cannot(operator: Visitor, services: Services) -> None:
    operator.post(
        "/schedules/new", FORM | {"arguments": "json", "args": "[2]", "kwargs": '{"title": ""}'}
    )
    schedule = services.schedules.get("nightly")
    assert (schedule.args, schedule.kwargs) == ([2], {"title": ""})


def test_a_switched_off_box_saves_a_schedule_that_does_not_fire(
    operator: Visitor, services: Services
) -> None:
    operator.post(
        "/schedules/new", {name: text for name, text in FORM.items() if name != "enabled"}
    )
    assert services.schedules.get("nightly").enabled is False


DEEP = "[" * 60 + "]" * 60

REFUSALS = [
    ({"crontab": "61 * * * *"}, "crontab", "0-59"),
    ({"crontab": "every day"}, "crontab", "five are needed"),
    ({"crontab": "0 0 30 2 *"}, "crontab", "never fires"),
    ({"crontab": ""}, "crontab", "five fields"),
    ({"timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
    ({"timezone": ""}, "timezone", "UTC"),
    ({"kind": ""}, "kind", "Choose"),
    ({"kind": "interval", "every": "often", "unit": "minutes"}, "every", "not a number"),
    ({"kind": "interval", "every": "nan", "unit": "minutes"}, "every", "above 0"),
    ({"kind": "interval", "every": "0", "unit": "minutes"}, "every", "above 0"),
    ({"kind": "interval", "every": "9e99", "unit": "days"}, "every", "ten years"),
    ({"name": ":lock"}, "name", "colon"),
    ({"name": ""}, "name", "needs a name"),
    ({"name": "a b"}, "name", "letters, digits"),
    ({"name": "x" * 300}, "name", "200"),
    ({"job": "os.system"}, "job", "beatdesk jobs list"),
    ({"job": ""}, "job", "Choose the job"),
    ({"p.days": "many"}, "p.days", "whole number"),
    ({"p.filters": "{'a': 1}"}, "p.filters", "double quotes"),
    ({"job": "mail.send"}, "p.to", "needs this"),
    ({"arguments": "json", "kwargs": "{"}, "kwargs", "line 1"),
    ({"arguments": "json", "kwargs": "[1]"}, "kwargs", "in braces"),
    ({"arguments": "json", "kwargs": '{"days": NaN}'}, "kwargs", "not a JSON number"),
    ({"arguments": "json", "kwargs": '{"days": 1, "days": 2}'}, "kwargs", "twice"),
    ({"arguments": "json", "kwargs": '{"day": 1}'}, "kwargs", "did you mean 'days'"),
    ({"arguments": "json", "kwargs": '{"days": "3"}'}, "kwargs", "must be int"),
    (
        {"arguments": "json", "kwargs": '{"filters": {"a": [{"__type__": "x"}]}}'},
        "kwargs",
        "__type__",
    ),
    (
        {"arguments": "json", "kwargs": '{"filters": {"a": ' + DEEP + "}}"},
        "kwargs",
        "deeper than 20",
    ),
    ({"arguments": "json", "kwargs": "[" * 5000}, "kwargs", "nested too deep"),
    ({"arguments": "json", "kwargs": '{"title": "\\ud800"}'}, "kwargs", "half of a character"),
    ({"arguments": "json", "args": "{}"}, "args", "in brackets"),
    ({"priority": "10"}, "priority", "0 to 9"),
    ({"queue": "a b"}, "queue", "no blanks"),
    ({"tags": ",".join(f"t{number}" for number in range(30))}, "tags", "20"),
]


@pytest.mark.parametrize(
    ("wrong", "field", "remedy"), REFUSALS, ids=[f"{r[1]}-{r[2]}" for r in REFUSALS]
)
def test_a_refusal_is_named_at_its_field_keeps_what_was_typed_and_writes_nothing(
    operator: Visitor, services: Services, wrong: dict[str, str], field: str, remedy: str
) -> None:
    before = everything_written(services)
    typed = FORM | {"notes": "two\nlines <b>", "owner": 'O"Hara'} | wrong
    page = operator.post("/schedules/new", typed)
    assert page.status_code == 422
    assert remedy in fault_at(page, field)
    kept = fields_of(page)
    for name in set(typed) - {"action", "job", "p.days", "p.filters", "kind", "arguments"}:
        assert kept[name] == typed[name], name
    assert everything_written(services) == before


def test_all_faults_are_named_at_once(operator: Visitor) -> None:
    page = operator.post(
        "/schedules/new",
        FORM | {"name": ":lock", "crontab": "61 * * * *", "job": "os.system", "priority": "x"},
    )
    assert [bool(fault_at(page, field)) for field in ("name", "crontab", "job", "priority")] == [
        True
    ] * 4


def test_a_taken_name_is_refused(operator: Visitor, services: Services) -> None:
    saved(services)
    before = everything_written(services)
    page = operator.post("/schedules/new", FORM)
    assert "already" in fault_at(page, "name")
    assert everything_written(services) == before


def test_the_preview_button_shows_words_and_ticks_and_saves_nothing(
    operator: Visitor, services: Services
) -> None:
    page = operator.post("/schedules/new", FORM | {"action": "preview"})
    assert page.status_code == 200
    assert "At 06:00, Monday through Friday (Europe/Berlin)" in page.text
    assert page.text.count('class="tick-there') == 10
    assert services.schedules.names() == []


def test_the_fields_of_another_job_come_without_a_script(
    operator: Visitor, services: Services
) -> None:
    page = operator.post(
        "/schedules/new", FORM | {"job": "mail.send", "action": "arguments", "name": ""}
    )
    assert page.status_code == 200
    assert "p.to" in fields_of(page)
    assert 'class="fault"' not in page.text
    assert services.schedules.names() == []


def test_the_editor_shows_what_is_stored_and_sends_it_back_unchanged(
    operator: Visitor, services: Services
) -> None:
    before = saved(
        services,
        when=cron("5 4 * * sun", "Asia/Tokyo"),
        kwargs={"days": 2, "filters": {"a": [1]}},
        notes="n\n",
    )
    page = operator.get("/schedules/nightly/edit")
    answer = operator.post(
        "/schedules/nightly/edit", dict(editor_of(page).fields) | {"owner": "Ada"}
    )
    assert answer.status_code == 303
    after = services.schedules.get("nightly")
    assert after.spec().model_copy(update={"owner": "", "notes": before.notes}) == before.spec()
    assert (after.owner, after.revision, after.uid) == ("Ada", 2, before.uid)


def test_an_edited_interval_keeps_its_anchor(operator: Visitor, services: Services) -> None:
    before = saved(services, when=every(600))
    operator.post(
        "/schedules/nightly/edit",
        fields_of(operator.get("/schedules/nightly/edit")) | {"owner": "Ada"},
    )
    after = services.schedules.get("nightly")
    assert (after.owner, after.when) == ("Ada", before.when)


def test_arguments_that_do_not_fit_fields_are_shown_as_json(
    operator: Visitor, services: Services
) -> None:
    saved(services, args=[4], kwargs={"title": "  spaces kept "})
    fields = fields_of(operator.get("/schedules/nightly/edit"))
    assert (fields["arguments"], fields["args"], fields["kwargs"]) == (
        "json",
        "[4]",
        '{"title": "  spaces kept "}',
    )


def test_a_clone_starts_as_the_other_one_and_is_a_schedule_of_its_own(
    operator: Visitor, services: Services
) -> None:
    source = saved(services, kwargs={"days": 9}, tags=["a"])
    fields = fields_of(operator.get("/schedules/nightly/clone"))
    assert fields["name"] == ""
    operator.post("/schedules/nightly/clone", fields | {"name": "copy"})
    copy = services.schedules.get("copy")
    assert copy.spec() == source.spec().model_copy(update={"name": "copy"})
    assert (copy.revision, copy.uid == source.uid) == (1, False)


def edited_by_somebody_else(services: Services, **parts: object) -> None:
    edit = Edit(actor="bob@example.org", now=utc_now())
    services.schedules.edit("nightly", a_spec("nightly", JOB, **parts), revision=1, edit=edit)


def test_a_stale_save_shows_both_versions_and_writes_nothing(
    operator: Visitor, services: Services
) -> None:
    saved(services, when=cron("0 6 * * *"))
    fields = fields_of(operator.get("/schedules/nightly/edit"))
    edited_by_somebody_else(services, when=cron("0 7 * * *"))
    before = everything_written(services)
    page = operator.post("/schedules/nightly/edit", fields | {"crontab": "0 8 * * *"})
    assert page.status_code == 409
    assert "bob@example.org" in page.text
    assert "0 7 * * * (UTC)" in page.text
    assert "0 8 * * * (UTC)" in page.text
    assert fields_of(page)["crontab"] == "0 8 * * *"
    assert everything_written(services) == before


def test_saving_the_same_page_again_is_still_stale(operator: Visitor, services: Services) -> None:
    saved(services)
    fields = fields_of(operator.get("/schedules/nightly/edit"))
    edited_by_somebody_else(services, owner="Bob")
    page = operator.post("/schedules/nightly/edit", fields)
    assert operator.post("/schedules/nightly/edit", fields_of(page)).status_code == 409


def test_the_newer_revision_is_replaced_only_deliberately(
    operator: Visitor, services: Services
) -> None:
    saved(services)
    fields = fields_of(operator.get("/schedules/nightly/edit")) | {"owner": "Mine"}
    edited_by_somebody_else(services, owner="Bob")
    page = operator.post("/schedules/nightly/edit", fields)
    assert 'name="over" value="2"' in page.text
    assert (
        operator.post("/schedules/nightly/edit", fields_of(page) | {"over": "2"}).status_code == 303
    )
    assert (
        services.schedules.get("nightly").owner,
        services.schedules.get("nightly").revision,
    ) == ("Mine", 3)


def test_what_was_typed_survives_the_deletion_of_the_schedule(
    operator: Visitor, services: Services
) -> None:
    saved(services)
    fields = fields_of(operator.get("/schedules/nightly/edit")) | {"owner": "Mine"}
    services.schedules.delete("nightly", edit=Edit(actor="bob@example.org", now=utc_now()))
    page = operator.post("/schedules/nightly/edit", fields)
    assert page.status_code == 409
    assert "was deleted while you edited it" in page.text
    assert editor_of(page).action == "/schedules/new"
    operator.post("/schedules/new", fields_of(page))
    assert services.schedules.get("nightly").owner == "Mine"


@pytest.mark.parametrize("revision", ["", "one", "-1", "1.0", "²"])
def test_a_damaged_revision_saves_nothing(
    operator: Visitor, services: Services, revision: str
) -> None:
    saved(services)
    fields = fields_of(operator.get("/schedules/nightly/edit")) | {
        "revision": revision,
        "owner": "Mine",
    }
    assert operator.post("/schedules/nightly/edit", fields).status_code == 409
    assert services.schedules.get("nightly").revision == 1


@pytest.mark.parametrize(
    "name", ["new", "preview", "bulk", "arguments", "bulk-delete", "edit", "a.b_c-1"]
)
def test_a_schedule_may_have_the_name_of_a_page(
    operator: Visitor, services: Services, name: str
) -> None:
    answer = operator.post("/schedules/new", FORM | {"name": name})
    assert f"<h1>{name}</h1>" in operator.get(answer.location).text
    assert fields_of(operator.get(f"/schedules/{name}/edit"))["name"] == name
    operator.post(f"/schedules/{name}/disable")
    assert services.schedules.get(name).enabled is False
