"""What may be saved. Every refusal has its field and says what to do."""

from typing import Any

import pytest

from scheduler.errors import BadArguments, BadExpression, BadName, Refused, UnknownZone
from scheduler.rules.check import check_spec
from scheduler.rules.model.spec import RedBeatWhen
from tests.support.builders import NOON, a_spec, at, cron, every


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_an_ordinary_schedule_passes() -> None:
    check_spec(a_spec(), now=NOON)
    check_spec(
        a_spec(
            name="A.b-c_9",
            when=every(300, NOON),
            args=[1, "zwei", None, nested(15)],
            kwargs={"größe": 1.5},
            queue="slow",
            priority=9,
            tags=["a b", "ü"],
            notes="mehr\nals eine Zeile",
        ),
        now=NOON,
    )


@pytest.mark.parametrize(
    "name",
    ["", ":lock", "a:b", "-a", ".a", "a b", "ä", "a/b", "a\n", "a" * 201, "redbeat::schedule"],
)
def test_a_name_is_letters_digits_dots_and_dashes(name: str) -> None:
    with pytest.raises(BadName, match="use letters") as refused:
        check_spec(a_spec(name=name), now=NOON)
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    ("parts", "kind", "field", "word"),
    [
        ({"job": ""}, Refused, "job", "task name"),
        ({"job": "a b"}, Refused, "job", "task name"),
        ({"when": cron("61 * * * *")}, BadExpression, "crontab", "0-59"),
        ({"when": cron("0 0 30 2 *")}, BadExpression, "crontab", "never fires"),
        (
            {"when": cron("30 2 29 3 sun", "Europe/Berlin", dst_gap="skip")},
            BadExpression,
            "crontab",
            "does not fire",
        ),
        ({"when": cron("0 0 * * *", "Berlin")}, UnknownZone, "timezone", "Europe/Berlin"),
        ({"when": every(0)}, BadExpression, "every", "1 to"),
        ({"when": every(0.5)}, BadExpression, "every", "1 to"),
        ({"when": every(float("nan"))}, BadExpression, "every", "1 to"),
        ({"when": every(float("inf"))}, BadExpression, "every", "1 to"),
        ({"when": every(1e12)}, BadExpression, "every", "ten years"),
        ({"when": every(60, at("9000-01-01T00:00Z"))}, BadExpression, "anchor", "2200"),
        (
            {"when": RedBeatWhen(schedule={"__type__": "rrule"})},
            BadExpression,
            "when",
            "not edited",
        ),
        ({"args": [{"__type__": "x"}]}, BadArguments, "args", "__type__"),
        ({"kwargs": {"__type__": 1}}, BadArguments, "kwargs", "__type__"),
        ({"kwargs": {"a": [{"b": {"__type__": "datetime"}}]}}, BadArguments, "kwargs", "__type__"),
        ({"args": [nested(25)]}, BadArguments, "args", "20 levels"),
        ({"kwargs": {"a": "x" * 70_000}}, BadArguments, "kwargs", "65536"),
        ({"args": [float("nan")]}, BadArguments, "args", "JSON"),
        ({"kwargs": {"a": "\x00"}}, Refused, "kwargs", "NUL"),
        ({"queue": "a b"}, Refused, "queue", "blanks"),
        ({"queue": ""}, Refused, "queue", "blanks"),
        ({"owner": "x" * 201}, Refused, "owner", "200"),
        ({"notes": "a\x00b"}, Refused, "notes", "NUL"),
        ({"tags": ["x"] * 21}, Refused, "tags", "20"),
        ({"tags": ["a,b"]}, Refused, "tags", "comma"),
        ({"tags": [" "]}, Refused, "tags", "characters"),
    ],
)
def test_a_refusal_names_the_field_and_the_remedy(
    parts: dict[str, Any], kind: type[Refused], field: str, word: str
) -> None:
    with pytest.raises(kind) as refused:
        check_spec(a_spec(**parts), now=NOON)
    assert refused.value.field == field
    assert word in str(refused.value)


def test_very_deep_arguments_are_refused_and_not_followed() -> None:
    with pytest.raises(BadArguments):
        check_spec(a_spec(args=[]).model_copy(update={"args": [nested(50_000)]}), now=NOON)
