"""What differs between two versions of a schedule."""

from scheduler.rules.model.difference import Difference, differences
from scheduler.rules.model.spec import Policies
from tests.support.builders import a_schedule, cron, every


def test_fields_are_compared_part_by_part():
    old = a_schedule(when=cron("0 6 * * *"), kwargs={"days": 1, "title": "x"}).to_json()
    new = a_schedule(
        when=cron("0 7 * * *"), kwargs={"days": 2, "title": "x"}, revision=2, owner="Ada"
    ).to_json()
    assert differences(old, new) == [
        Difference("when.crontab", "0 6 * * *", "0 7 * * *"),
        Difference("kwargs.days", 1, 2),
        Difference("owner", "", "Ada"),
    ]


def test_who_saved_it_when_is_no_difference():
    assert (
        differences(a_schedule().to_json(), a_schedule(revision=9, updated_by="bob").to_json())
        == []
    )


def test_a_field_that_did_not_exist_then_had_its_default():
    old = a_schedule().to_json()
    for name in ("policies", "window", "paused", "skips"):
        del old[name]
    assert differences(old, a_schedule().to_json()) == []
    assert differences(old, a_schedule(policies=Policies(overlap="allow")).to_json()) == [
        Difference("policies.overlap", "skip", "allow")
    ]


def test_another_kind_of_rule_comes_with_all_its_parts():
    found = differences(
        a_schedule(when=cron("0 6 * * *")).to_json(), a_schedule(when=every(60)).to_json()
    )
    assert Difference("when.kind", "crontab", "interval") in found
    assert Difference("when.every", None, 60.0) in found
    assert Difference("when.crontab", "0 6 * * *", None) in found


def test_what_is_not_understood_is_compared_as_it_is():
    assert differences({"colour": "red"}, {"colour": "blue"}) == [
        Difference("colour", "red", "blue")
    ]
