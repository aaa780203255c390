"""Bad input is refused with the field, the value and the remedy, and nothing is written."""

import pytest

GREETING = ("--kwargs", '{"whom": "Ada"}')
DEEP = "[" * 30 + "]" * 30
LARGE = '{"whom": "' + "x" * 70_000 + '"}'

BAD = {
    "a crontab of four fields": (("n", "demo.plain", "--cron", "0 6 * *"), "crontab", "0 6 * *"),
    "a minute 61": (("n", "demo.plain", "--cron", "61 6 * * *"), "crontab", "61"),
    "a range that is huge": (
        ("n", "demo.plain", "--cron", "1-100000000 * * * *"),
        "crontab",
        "100000000",
    ),
    "a crontab that never fires": (("n", "demo.plain", "--cron", "0 0 30 2 *"), "crontab", "30"),
    "an empty crontab": (("n", "demo.plain", "--cron", ""), "crontab", ""),
    "an unknown zone": (
        ("n", "demo.plain", "--cron", "* * * * *", "--tz", "Mars/Base"),
        "timezone",
        "Mars/Base",
    ),
    "a zone that is a path": (
        ("n", "demo.plain", "--cron", "* * * * *", "--tz", "../../etc/passwd"),
        "timezone",
        "..",
    ),
    "an empty zone": (("n", "demo.plain", "--cron", "* * * * *", "--tz", ""), "timezone", ""),
    "a zone for an interval": (
        ("n", "demo.plain", "--every", "60", "--tz", "UTC"),
        "timezone",
        "UTC",
    ),
    "an interval of nothing": (("n", "demo.plain", "--every", "0"), "every", "0"),
    "an interval backwards": (("n", "demo.plain", "--every", "-5"), "every", "-5"),
    "an interval that is no number": (("n", "demo.plain", "--every", "nan"), "every", "nan"),
    "an interval without end": (("n", "demo.plain", "--every", "inf"), "every", "inf"),
    "a name that would overwrite Beat's lock": (
        (":lock", "demo.plain", "--every", "60"),
        "name",
        ":lock",
    ),
    "a name with a colon": (("a:b", "demo.plain", "--every", "60"), "name", "a:b"),
    "an empty name": (("", "demo.plain", "--every", "60"), "name", ""),
    "a name of 201 characters": (("x" * 201, "demo.plain", "--every", "60"), "name", "201"),
    "a name with a line break": (("a\nb", "demo.plain", "--every", "60"), "name", "a"),
    "an unknown job": (("n", "os.system", "--every", "60"), "job", "os.system"),
    "arguments that are no JSON": (
        ("n", "demo.greet", "--every", "60", "--kwargs", "{whom: 1}"),
        "kwargs",
        "{whom",
    ),
    "kwargs that are a list": (
        ("n", "demo.greet", "--every", "60", "--kwargs", "[]"),
        "kwargs",
        "[]",
    ),
    "args that are an object": (("n", "demo.greet", "--every", "60", "--args", "{}"), "args", "{}"),
    "a missing argument": (("n", "demo.greet", "--every", "60"), "kwargs", "whom"),
    "an argument too many": (
        ("n", "demo.greet", "--every", "60", "--kwargs", '{"whom": "a", "how": 1}'),
        "kwargs",
        "how",
    ),
    "__type__ in kwargs": (
        ("n", "demo.greet", "--every", "60", "--kwargs", '{"whom": {"a": [{"__type__": "x"}]}}'),
        "kwargs",
        "__type__",
    ),
    "__type__ in args": (
        ("n", "demo.greet", "--every", "60", "--args", '[{"__type__": "x"}]'),
        "args",
        "__type__",
    ),
    "arguments too deep": (("n", "demo.greet", "--every", "60", "--args", DEEP), "args", ""),
    "arguments too large": (("n", "demo.greet", "--every", "60", "--kwargs", LARGE), "kwargs", ""),
    "a priority of ten": (
        ("n", "demo.plain", "--every", "60", "--priority", "10"),
        "priority",
        "10",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_new_schedule_with_bad_input_is_refused_and_nothing_is_written(beatdesk, case):
    words, field, value = BAD[case]
    before = beatdesk.written()
    said = beatdesk.refused("schedules", "add", *words)
    assert value in said
    assert len(said) < 1000
    body = beatdesk.refused_json("schedules", "add", *words)
    assert body["field"] == field
    assert body["error"].strip() in said
    assert beatdesk.written() == before


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--cron", "61 * * * *"), "crontab", "61"),
        (("--tz", "Mars/Base"), "timezone", "Mars/Base"),
        (("--every", "0"), "every", "0"),
        (("--job", "os.system"), "job", "os.system"),
        (("--kwargs", "{}"), "kwargs", "whom"),
        (("--kwargs", '{"whom": {"__type__": "x"}}'), "kwargs", "__type__"),
        (("--args", "nothing"), "args", "nothing"),
        (("--priority", "high"), "priority", "high"),
    ],
)
def test_an_edit_with_bad_input_is_refused_and_the_schedule_stays(beatdesk, words, field, value):
    beatdesk.done("schedules", "add", "n", "demo.greet", "--cron", "0 6 * * *", *GREETING)
    before = beatdesk.written()
    assert value in beatdesk.refused("schedules", "edit", "n", *words)
    assert beatdesk.refused_json("schedules", "edit", "n", *words)["field"] == field
    assert beatdesk.written() == before


