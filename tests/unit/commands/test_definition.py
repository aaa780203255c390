"""Options become the Spec that the operator means; an edit changes what it names and nothing else."""

from datetime import UTC, datetime

import click
import pytest

from scheduler.commands.schedules import definition
from scheduler.errors import Refused
from scheduler.rules.spec import CrontabWhen, IntervalWhen

ANCHOR = datetime(2026, 11, 21, tzinfo=UTC)
BERLIN = CrontabWhen(crontab="0 6 * * *", timezone="Europe/Berlin", dst_gap="skip")
EVERY_MINUTE = IntervalWhen(every=60, anchor=ANCHOR)


def new(**given):
    return definition.new_when(**{"cron": None, "every": None, "tz": None, "default_zone": "Asia/Tokyo", **given})


def edited(old, **given):
    return definition.edited_when(
        old, **{"cron": None, "every": None, "tz": None, "default_zone": "Asia/Tokyo", **given}
    )


def test_a_new_crontab_is_read_in_the_default_zone_unless_one_is_given():
    assert new(cron="0 6 * * *") == CrontabWhen(crontab="0 6 * * *", timezone="Asia/Tokyo")
    assert new(cron="0 6 * * *", tz="Europe/Berlin") == CrontabWhen(crontab="0 6 * * *", timezone="Europe/Berlin")


def test_a_new_interval_has_no_anchor_yet():
    assert new(every=300.0) == IntervalWhen(every=300)


@pytest.mark.parametrize("given", [{}, {"cron": "* * * * *", "every": 5.0}])
def test_a_new_schedule_needs_exactly_one_rule(given):
    with pytest.raises(click.UsageError, match="either --cron TEXT or --every SECONDS"):
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
    assert edited(EVERY_MINUTE, cron="0 6 * * *") == CrontabWhen(crontab="0 6 * * *", timezone="Asia/Tokyo")


def test_a_zone_for_an_interval_is_refused():
    for attempt in (lambda: new(every=5.0, tz="UTC"), lambda: edited(EVERY_MINUTE, tz="UTC")):
        with pytest.raises(Refused, match=r"timezone: 'UTC' has a meaning for a crontab only.*--cron") as refusal:
            attempt()
        assert refusal.value.field == "timezone"


def test_only_options_that_are_given_name_a_field():
    assert definition.named_fields({"job": None, "args": None, "kwargs": None, "queue": None, "tags": ()}) == {}
    assert definition.named_fields({"owner": "", "queue": "", "priority": "none", "tags": ("",)}) == {
        "owner": "",
        "queue": None,
        "priority": None,
        "tags": [],
    }
    assert definition.named_fields({"args": "[1]", "kwargs": '{"a": 1}', "priority": "3", "tags": ("a", "b")}) == {
        "args": [1],
        "kwargs": {"a": 1},
        "priority": 3,
        "tags": ["a", "b"],
    }


def test_a_field_that_does_not_fit_is_refused_by_its_name():
    with pytest.raises(Refused, match="priority: 12 cannot be used") as refusal:
        definition.spec_of({"name": "n", "job": "j", "when": BERLIN, "priority": 12})
    assert refusal.value.field == "priority"
