"""Options become the Spec that the operator means; an edit changes what it names and nothing
else.
"""

from datetime import UTC, datetime

import click
import pytest

from scheduler.cli.schedules import definition, policies, rule
from scheduler.errors import Refused
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    Window,
)

NOW = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)
ANCHOR = datetime(2026, 11, 21, tzinfo=UTC)
BERLIN = CrontabWhen(crontab="0 6 * * *", timezone="Europe/Berlin", dst_gap="skip")
EVERY_MINUTE = IntervalWhen(every=60, anchor=ANCHOR)


def new(**given):
    return rule.new_when(**{"default_zone": "Asia/Tokyo", "now": NOW, **given})


def edited(old, **given):
    return rule.edited_when(old, **{"default_zone": "Asia/Tokyo", "now": NOW, **given})


def test_a_new_crontab_is_read_in_the_default_zone_unless_one_is_given():
    assert new(cron="0 6 * * *") == CrontabWhen(crontab="0 6 * * *", timezone="Asia/Tokyo")
    assert new(cron="0 6 * * *", tz="Europe/Berlin") == CrontabWhen(
        crontab="0 6 * * *", timezone="Europe/Berlin"
    )


def test_a_new_interval_has_no_anchor_yet():
    assert new(every=300.0) == IntervalWhen(every=300)


@pytest.mark.parametrize(
    "given",
    [{}, {"cron": "* * * * *", "every": 5.0}, {"at": "2027-01-01", "rrule": "x"}, {"tz": "UTC"}],
)
def test_a_new_schedule_needs_exactly_one_rule(given):
    with pytest.raises(
        click.UsageError, match="one of --cron TEXT, --every SECONDS, --at TIME and --rrule TEXT"
    ):
        new(**given)


def test_an_empty_zone_is_handed_on_to_be_refused_and_not_taken_for_the_default():
    assert new(cron="0 6 * * *", tz="").timezone == ""


def test_an_edit_of_the_expression_keeps_the_zone_and_the_rules_for_clock_changes():
    assert edited(BERLIN, cron="0 7 * * *") == BERLIN.model_copy(update={"crontab": "0 7 * * *"})


def test_an_edit_of_the_zone_keeps_the_expression():
    assert edited(BERLIN, tz="UTC") == BERLIN.model_copy(update={"timezone": "UTC"})


def test_an_edit_that_names_no_rule_keeps_it_as_it_is():
    assert edited(BERLIN) is not None
    assert edited(BERLIN) == BERLIN
    assert edited(EVERY_MINUTE) == EVERY_MINUTE


def test_an_interval_keeps_its_anchor_only_while_it_keeps_its_length():
    assert edited(EVERY_MINUTE, every=60.0) == EVERY_MINUTE
    assert edited(EVERY_MINUTE, every=90.0) == IntervalWhen(every=90)


def test_a_schedule_may_change_its_kind():
    assert edited(BERLIN, every=90.0) == IntervalWhen(every=90)
    assert edited(EVERY_MINUTE, cron="0 6 * * *") == CrontabWhen(
        crontab="0 6 * * *", timezone="Asia/Tokyo"
    )


def test_a_zone_for_an_interval_is_refused():
    for attempt in (lambda: new(every=5.0, tz="UTC"), lambda: edited(EVERY_MINUTE, tz="UTC")):
        with pytest.raises(
            Refused, match=r"timezone: 'UTC' has a meaning with --cron or.*--cron"
        ) as refusal:
            attempt()
        assert refusal.value.field == "timezone"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {
                "cron": "0 6 1 * mon",
                "day_match": "or",
                "dst_gap": "skip",
                "dst_repeat": "both",
                "tz": "UTC",
            },
            CrontabWhen(
                crontab="0 6 1 * mon",
                timezone="UTC",
                day_match="or",
                dst_gap="skip",
                dst_repeat="both",
            ),
        ),
        ({"every": 60.0, "anchor": "2026-11-21T00:00:00Z"}, EVERY_MINUTE),
        ({"at": "2026-12-24T18:00:00Z"}, OnceWhen(at=datetime(2026, 12, 24, 18, tzinfo=UTC))),
        (
            {"at": "2026-12-24T18:00", "tz": "Europe/Berlin"},
            OnceWhen(at=datetime(2026, 12, 24, 17, tzinfo=UTC)),
        ),
        (
            {"rrule": "FREQ=DAILY"},
            RruleWhen(rrule="FREQ=DAILY", dtstart=NOW.replace(second=0), timezone="Asia/Tokyo"),
        ),
        (
            {"rrule": "FREQ=DAILY", "dtstart": "2026-12-01T09:00", "tz": "Europe/Berlin"},
            RruleWhen(
                rrule="FREQ=DAILY",
                dtstart=datetime(2026, 12, 1, 8, tzinfo=UTC),
                timezone="Europe/Berlin",
            ),
        ),
    ],
)
def test_each_kind_takes_the_options_that_go_with_it(given, expected):
    assert new(**given) == expected


