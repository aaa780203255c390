"""Texts from the command line become values, or are refused with the field, the value and the
remedy.
"""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.cli import fields
from scheduler.cli.schedules import options
from scheduler.errors import BadArguments, Refused
from scheduler.rules.model.fields import field_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_a_json_list_and_a_json_object_become_values():
    assert fields.json_list('["a", 1, null]') == ["a", 1, None]
    assert fields.json_object('{"days": 1}') == {"days": 1}


@pytest.mark.parametrize(
    "text", ["{days: 1}", "", "[1", "{'a': 1}", "NaN", "[Infinity]", "[" * 100_000]
)
def test_what_is_not_json_is_refused_with_the_field_and_how_to_write_it(text):
    with pytest.raises(BadArguments, match=r"kwargs: .* is not JSON .*double quotes") as refusal:
        fields.json_object(text)
    assert refusal.value.field == "kwargs"
    assert len(str(refusal.value)) < 500


def test_a_json_value_of_the_wrong_kind_is_refused_with_an_example():
    with pytest.raises(
        BadArguments, match="args: '1' is not a JSON list; write it like"
    ) as refusal:
        fields.json_list("1")
    assert refusal.value.field == "args"
    with pytest.raises(BadArguments, match=r"kwargs: '\[\]' is not a JSON object; write it like"):
        fields.json_object("[]")


@pytest.mark.parametrize(
    "text", ["2026-11-23T05:00:00Z", "2026-11-23T06:00:00+01:00", "2026-11-23T05:00Z"]
)
def test_an_instant_is_read_with_its_zone_and_becomes_utc(text):
    at = fields.instant(text, "from")
    assert at == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-23T06:00:00", "2026-11-23"])
def test_a_time_that_is_none_or_has_no_zone_is_refused_with_an_example(text):
    with pytest.raises(Refused, match=r"from: .*2026-11-23T05:00:00Z") as refusal:
        fields.instant(text, "from")
    assert refusal.value.field == "from"
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_moment_may_be_written_as_how_long_ago(text, ago):
    assert fields.moment(text, "since", now=NOW) == NOW - ago


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"]
)
def test_a_time_that_is_too_far_away_is_refused_with_what_is_read(text):
    with pytest.raises(Refused, match=r"from: .* the years 1970 to 2200 are read"):
        fields.instant(text, "from")


@pytest.mark.parametrize("text", ["999999999d", "5 fortnights", "-1h", "1w"])
def test_a_moment_that_is_none_is_refused(text):
    with pytest.raises(Refused, match="since: "):
        fields.moment(text, "since", now=NOW)


def priority(text):
    return options.value_of(field_of("", "priority"), text)


def test_a_priority_is_a_digit_or_none():
    assert priority("0") == 0
    assert priority("9") == 9
    assert priority("none") is None


@pytest.mark.parametrize("text", ["10", "-1", "high", "", "٣"])
def test_any_other_priority_is_refused(text):
    with pytest.raises(Refused, match=r"priority: .*0 to 9") as refusal:
        priority(text)
    assert refusal.value.field == "priority"


def test_the_actor_is_the_user_at_the_keyboard(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    assert fields.actor() == "cli:ada"
