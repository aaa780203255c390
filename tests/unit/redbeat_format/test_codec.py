"""RedBeat's format: read what anybody wrote, write what RedBeat would."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec, extra_field
from scheduler.redbeat.codec import Raw
from scheduler.rules.crontab import dialect
from scheduler.rules.model.identity import plain_uid
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Pause,
    Policies,
    RedBeatWhen,
    RruleWhen,
    Schedule,
    Window,
)
from tests.support.builders import NOON, a_schedule, cron, every
from tests.support.schedules.raw_entries import CRONTAB, definition, read

RRULE = {
    "__type__": "rrule",
    "freq": "WEEKLY",
    "dtstart": 1700000000,
    "byweekday": [0, 4],
    "byhour": 6,
}


INTERVAL = {"__type__": "interval", "every": 60.0, "relative": False}


def saved(schedule: Schedule, meta: str | None = None) -> Raw:
    text = codec.encode_definition(schedule)
    return Raw(text, meta, extra_field.encode(schedule, text))


@pytest.mark.parametrize(
    "schedule",
    [
        a_schedule(),
        a_schedule(
            when=cron(
                "*/5 1-3 1,15 jan-mar mon", "Europe/Berlin", dst_gap="skip", dst_repeat="both"
            )
        ),
        a_schedule(
            when=every(300, NOON), args=[1, {"a": None}], kwargs={"b": [True]}, enabled=False
        ),
        a_schedule(
            queue="slow",
            priority=0,
            owner="ada",
            tags=["x"],
            description="d",
            notes="ü\n",
            revision=7,
        ),
        a_schedule(origin="redbeat"),
        a_schedule(when=OnceWhen(at=NOON + timedelta(microseconds=7))),
        a_schedule(when=RruleWhen(rrule="FREQ=DAILY;COUNT=3", dtstart=NOON)),
        a_schedule(
            when=RruleWhen(rrule="freq=monthly; byday=-1fr", dtstart=NOON, timezone="Europe/Berlin")
        ),
        a_schedule(when=cron("@daily")),
        a_schedule(when=cron("0   6 ? * 7", "Europe/Berlin", dst_repeat="both")),
        a_schedule(when=cron("0 6 L * *")),
        a_schedule(when=cron("0 6 * * 5L,mon#2", "Europe/Berlin")),
        a_schedule(when=cron("0 6 1,15 * mon", day_match="or")),
        a_schedule(when=cron("0 6 * * *", day_match="or")),
        a_schedule(when=dialect.settle(cron("H H(2-4) * * *"), "some-uid")),
        a_schedule(
            policies=Policies(
                overlap="queue_all", catch_up="none", run_timeout=5.5, retries=3, jitter=10
            ),
            window=Window(starts_at=NOON, max_runs=4, calendar="holidays"),
            paused=Pause(reason="ü", by="ada", since=NOON, until=NOON + timedelta(hours=1)),
            skips=[NOON, NOON + timedelta(hours=2)],
        ),
    ],
)
def test_what_is_saved_is_read_again(schedule: Schedule) -> None:
    entry = codec.decode(schedule.name, saved(schedule))
    assert entry.schedule == schedule
    assert not entry.diverged


def test_the_definition_is_redbeats_to_the_byte() -> None:
    text = codec.encode_definition(a_schedule(when=every(90, NOON), queue="slow", kwargs={"ü": 1}))
    assert text == (
        '{"name": "nightly-report", "task": "reports.job_summary", "args": [], "kwargs": {"\\u00fc": 1}, '
        '"options": {"queue": "slow"}, "schedule": {"__type__": "interval", "every": 90.0, "relative": false}, '
        '"enabled": true}'
    )


def test_an_entry_of_plain_redbeat_code_is_a_schedule_too() -> None:
    schedule = read(definition(options={"queue": "slow", "priority": 3, "expires": 60})).schedule
    assert schedule.origin == "redbeat"
    assert schedule.revision == 0
    assert schedule.uid == plain_uid("plain")
    assert schedule.when == CrontabWhen(crontab="0 * * * *")
    assert (schedule.queue, schedule.priority, schedule.args) == ("slow", 3, [])


def test_an_entry_of_beat_schedule_belongs_to_the_code() -> None:
    assert read(definition(), static=True).schedule.origin == "code"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"schedule": 30}, IntervalWhen(every=30)),
        ({"schedule": {**INTERVAL, "every": 5}}, IntervalWhen(every=5)),
        ({"schedule": {**CRONTAB, "minute": 5}}, CrontabWhen(crontab="5 * * * *")),
        ({"schedule": {**CRONTAB, "minute": [30, 0]}}, CrontabWhen(crontab="0,30 * * * *")),
        ({"schedule": {**CRONTAB, "minute": "1, 2"}}, CrontabWhen(crontab="1,2 * * * *")),
        ({"schedule": {"__type__": "crontab", "hour": "3"}}, CrontabWhen(crontab="* 3 * * *")),
        ({"schedule": {**CRONTAB, "day_of_week": "friL"}}, CrontabWhen(crontab="0 * * * 5")),
        (
            {"schedule": RRULE},
            RruleWhen(
                rrule="FREQ=WEEKLY;BYHOUR=6;BYDAY=MO,FR",
                dtstart=datetime.fromtimestamp(1700000000, UTC),
            ),
        ),
    ],
)
def test_other_spellings_of_a_schedule_are_read(parts: dict[str, Any], expected: Any) -> None:
    assert read(definition(**parts)).schedule.when == expected


@pytest.mark.parametrize(
    "schedule",
    [
        {"__type__": "rrule", "freq": 3, "dtstart": 1700000000, "dtstart_tz": 60, "interval": 1},
        {"__type__": "rrule", "freq": 6, "dtstart": 1700000000, "dtstart_tz": 0, "interval": 5},
        {"__type__": "rrule", "freq": 0, "dtstart": 1700000000, "dtstart_tz": 0, "byeaster": 1},
        {"__type__": "rrule", "freq": "DAILY", "byweekday": [{"__type__": "weekday", "wkday": 0}]},
        {"__type__": "interval", "every": 60.0, "relative": True},
    ],
)
def test_what_only_redbeat_computes_is_kept_as_it_is(schedule: dict[str, Any]) -> None:
    text = definition(schedule=schedule)
    entry = read(text)
    assert isinstance(entry.schedule.when, RedBeatWhen)
    assert codec.encode_definition(entry.schedule, entry.definition) == text


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"args": [1, "x"]},
        {"args": []},
        {"schedule": {**CRONTAB, "minute": [0, 30]}},
        {"schedule": {**CRONTAB, "minute": 5}},
        {"schedule": INTERVAL},
        {"options": {"expires": 60, "queue": "slow", "headers": {"a": 1}}},
        {"options": {"priority": 200}},
        {"kwargs": {"since": {"__type__": "datetime", "year": 2020, "month": 1, "day": 1}}},
        {"enabled": False},
        {"schedule": RRULE},
    ],
)
def test_saving_what_was_read_changes_no_byte(parts: dict[str, Any]) -> None:
    text = definition(**parts)
    entry = read(text)
    assert codec.encode_definition(entry.schedule, entry.definition) == text


def test_an_edit_keeps_the_options_that_we_cannot_say() -> None:
    entry = read(definition(options={"expires": 60, "queue": "slow", "priority": 200}))
    edited = entry.schedule.model_copy(update={"queue": None})
    options = json.loads(codec.encode_definition(edited, entry.definition))["options"]
    assert options == {"expires": 60, "priority": 200}


def test_a_definition_rewritten_by_plain_redbeat_code_is_the_truth_and_counts_as_a_revision() -> (
    None
):
    ours = saved(
        a_schedule("plain", when=cron("0 6 * * *", "Europe/Berlin"), revision=3, notes="kept")
    )
    rewritten = json.loads(ours.definition or "")
    rewritten["schedule"]["hour"] = "7"
    rewritten["task"] = "app.other"
    entry = read(json.dumps(rewritten), extra=ours.extra)
    assert entry.diverged
    assert entry.schedule.revision == 4
    assert entry.schedule.job == "app.other"
    assert entry.schedule.when == CrontabWhen(crontab="0 7 * * *", timezone="Europe/Berlin")
    assert entry.schedule.notes == "kept"


def test_a_rewrite_that_changes_the_kind_leaves_nothing_of_the_old_kind() -> None:
    ours = saved(a_schedule("plain", when=cron("0 6 * * *", "Europe/Berlin")))
    assert read(definition(schedule=INTERVAL), extra=ours.extra).schedule.when == IntervalWhen(
        every=60
    )


def test_a_rule_that_redbeat_cannot_say_is_kept_while_plain_code_leaves_it_alone() -> None:
    when = cron("0 6 * * mon#2", "Europe/Berlin")
    ours = saved(a_schedule("plain", when=when))
    other = json.loads(ours.definition or "") | {"args": [1]}
    assert read(json.dumps(other), extra=ours.extra).schedule.when == when
    entry = read(json.dumps(other | {"schedule": CRONTAB}), extra=ours.extra)
    assert entry.schedule.when == cron("0 * * * *", "Europe/Berlin")
    assert entry.diverged


def test_an_operator_may_hold_what_code_defines() -> None:
    text = definition()
    held = a_schedule("plain", origin="code", enabled=False)
    entry = read(text, extra=extra_field.encode(held, text), static=True)
    assert not entry.schedule.enabled
    assert json.loads(codec.encode_definition(entry.schedule, entry.definition))["enabled"] is True


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "no definition"),
        ("", "no definition"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "list"),
        (definition(schedule={**CRONTAB, "minute": "61"}), "0-59"),
        (definition(schedule={**CRONTAB, "minute": 61}), "0-59"),
        (definition(schedule={**CRONTAB, "minute": []}), "minute"),
        (definition(schedule={**CRONTAB, "minute": ""}), "minute"),
        (
            definition(schedule={**CRONTAB, "day_of_month": "30", "month_of_year": "2"}),
            "never fires",
        ),
        (definition(schedule={**CRONTAB, "day_of_week": "5L"}), "'5L'"),
        (definition(schedule={**CRONTAB, "second": "1"}), "second"),
        (definition(schedule={"__type__": "interval", "every": 60.0}), "relative"),
        (definition(schedule={"__type__": "interval", "every": "x", "relative": False}), "every"),
        (definition(schedule={**INTERVAL, "every": 0.0}), "0 seconds"),
        (definition(schedule={**INTERVAL, "every": float("nan")}), "nan"),
        (definition(schedule={"__type__": "unheard-of"}), "is not a schedule"),
        (definition(schedule=None), "is not a schedule"),
        (definition(schedule="* * * * *"), "is not a schedule"),
        (definition(name="other"), "'other'"),
        (definition(surprise=1), "surprise"),
        (definition(task=None), "task"),
        (definition(task=""), "task"),
        (definition(args="x"), "args"),
        (definition(kwargs=[1]), "kwargs"),
        (definition(kwargs={"a": {"__type__": "crontab", "minute": "99"}}), "RedBeat cannot load"),
        (definition(kwargs={"a": {"__type__": "interval"}}), "RedBeat cannot load"),
        (definition(task="\ud800"), "surrogate"),
    ],
)
def test_what_beat_cannot_load_is_refused_with_the_reason(text: str | None, word: str) -> None:
    with pytest.raises(UnreadableEntry, match=word):
        read(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ours",
    ["{", "[]", "{}", '{"uid": "x", "revision": 1, "digest": ""}', '{"v": 2}'],
)
def test_a_damaged_field_of_ours_is_refused_with_the_reason(ours: str) -> None:
    with pytest.raises(UnreadableEntry, match="beatdesk"):
        read(definition(), extra=ours)


def test_a_zone_that_is_not_installed_is_refused_with_the_reason() -> None:
    ours = saved(a_schedule("plain", when=cron("0 6 * * *", "Mars/Olympus")))
    with pytest.raises(UnreadableEntry, match="Mars/Olympus"):
        codec.decode("plain", ours)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(JSON, max_size=3),
    st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    st.booleans(),
)
def test_a_schedule_that_was_read_is_one_that_is_valid(
    args: list[Any], kwargs: dict[str, Any], ours: bool
) -> None:
    schedule = a_schedule(
        "plain", args=args, kwargs=kwargs, tags=["a"], paused=Pause(reason="r", by="b", since=NOON)
    )
    raw = saved(schedule) if ours else Raw(definition(args=args, kwargs=kwargs), None, None)
    found = codec.decode("plain", raw).schedule
    checked = Schedule(**{name: getattr(found, name) for name in Schedule.model_fields})
    assert found == checked
    assert found.model_dump_json() == checked.model_dump_json()
    assert found.model_fields_set == checked.model_fields_set
    assert (found == schedule) == ours


@pytest.mark.parametrize(
    "text", ["\udcff", "\\ud800"], ids=["bytes that are no UTF-8", "half of a pair"]
)
def test_what_no_event_can_carry_is_refused(text: str) -> None:
    with pytest.raises(UnreadableEntry, match="half of a surrogate pair"):
        read(definition(args=["here"]).replace("here", text))


@pytest.mark.parametrize("levels", [150, 250, 900, 100_000])
def test_what_is_nested_too_deeply_is_refused(levels: int) -> None:
    deep = definition(args="deep").replace('"deep"', "[" * levels + "]" * levels)
    if levels < 200:
        assert read(deep).schedule.args
    else:
        with pytest.raises(UnreadableEntry, match=r"definition is (nested too deeply|not JSON)"):
            read(deep)
