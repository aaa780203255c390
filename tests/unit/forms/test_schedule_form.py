"""The editor's form: what counts of what was sent, what is kept, and what is wrong, all at once."""

import pytest
from werkzeug.datastructures import MultiDict

from scheduler.catalogue.records import Job, Parameter
from scheduler.rules.model.fields import fields_of
from scheduler.rules.model.spec import CrontabWhen, IntervalWhen
from tests.support.builders import a_spec, every
from webadmin.forms.draft import Draft
from webadmin.forms.schedule import ScheduleForm

SENT = {
    "name": "nightly",
    "job": "mail.send",
    "enabled": "on",
    "crontab": "0 6 * * *",
    "timezone": "UTC",
}
JOB = Job(
    name="mail.send",
    parameters=[Parameter(name="to", annotation="str"), Parameter(name="data", required=False)],
)


def read(**texts: str) -> Draft:
    return ScheduleForm(MultiDict({**SENT, **texts})).read()


def test_all_faults_of_policies_and_limits_are_named_at_once() -> None:
    draft = read(jitter="a while", retries="101", run_timeout="0", max_runs="0", ends_at="soon")
    assert set(draft.errors) == {"jitter", "ends_at"}
    assert (draft.policies, draft.window, draft.spec) == (None, None, None)
    draft = read(retries="101", run_timeout="0", max_runs="0")
    assert set(draft.errors) == {"retries", "run_timeout", "max_runs"}


@pytest.mark.parametrize(("kind", "rule"), [("crontab", CrontabWhen), ("interval", IntervalWhen)])
def test_fields_of_other_kinds_of_rule_are_kept_and_do_not_count(kind: str, rule: type) -> None:
    unused = {"at": "soon", "rrule": "", "dtstart": "then"}
    other = {
        "crontab": {"every": "often", "unit": "ages"},
        "interval": {"crontab": "", "timezone": "Mars"},
    }
    form = ScheduleForm(MultiDict({**SENT, "kind": kind, "every": "5", **unused, **other[kind]}))
    draft = form.read()
    assert draft.errors == {}
    assert isinstance(draft.when, rule)
    assert {name: form[name].text for name in unused} == unused


def test_a_text_that_is_too_long_is_a_fault_also_where_it_is_not_used() -> None:
    draft = read(rrule="x" * 1001)
    assert draft.errors == {"rrule": "This is 1,001 characters long; at most 1,000 fit."}


@pytest.mark.parametrize(
    "row", [row for row in fields_of("") if row.name in ("owner", "description", "notes")]
)
def test_a_text_may_be_as_long_as_the_table_says(row) -> None:
    longest = row.about.max_length
    assert read(**{row.name: "x" * longest}).errors == {}
    assert set(read(**{row.name: "x" * (longest + 1)}).errors) == {row.name}


def test_what_was_not_sent_has_its_default() -> None:
    draft = read()
    assert draft.spec == a_spec("nightly", "mail.send", when=CrontabWhen(crontab="0 6 * * *"))
    off = ScheduleForm(
        MultiDict({name: text for name, text in SENT.items() if name != "enabled"})
    ).read()
    assert off.spec is not None
    assert off.spec.enabled is False


def test_the_parameters_of_the_chosen_job_are_fields() -> None:
    form = ScheduleForm.sent(
        MultiDict({**SENT, "p.to": " ada ", "p.data": "[1]"}), lambda name: JOB
    )
    assert form.read().kwargs == {"to": "ada", "data": [1]}
    form = ScheduleForm.sent(MultiDict({**SENT, "p.data": "[1"}), lambda name: JOB)
    assert set(form.read().errors) == {"p.to", "p.data"}
    assert form.parameters is not None
    assert [field.text for field in form.parameters.fields] == ["", "[1"]


def test_json_counts_where_it_was_chosen_and_where_there_are_no_fields() -> None:
    texts = {**SENT, "args": "[2]", "kwargs": '{"to": "ada"}'}
    assert ScheduleForm.sent(
        MultiDict({**texts, "arguments": "json"}), lambda name: JOB
    ).read().args == [2]
    assert ScheduleForm.sent(
        MultiDict({**texts, "arguments": "form"}), lambda name: None
    ).read().args == [2]


def test_a_copy_has_another_name_and_counts_from_its_own_moment() -> None:
    spec = a_spec("nightly", when=every(600))
    draft = ScheduleForm.showing(spec, name="copy").read()
    assert draft.spec == spec.model_copy(update={"name": "copy", "when": IntervalWhen(every=600)})


def test_a_damaged_anchor_is_told_at_the_field_that_is_seen() -> None:
    draft = read(kind="interval", every="5", anchor="x")
    assert list(draft.errors) == ["every"]
    assert "Reload" in draft.errors["every"]
