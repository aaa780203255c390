"""What the editor's fields mean, and what a saved schedule looks like in them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduler.rules.model.spec import (
    OnceWhen,
    Policies,
    RedBeatWhen,
    RruleWhen,
    Spec,
    Window,
)
from tests.support.builders import NOON, a_schedule, a_spec, at, cron, every
from webadmin.forms import policies, times
from webadmin.forms.draft import Draft, typed
from webadmin.forms.drafting import drafted
from webadmin.forms.faults import Fault
from webadmin.forms.reading import read
from webadmin.forms.versions import differences, limits
from webadmin.forms.whens import read_when

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
            pause_after_failures=2,
            jitter=1.5,
        ),
        "window": Window(
            starts_at=NOON, ends_at=at("2027-01-01T00:00Z"), max_runs=5, calendar="holidays"
        ),
    },
]


@pytest.mark.parametrize("parts", SAVED)
def test_what_is_saved_stands_in_the_fields_and_is_read_from_them_again(
    parts: dict[str, Any],
) -> None:
    schedule = a_schedule(**parts)
    sent = {
        name: text for name, text in vars(drafted(schedule.spec())).items() if isinstance(text, str)
    }
    reading = read(typed({**sent, "enabled": "on"}))
    assert reading.errors == {}
    assert reading.spec == schedule.spec()


def test_a_rule_of_redbeats_own_leaves_the_kind_to_be_chosen() -> None:
    draft = drafted(a_spec(when=RedBeatWhen(schedule={"__type__": "rrule"})))
    assert draft.kind == ""
    assert "kind" in read(draft).errors


def test_an_empty_field_stands_for_the_default() -> None:
    assert policies.read(Draft()) == Policies()
    assert policies.read_window(Draft()) == Window()


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
    draft = replace(drafted(a_spec()), **{field: text})
    reading = read(draft)
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
    with pytest.raises(Fault) as fault:
        read_when(Draft(**given))  # type: ignore[arg-type]
    assert fault.value.field == field


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