def test_an_edit_changes_only_what_it_names_of_every_kind():
    once = OnceWhen(at=ANCHOR)
    assert edited(once) == once
    assert edited(once, at="2027-01-01T00:00:00Z").at.year == 2027
    assert edited(once, every=60.0, anchor="2026-11-21T00:00:00Z") == EVERY_MINUTE
    assert edited(EVERY_MINUTE, anchor="2026-11-22T00:00:00Z").anchor.day == 22
    recurring = RruleWhen(rrule="FREQ=DAILY", dtstart=ANCHOR, timezone="Europe/Berlin")
    assert edited(recurring, rrule="FREQ=WEEKLY") == recurring.model_copy(
        update={"rrule": "FREQ=WEEKLY"}
    )
    assert edited(recurring, dtstart="2026-12-01T09:00").dtstart == datetime(
        2026, 12, 1, 8, tzinfo=UTC
    )
    assert edited(BERLIN, day_match="or") == BERLIN.model_copy(update={"day_match": "or"})


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"at": "2026-12-24T18:00"}, "no time zone"),
        ({"at": "2027-03-28T02:30", "tz": "Europe/Berlin"}, "does not exist in Europe/Berlin"),
        ({"at": "soon", "tz": "UTC"}, "not a time"),
        ({"rrule": "FREQ=DAILY", "dtstart": "x"}, "not a time"),
        ({"every": 5.0, "day_match": "or"}, "--cron"),
        ({"cron": "* * * * *", "anchor": "2026-11-21T00:00:00Z"}, "--every"),
        ({"cron": "* * * * *", "dtstart": "2026-11-21T00:00:00Z"}, "--rrule"),
    ],
)
def test_what_does_not_go_with_a_kind_is_refused_with_the_remedy(given, word):
    with pytest.raises(Refused, match=word):
        new(**given)


def test_policies_and_window_change_where_an_option_names_them():
    old = Policies(retries=2, run_timeout=60)
    given = {
        "run_timeout": "none",
        "jitter": "15m",
        "overlap": "allow",
        "max_runs": "3",
        "ends_at": "2027-01-01T00:00Z",
    }
    values = definition.spec_of(
        {"name": "n", "job": "j", "when": BERLIN, **policies.named(given, old, Window())}
    )
    assert values.policies == Policies(retries=2, jitter=900, overlap="allow")
    assert values.window == Window(max_runs=3, ends_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert policies.named({"retries": None}, old, Window()) == {}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"jitter": "long"}, "jitter"),
        ({"max_runs": "-1"}, "max_runs"),
        ({"starts_at": "2027-01-01"}, "starts_at"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_by_its_name(given, field):
    with pytest.raises(Refused) as refusal:
        policies.named(given, Policies(), Window())
    assert refusal.value.field == field


def test_only_options_that_are_given_name_a_field():
    assert (
        definition.named_fields(
            {"job": None, "args": None, "kwargs": None, "queue": None, "tags": ()}
        )
        == {}
    )
    assert definition.named_fields(
        {"owner": "", "queue": "", "priority": "none", "tags": ("",)}
    ) == {
        "owner": "",
        "queue": None,
        "priority": None,
        "tags": [],
    }
    assert definition.named_fields(
        {"args": "[1]", "kwargs": '{"a": 1}', "priority": "3", "tags": ("a", "b")}
    ) == {
        "args": [1],
        "kwargs": {"a": 1},
        "priority": 3,
        "tags": ["a", "b"],
    }


def test_a_field_that_does_not_fit_is_refused_by_its_name():
    with pytest.raises(Refused, match="priority: 12 cannot be used") as refusal:
        definition.spec_of({"name": "n", "job": "j", "when": BERLIN, "priority": 12})
    assert refusal.value.field == "priority"