def test_a_name_that_is_taken_is_refused(beatdesk):
    beatdesk.done("schedules", "add", "n", "demo.plain", "--every", "60")
    before = beatdesk.written()
    assert "'n'" in beatdesk.refused("schedules", "add", "n", "demo.plain", "--every", "90")
    assert (
        beatdesk.refused_json("schedules", "add", "n", "demo.plain", "--every", "90")["field"]
        == "name"
    )
    assert beatdesk.written() == before


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--args", "nothing"), "args", "nothing"),
        (("--kwargs", "[]"), "kwargs", "[]"),
        (("--kwargs", '{"who": "Ada"}'), "kwargs", "who"),
        (("--kwargs", '{"whom": {"__type__": "x"}}'), "kwargs", "__type__"),
    ],
)
def test_a_run_by_hand_with_bad_arguments_is_refused_and_nothing_is_queued(
    beatdesk, words, field, value
):
    beatdesk.done("schedules", "add", "n", "demo.greet", "--cron", "0 6 * * *", *GREETING)
    before = beatdesk.written()
    assert value in beatdesk.refused("schedules", "run", "n", *words)
    assert beatdesk.refused_json("schedules", "run", "n", *words)["field"] == field
    assert beatdesk.written() == before
    assert beatdesk.services.redis.llen("default") == 0


def test_a_run_by_hand_with_a_type_of_redbeats_own_is_refused(beatdesk):
    beatdesk.done(
        "schedules", "add", "n", "demo.echo", "--cron", "0 6 * * *", "--kwargs", '{"value": 1}'
    )
    for option, text in (
        ("--kwargs", '{"value": {"__type__": "x"}}'),
        ("--args", '[{"a": {"__type__": "x"}}]'),
    ):
        body = beatdesk.refused_json("schedules", "run", "n", option, text)
        assert body["field"] == option.removeprefix("--")
        assert "__type__" in body["error"]
    assert beatdesk.services.redis.llen("default") == 0


@pytest.mark.parametrize(
    "words",
    [
        ("schedules", "add", "n", "demo.plain"),
        ("schedules", "add", "n", "demo.plain", "--cron", "* * * * *", "--every", "5"),
        ("schedules", "add", "n"),
        ("schedules", "add", "n", "demo.plain", "--every", "often"),
        ("schedules", "add", "n", "demo.plain", "--at", "2026-11-23T05:00:00Z", "--every", "5"),
        ("schedules", "preview"),
        ("schedules", "next", "n", "-n", "0"),
        ("schedules", "run", "n", "--timeout", "5"),
        ("schedules", "list", "--state", "odd"),
        ("schedules", "fly"),
        ("runs", "list", "--state", "odd"),
        ("runs", "list", "--limit", "0"),
        ("runs", "show"),
        ("jobs", "show"),
    ],
)
def test_wrong_usage_is_told_from_a_refusal(beatdesk, words):
    before = beatdesk.written()
    assert "Usage:" in beatdesk.misused(*words)
    assert beatdesk.written() == before
