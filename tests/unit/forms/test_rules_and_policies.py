"""What the editor's fields mean, and what a saved schedule looks like in them."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from scheduler.catalogue.records import Parameter
from scheduler.rules.model.spec import (
    OnceWhen,
    Policies,
    RedBeatWhen,
    RruleWhen,
    Spec,
    Window,
)
from tests.support.builders import NOON, a_schedule, a_spec, at, cron, every
from webadmin.forms import times
from webadmin.forms.arguments import value
from webadmin.forms.draft import Draft
from webadmin.forms.schedule import ScheduleForm
from webadmin.forms.texts import split_seconds, texts_of
from webadmin.forms.versions import differences, limits

SAVED: list[dict[str, Any]] = [
    {
        "when": cron(
            "0 6 13 * fri", "Europe/Berlin", day_match="or", dst_gap="skip", dst_repeat="both"
        )
    },
    {"when": cron("H 6 L * ?")},
    {"when": every(0.5, NOON)},
    {"when": OnceWhen(at=at("2026-12-24T18:00:30Z"))},
    {"when": OnceWhen(at=at("2026-12-24T18:00Z") + timedelta(microseconds=5))},
    {
        "when": RruleWhen(
            rrule="FREQ=DAILY", dtstart=at("2026-11-23T08:00Z"), timezone="Europe/Berlin"
        )
    },
    {
        "when": RruleWhen(
            rrule="FREQ=DAILY", dtstart=at("2026-10-25T01:30Z"), timezone="Europe/Berlin"
        )
    },
    {
        "policies": Policies(
            overlap="cancel_previous",
            queue_limit=7,
            catch_up="all",
            catch_up_window=5400,
            starting_deadline=90,
            run_timeout=0.5,
            retries=3,
            retry_backoff=86_400,
            on_lost="fail",
            pause_after_failures=2,
            jitter=1.5,
        ),
        "window": Window(
            starts_at=NOON, ends_at=at("2027-01-01T00:00Z"), max_runs=5, calendar="holidays"
        ),
    },
]


def sent(**texts: str) -> Draft:
    """What a form with these texts means."""
    return ScheduleForm(MultiDict(texts)).read()


@pytest.mark.parametrize("parts", SAVED)
def test_what_is_saved_stands_in_the_fields_and_is_read_from_them_again(
    parts: dict[str, Any],
) -> None:
    schedule = a_schedule(**parts)
    shown = {field.name: field.text for field in ScheduleForm.showing(schedule.spec())}
    reading = sent(**shown)
    assert reading.errors == {}
    assert reading.spec == schedule.spec()


def test_a_rule_of_redbeats_own_leaves_the_kind_to_be_chosen() -> None:
    form = ScheduleForm.showing(a_spec(when=RedBeatWhen(schedule={"__type__": "rrule"})))
    assert form["kind"].text == ""
    assert "kind" in form.read().errors


def test_an_empty_field_stands_for_the_default() -> None:
    assert sent().policies == Policies()
    assert sent().window == Window()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("jitter", "a while"),
        ("jitter", "-5"),
        ("jitter", "nan"),
        ("run_timeout", "0"),
        ("catch_up_window", "1e400"),
        ("retries", "many"),
        ("retries", "101"),
        ("max_runs", "0"),
        ("overlap", "sometimes"),
        ("starts_at", "tomorrow"),
    ],
)
def test_a_limit_that_cannot_be_read_is_told_at_its_field(field: str, text: str) -> None:
    reading = sent(**{**texts_of(a_spec()), field: text})
    assert set(reading.errors) == {field}
    assert reading.spec is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "once"}, "at"),
        ({"kind": "once", "at": "2027-03-28T02:30", "timezone": "Europe/Berlin"}, "at"),
        ({"kind": "once", "at": "2027-03-28T02:30", "timezone": "Mars"}, "timezone"),
        ({"kind": "rrule"}, "rrule"),
        ({"kind": "rrule", "rrule": "FREQ=DAILY"}, "dtstart"),
        ({"kind": "crontab", "crontab": "* * * * *", "day_match": "xor"}, "day_match"),
        ({"kind": "yearly"}, "kind"),
    ],
)
def test_a_rule_that_cannot_be_read_is_told_at_its_field(given: dict[str, str], field: str) -> None:
    reading = sent(name="n", job="j", **given)
    assert next(iter(reading.errors)) == field
    assert reading.when is None


def test_a_time_is_meant_on_the_clock_of_its_zone() -> None:
    assert times.read_moment("2026-12-24 18:00", "at", "Europe/Berlin") == at("2026-12-24T17:00Z")
    assert times.read_moment("2026-12-24T18:00+05:00", "at", "Europe/Berlin") == at(
        "2026-12-24T13:00Z"
    )
    assert times.shown_moment(at("2026-12-24T17:00Z"), "Europe/Berlin") == "2026-12-24T18:00"


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90"), (120, "2m"), (7200, "2h"), (86_400, "1d"), (0.25, "0.25")]
)
def test_lengths_of_time_are_short_and_come_back(seconds: float, text: str) -> None:
    assert times.shown_seconds(seconds) == text
    assert times.read_seconds(text, "jitter") == seconds


def test_what_is_not_as_usual_is_told_in_words() -> None:
    spec: Spec = a_spec(
        policies=Policies(overlap="queue_all", jitter=120.0), window=Window(max_runs=3)
    )
    assert limits(spec) == [
        ("Policies", "overlap queue all, jitter 2m"),
        ("Start and end", "max runs 3"),
    ]
    assert limits(a_spec()) == []
    (found,) = differences(spec, spec.model_copy(update={"window": Window()}))
    assert (found.label, found.ours, found.theirs) == ("Start and end", "max runs 3", "as usual")
    (found,) = differences(spec, spec.model_copy(update={"enabled": False}))
    assert (found.ours, found.theirs) == ("yes", "no")
    (found,) = differences(spec, spec.model_copy(update={"owner": "ada"}))
    assert (found.ours, found.theirs) == ("—", "ada")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (86_400, ("1", "days")),
        (7_200, ("2", "hours")),
        (300, ("5", "minutes")),
        (90, ("90", "seconds")),
        (0.5, ("0.5", "seconds")),
    ],
)
def test_a_length_of_time_is_shown_in_its_largest_whole_unit(
    seconds: float, shown: tuple[str, str]
) -> None:
    assert split_seconds(seconds) == shown


def test_a_choice_that_is_not_offered_is_refused_with_those_that_are() -> None:
    schema: dict[str, Any] = {"enum": ["csv", "xlsx"]}
    parameter = Parameter(name="format", json_schema=schema)
    assert value(parameter, '"csv"') == "csv"
    with pytest.raises(ValueError, match=r'"pdf" is not one of "csv", "xlsx"'):
        value(parameter, '"pdf"')


def test_a_switch_is_true_or_false_and_nothing_else() -> None:
    parameter = Parameter(name="draft", json_schema={"type": "boolean"})
    assert value(parameter, "true") is True
    with pytest.raises(ValueError, match="neither true nor false"):
        value(parameter, "maybe")
